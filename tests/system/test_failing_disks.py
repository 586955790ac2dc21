"""Full disks and faulty ones, at every write once: nothing paid for is lost, and nobody pays twice."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeprate.domain.budgets import Window
from keeprate.domain.errors import KeeprateError, StorageError
from keeprate.domain.money import usd
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.verdicts import VerdictKind
from keeprate.library.front import Keeprate
from keeprate.safety.failpoints import FAILPOINTS, arm
from keeprate.testing.clocks import ImpatientClock
from keeprate.workflows.options import Options
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.homes import keeprate_at, settings_at
from tests.small_disk import small_disk
from tests.trust_counts import count, record

pytestmark = [pytest.mark.anyio, pytest.mark.trust]

# Where bytes are written, or told to be safe. What only reads, or sends, is no concern of a disk.
WRITERS = {"assets", "paths", "spool", "ledger"}
# At these places all is written: a disk has nothing left to fail at.
NOTHING_LEFT = {"ledger.budget.after_commit", "ledger.judge.after_commit", "ledger.owner.after_lock"}
SITES = sorted(name for name in FAILPOINTS if name.split(".")[0] in WRITERS and name not in NOTHING_LEFT)
FAULTS = ("enospc", "eio")
ORDERS = ("plain", "busy", "lost", "plain again")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(tmp_path_factory.mktemp("upstream"), "--draw", "fast") as running:
        yield running


def as_ordered(emulator: EmulatorProcess) -> None:
    """Let the upstream do to each order what its name says, once."""
    emulator.reset()
    emulator.fault("error", times=1, match={"prompt_contains": "busy"}, code=503)
    emulator.fault("drop_after_accept", times=1, match={"prompt_contains": "lost"})


async def order(keeprate: Keeprate, name: str, out: Path) -> KeeprateError | None:
    """Buy one thing, judge it and put the books right; return what went wrong, which never hides a purchase."""
    options = Options(intent=name, output=out / f"{name}.png", overwrite=True)
    try:
        result = await keeprate.generate(name, options=options)
        row = result.attempts[-1]
        if result.images:
            await keeprate.verdict(row.id, VerdictKind.ACCEPTED)
        elif row.state is AttemptState.UNKNOWN and name == "lost":
            await keeprate.accounts.reconcile(row.id, billed=row.new.hold)
    except KeeprateError as error:
        return error
    return None


async def a_day(home: Path, url: str, *, failpoint: str = "") -> list[KeeprateError]:
    """Do some of everything that writes, and return what was refused."""
    settings = settings_at(home, url, {"KEEPRATE_FAILPOINT": failpoint})
    refused: list[KeeprateError] = []
    try:
        async with Keeprate(settings=settings, clock=ImpatientClock()) as keeprate:
            for name in ORDERS:
                fault = await order(keeprate, name, home.parent)
                refused += [] if fault is None else [fault]
            await keeprate.accounts.set_budget(Window.DAY, usd("900"))
    except StorageError as error:
        refused.append(error)
    finally:
        arm("")
    return refused


async def lost_images(keeprate: Keeprate, emulator: EmulatorProcess) -> list[str]:
    """Return what the bill has and the store does not, but for answers that never came."""
    lost: list[str] = []
    for billed in emulator.bill()["rows"]:
        row = await keeprate.attempt(billed["client_request_id"])
        if row.new.prompt == "lost":
            continue
        for sha256 in row.image_sha256s:
            await keeprate.image(sha256)
        if not row.image_sha256s:
            lost.append(f"{row.new.prompt}: {row.state} {row.outcome}")
    return lost


@pytest.mark.timeout(900)
async def test_a_fault_at_any_write_loses_no_paid_image(emulator: EmulatorProcess, tmp_path: Path) -> None:
    every = count("disk_faults", 9, 1)
    passed = tmp_path / "passed"
    places = [(site, fault) for number, site in enumerate(SITES) for fault in FAULTS][::every]
    lost: list[str] = []
    silent: list[str] = []
    met = 0
    for site, fault in places:
        as_ordered(emulator)
        folder = tmp_path / f"{site}-{fault}"
        folder.mkdir()
        async with keeprate_at(folder / "home", emulator.url):
            pass  # made on a healthy disk
        armed = f"{site}:{fault},*:trace={passed}"
        faults = await a_day(folder / "home", emulator.url, failpoint=armed)
        met += site in passed.read_text().split()
        passed.unlink()
        silent += [f"{site}: {error.message}" for error in faults if not error.remedy]
        assert await a_day(folder / "home", emulator.url) == []
        async with keeprate_at(folder / "home", emulator.url) as keeprate:
            lost += [f"{site} {fault}: {one}" for one in await lost_images(keeprate, emulator)]
            rows = await keeprate.attempts(limit=100)
            billed = {one["client_request_id"] for one in emulator.bill()["rows"]}
            # A refusal that could not be written down leaves an unknown: safe, and a person's to release.
            assert {row.new.prompt for row in rows if row.held} <= {"busy"}
            assert not billed & {row.id for row in rows if row.held}
            bought = [row.new.key.intent for row in rows if row.state is AttemptState.IMAGE]
            assert sorted(bought) == sorted(set(bought)), f"{site}: bought twice"
    record(
        "disk faults injected, at each write once",
        f"{met} of {len(places)} reached",
        "all reachable",
        met=met > 0,
    )
    record("paid images lost by them", len(lost), "0", met=not lost)
    assert lost == []
    assert silent == []


@pytest.mark.parametrize("megabytes", [1, 2, 4, 8])
async def test_on_a_disk_that_is_too_small_nothing_is_bought(
    emulator: EmulatorProcess, tmp_path: Path, megabytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.reset()
    with small_disk(tmp_path / "disk", megabytes, monkeypatch) as disk:
        home = disk.path / "home"
        refusals = await buy_some(home, emulator.url, 4)
        assert len(refusals) == 4
        assert all(isinstance(refusal, StorageError) and refusal.remedy for refusal in refusals)
        assert emulator.bill_summary()["accepted_calls"] == 0
        disk.grow(512)
        assert await buy_some(home, emulator.url, 4) == []
        assert emulator.bill_summary()["accepted_calls"] == 4
        async with keeprate_at(home, emulator.url) as keeprate:
            assert await lost_images(keeprate, emulator) == []
            assert [row.held for row in await keeprate.attempts()] == [0] * 4
    record(
        f"a disk of {megabytes} MB: calls sent; paid images lost; finished once it had grown",
        "0; 0; 4 of 4",
        "0; 0; all",
        met=True,
    )


async def test_a_disk_that_another_program_fills_while_calls_are_out_loses_no_image(
    emulator: EmulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 6
    emulator.reset()
    emulator.fault("latency", latency_ms=1500)
    with small_disk(tmp_path / "disk", 600, monkeypatch) as disk:
        if not disk.is_real:
            return  # nothing here can fill up; the faults above stand in for it
        home = disk.path / "home"
        buying = asyncio.create_task(buy_some(home, emulator.url, calls))
        async with asyncio.timeout(30):
            while len(list((home / "spool").glob("*.part")) if home.exists() else []) < calls:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        hog = await asyncio.to_thread(disk.fill)
        refusals = await buying
        assert emulator.bill_summary()["accepted_calls"] == calls
        assert all(refusal.remedy for refusal in refusals)
        hog.unlink()
        emulator.clear_faults()
        assert await buy_some(home, emulator.url, calls) == []
        assert emulator.bill_summary()["accepted_calls"] == calls
        async with keeprate_at(home, emulator.url) as keeprate:
            lost = await lost_images(keeprate, emulator)
            rows = await keeprate.attempts()
    record(
        "a disk filled with calls under way: paid images lost, of those paid",
        f"{len(lost)} of {calls}; {len(refusals)} said to be safe in the spool",
        "0",
        met=not lost,
    )
    assert lost == []
    assert {row.state for row in rows} == {AttemptState.IMAGE}


async def buy_some(home: Path, url: str, calls: int) -> list[KeeprateError]:
    """Ask for items, all at once, each under an intent of its own; return what was refused."""

    async def one(keeprate: Keeprate, number: int) -> KeeprateError | None:
        try:
            await keeprate.generate(f"item {number}", options=Options(intent=f"item-{number}"))
        except KeeprateError as error:
            return error
        return None

    try:
        async with keeprate_at(home, url) as keeprate:
            ends = await asyncio.gather(*(one(keeprate, number) for number in range(calls)))
    except KeeprateError as error:
        return [error] * calls
    return [end for end in ends if end is not None]

"""Paid once, from the request to the upstream's bill: restarts, kills, other callers, lost answers."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keeprate.bootstrap import House, open_house
from keeprate.domain.errors import IdempotencyMismatch
from keeprate.domain.outcomes import AttemptState
from keeprate.testing.clocks import SetClock
from keeprate.workflows.claims import Claimed, How
from tests.claims_worker import ask, asking_of
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.homes import settings_at
from tests.trust_counts import count, full, record

pytestmark = [pytest.mark.anyio, pytest.mark.trust, pytest.mark.timeout(3600)]

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
# Where a process may die with a key in its hands; what was sent there may be paid.
DEATHS = (
    ("workflows.pay.after_intend", 1),
    ("workflows.pay.after_sent", 0),
    ("spool.write.chunk", 1),
    ("workflows.pay.after_send", 1),
    ("workflows.pay.after_settle", 1),
    ("ledger.settle.after_commit", 1),
)


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[EmulatorProcess]:
    with start_emulator(tmp_path, "--draw", "fast") as process:
        yield process


@asynccontextmanager
async def home_at(folder: Path, url: str, clock: SetClock | None = None) -> AsyncIterator[House]:
    settings = settings_at(folder / "home", url)
    async with open_house(settings, confirm=None, progress=lambda _: None, clock=clock) as house:
        yield house


async def body(house: House, claimed: Claimed) -> bytes:
    scope = asking_of(None).scope
    return b"".join([piece async for piece in house.claims.slices(scope, claimed.answer)])


def calls(emulator: EmulatorProcess) -> int:
    return int(emulator.bill_summary()["accepted_calls"])


def worker(folder: Path, url: str, key: str, failpoint: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.claims_worker", str(folder / "home"), url, key, failpoint]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=60)


async def test_one_key_is_one_purchase_whoever_asks_when_and_how_often(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    asking = asking_of("order-7")
    async with home_at(tmp_path, emulator.url, SetClock(NOON)) as house:
        answers = await asyncio.gather(*(ask(house, asking) for _ in range(100)))
        bodies = {await body(house, one) for one in answers}
        assert (calls(emulator), len(bodies)) == (1, 1)
        assert b"b64_json" in next(iter(bodies))
        with pytest.raises(IdempotencyMismatch):
            await ask(house, asking_of("order-7", prompt="a chair"), prompt="a chair")
        assert calls(emulator) == 1
    clock = SetClock(NOON + timedelta(days=6))
    async with home_at(tmp_path, emulator.url, clock) as house:
        again = await ask(house, asking)
        assert (again.how, await body(house, again)) == (How.REPLAYED, bodies.pop())
        assert calls(emulator) == 1
        other = await ask(house, asking_of("order-7", workspace="another"))
        assert (other.how, calls(emulator)) == (How.BOUGHT, 2)
        clock.move(timedelta(days=1, seconds=1))
        assert (await ask(house, asking)).how is How.BOUGHT
        assert calls(emulator) == 3
    record(
        "idempotency: calls for 100 at once, for another body, after a restart and 6 days",
        "1, 0, 0; identical bodies; another tenant buys its own",
        "1, 0, 0",
        met=True,
    )


async def test_an_unknown_original_is_told_as_unknown_until_a_person_settles_it(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    emulator.fault("drop_after_accept", times=1)
    async with home_at(tmp_path, emulator.url) as house:
        for _ in range(3):
            answer = await ask(house, asking_of("k"))
            assert not answer.settled
            assert b'"outcome":"unknown"' in await body(house, answer)
        assert calls(emulator) == 1
        (row,) = await house.ledger.attempts(asking_of(None).scope, unknown_only=True, limit=9, intent=None)
        await house.ledger.reconcile(
            asking_of(None).scope, row.id, billed=None, by="ana", at=house.means.till.clock.now()
        )
        assert (await ask(house, asking_of("k"))).settled
        assert calls(emulator) == 2


@pytest.mark.parametrize(("place", "images"), DEATHS if full() else DEATHS[1:4])
@pytest.mark.parametrize("key", ["order-7", "-"])
async def test_after_a_kill_the_same_request_gets_what_was_bought(
    tmp_path: Path, emulator: EmulatorProcess, place: str, images: int, key: str
) -> None:
    died = worker(tmp_path, emulator.url, key, f"{place}:kill")
    assert died.returncode == -signal.SIGKILL, died.stderr
    paid = calls(emulator)
    named = None if key == "-" else key
    async with home_at(tmp_path, emulator.url) as house:
        answer = await ask(house, asking_of(named, is_resend=named is None))
        await answer.served()
        rows = await house.ledger.attempts(asking_of(None).scope, unknown_only=False, limit=9, intent=None)
    # Nothing that may have been paid is sent again: one call in all, or none before and one now.
    assert calls(emulator) == max(paid, int(place == "workflows.pay.after_intend"))
    states = {row.state for row in rows} - {AttemptState.FREED}
    assert states == ({AttemptState.IMAGE} if answer.answer.images else {AttemptState.UNKNOWN})
    if paid and place != "spool.write.chunk":
        assert len(answer.answer.images) == images


async def test_lost_answers_are_claimed_and_equal_live_requests_are_not_merged(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    asking = asking_of(None)
    rounds = count("claim_rounds", 3, 50)
    async with home_at(tmp_path, emulator.url) as house:
        for number in range(rounds):
            before = calls(emulator)
            live = await asyncio.gather(*(ask(house, asking) for _ in range(4)))
            assert calls(emulator) - before == 4
            # One loses its answer on the way; three have theirs.
            lost, *others = live
            await lost.left()
            for one in others:
                await one.served()
            claimed = await ask(house, replace(asking, is_resend=number % 2 == 0))
            assert (claimed.how, claimed.answer) == (How.ORPHAN, lost.answer)
            await claimed.served()
            assert calls(emulator) - before == 4
            shared = replace(asking, single_flight=True)
            joined = await asyncio.gather(*(ask(house, shared) for _ in range(4)))
            assert calls(emulator) - before == 5
            assert len({await body(house, one) for one in joined}) == 1
        cached = replace(asking, cache_key="exact")
        before = calls(emulator)
        for _ in range(3):
            answer = await ask(house, cached)
            await answer.served()
        assert calls(emulator) - before == 1
        rows = await house.ledger.attempts(asking.scope, unknown_only=False, limit=10**6, intent=None)
        assert len(rows) == calls(emulator)
    record(
        "four equal live requests, one lost answer, four in one flight, three with the cache: calls",
        "4, 0, 1, 1",
        "4, 0, 1, 1",
        met=rounds >= 50,
    )


async def test_a_finished_worker_leaves_its_key_answered(tmp_path: Path, emulator: EmulatorProcess) -> None:
    first = worker(tmp_path, emulator.url, "k")
    second = worker(tmp_path, emulator.url, "k")
    told = [json.loads(done.stdout)["how"] for done in (first, second)]
    assert (told, calls(emulator)) == ([How.BOUGHT, How.REPLAYED], 1)

"""kill -9 at any point: nothing bought twice, nothing lost, no torn file."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from keeprate.domain.attempts import Attempt
from keeprate.domain.outcomes import AttemptState
from keeprate.safety.failpoints import FAILPOINTS
from tests.crash_ground import Ground
from tests.crash_worker import LOST
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.homes import keeprate_at
from tests.trust_counts import count, record

ITEMS = count("kill_items", 20, 50)
KILLS_A_CAMPAIGN = count("kills_a_campaign", 6, 10)
SIGKILLED = -9
# What must have died at one place before another can be passed, by the beginning of its name.
FIRST_DIES_AT = {
    "workflows.recover.after_free": "workflows.pay.after_intend:kill:3",
    "workflows.recover.after_late": "spool.complete.synced:kill:3",
    "workflows.recover": "workflows.pay.after_send:kill:3",
    "ledger.adopt": "workflows.pay.after_send:kill:3",
    "assets.sweep": "workflows.pay.after_settle:kill:3",
}
# Passed once in a life, so the second passing never comes.
ONCE = ("ledger.open", "ledger.owner", "ledger.budget", "ledger.adopt", "workflows.recover", "assets.sweep")
QUICK = ("ledger.settle.after_commit", "spool.complete.described", "workflows.recover.after_late")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    folder = tmp_path_factory.mktemp("upstream")
    with start_emulator(folder, "--draw", "fast") as running:
        yield running


def begin(emulator: EmulatorProcess, folder: Path, *, latency_ms: int = 20) -> Ground:
    emulator.reset()
    put_faults(emulator, latency_ms)
    return Ground(folder, emulator, ITEMS)


def put_faults(emulator: EmulatorProcess, latency_ms: int) -> None:
    """Be slow, busy now and then, and lose the answers of those items that are there to be lost."""
    emulator.clear_faults()
    emulator.fault("error", times=3, match={"prompt_contains": "busy"}, code=503)
    lost = {
        "match": {"prompt_contains": LOST},
        "fault": {"kind": "drop_after_accept", "latency_ms": latency_ms},
    }
    emulator.faults(lost, {"fault": {"kind": "latency", "latency_ms": latency_ms}})


async def books_hold(ground: Ground) -> int:
    """Check what must be true after any number of kills, and return how many items are unknown."""
    bill = ground.emulator.bill()["rows"]
    async with keeprate_at(ground.home, ground.emulator.url) as keeprate:
        rows = await keeprate.attempts(limit=100 * ITEMS)
        by_item = Counter(
            row.new.key.intent for row in rows if row.id in {one["client_request_id"] for one in bill}
        )
        assert all(times == 1 for times in by_item.values()), "an item was bought twice"
        assert len({one["client_request_id"] for one in bill}) == len(bill)
        ended = {row.new.key.intent: row for row in reversed(rows) if row.state is not AttemptState.FREED}
        assert len(ended) == ITEMS
        unknown = [row for row in ended.values() if row.state is AttemptState.UNKNOWN]
        assert {row.state for row in ended.values() if not is_lost(row)} <= {
            AttemptState.IMAGE,
            AttemptState.UNKNOWN,
        }
        assert await keeprate.accounts.ledger.audit(keeprate.accounts.scope) == []
        assert all(row.held == row.new.hold for row in unknown)
        charged = sum(row.charge.amount for row in rows if row.charge is not None)
        assert charged + sum(row.held for row in rows) >= sum(one["nano_usd"] for one in bill)
        for row in ended.values():
            if row.state is AttemptState.IMAGE:
                await files_are_whole(keeprate, row.image_sha256s)
    check_outputs(ground)
    return len(unknown)


def is_lost(row: Attempt) -> bool:
    return row.new.prompt.startswith(LOST)


async def files_are_whole(keeprate, sha256s: tuple[str, ...]) -> None:
    for sha256 in sha256s:
        content = await keeprate.image(sha256)
        assert hashlib.sha256(content).hexdigest() == sha256


def check_outputs(ground: Ground) -> None:
    """Every picture at a final path decodes to its last pixel."""
    for path in ground.out.glob("*.png"):
        with Image.open(path) as image:
            image.load()


@pytest.mark.anyio
@pytest.mark.trust
@pytest.mark.timeout(3600)
async def test_killed_again_and_again_a_run_buys_each_item_once(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    kills = count("kills", 6, 200)
    draw = random.Random(12)
    in_sent: list[int] = []
    slowest_s = 0.0
    unknown = 0
    for campaign in range(-(-kills // KILLS_A_CAMPAIGN)):
        ground = begin(emulator, tmp_path / f"campaign-{campaign}")
        for _ in range(KILLS_A_CAMPAIGN):
            # Slow answers more often than quick ones: else the items are used up before the kills are.
            put_faults(emulator, draw.choice((250, 900, 900)))
            left = ground.run_and_kill(draw.uniform(0.0, 0.8))
            in_sent.append(left.in_sent)
            slowest_s = max(slowest_s, left.ready_s or 0.0)
        put_faults(emulator, 20)
        last = ground.run_with()
        assert last.exit_code == 0, last.words
        unknown += await books_hold(ground)
        assert unknown <= sum(in_sent)
        ground.forget()
    with_sent = sum(number > 0 for number in in_sent)
    record(
        "kill -9 at random points: kills with an attempt in `sent`",
        f"{with_sent} of {len(in_sent)}; histogram {dict(sorted(Counter(in_sent).items()))}",
        "≥ 60 %",
        met=with_sent >= 0.6 * len(in_sent),
    )
    record("kill -9: items bought twice; torn files", "0; 0", "0; 0", met=True)
    record("kill -9: slowest start to ready, with imports", f"{slowest_s:.2f} s", "≤ 5 s", met=slowest_s <= 5)
    assert with_sent >= 0.6 * len(in_sent)


@pytest.mark.anyio
@pytest.mark.trust
@pytest.mark.timeout(3600)
async def test_killed_at_each_failpoint_a_run_buys_each_item_once(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    names = sorted(FAILPOINTS) if count("failpoint_kills", 0, 1) else QUICK
    missed: list[str] = []
    for name in names:
        ground = begin(emulator, tmp_path / name)
        before = next((place for start, place in FIRST_DIES_AT.items() if name.startswith(start)), None)
        if before is not None:
            assert ground.run_with(before).exit_code == SIGKILLED
            ground.leave_a_draft()
        left = ground.run_with(f"{name}:kill:{1 if name.startswith(ONCE) else 2}")
        if left.exit_code != SIGKILLED:
            missed.append(name)
        last = ground.run_with()
        assert last.exit_code == 0, f"{name}: {last.words}"
        await books_hold(ground)
        ground.forget()
    record(
        "kill -9 at named failpoints, each reached once",
        f"{len(names) - len(missed)} of {len(names)}",
        "≥ 40",
        met=len(names) - len(missed) >= 40,
    )
    assert missed == []


@pytest.mark.anyio
async def test_retrying_what_a_kill_left_unknown_completes_the_set_and_books_both(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    ground = begin(emulator, tmp_path)
    killed = ground.run_with("workflows.pay.after_sent:kill:4")
    assert killed.exit_code == SIGKILLED
    assert ground.run_with().exit_code == 0
    async with keeprate_at(ground.home, emulator.url) as keeprate:
        unknown = await keeprate.attempts(unknown_only=True)
        assert unknown
        assert not any(is_lost(row) for row in unknown)
        before = len(emulator.bill()["rows"])
        for row in unknown:
            result = await keeprate.retry_unknown(row.id)
            assert result.images
            assert result.attempts[-1].follows == row.id
        assert len(emulator.bill()["rows"]) == before + len(unknown)
        rows = await keeprate.attempts(limit=10 * ITEMS)
        kept = {row.new.key.intent for row in rows if row.state is AttemptState.IMAGE}
        lost = {row.new.key.intent for row in rows if is_lost(row)}
        assert len(kept | lost) == ITEMS
        for row in unknown:
            assert (await keeprate.attempt(row.id)).held == row.new.hold

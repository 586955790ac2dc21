"""A cap of one dollar against four processes that all want more; the emulator's bill is the referee."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from keeprate.database.engine import open_database
from keeprate.domain.budgets import Budget, Window
from keeprate.domain.errors import KeeprateError
from keeprate.domain.money import NanoUSD
from keeprate.domain.scopes import Scope
from keeprate.ledger.ledger import SqlLedger, open_ledger
from keeprate.testing.clocks import ImpatientClock
from keeprate.workflows.options import Options
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.homes import keeprate_at
from tests.trust_counts import count, record

pytestmark = [pytest.mark.anyio, pytest.mark.trust, pytest.mark.timeout(7200)]

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = 4
DOLLAR = 1_000_000_000
TRIALS = count("cap_trials", 2, 200)
AT_ONCE = count("cap_requests", 125, 500)
LOOP = count("runaway_calls", 800, 10_000)


class Workers:
    """Four processes with one home and one database, told what to ask for, line by line."""

    def __init__(self, processes: Sequence["subprocess.Popen[str]"]) -> None:
        self._processes = processes

    def ask(self, **asked: object) -> None:
        for number, process in enumerate(self._processes):
            assert process.stdin is not None
            process.stdin.write(json.dumps({**asked, "seed": f"{asked['key']}-{number}"}) + "\n")
            process.stdin.flush()

    def answers(self) -> list[dict[str, object]]:
        lines = [process.stdout.readline() for process in self._processes if process.stdout is not None]
        return [json.loads(line) for line in lines]


@contextmanager
def working(home: Path, database: str, emulator: str) -> Iterator[Workers]:
    command = [sys.executable, "-m", "tests.cap_worker", str(home), database, emulator]
    with ExitStack() as stack:
        processes = [_started(stack, command) for _ in range(PROCESSES)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield Workers(processes)


def _started(stack: ExitStack, command: Sequence[str]) -> "subprocess.Popen[str]":
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    stack.enter_context(process)  # closes the pipes and waits
    stack.callback(process.terminate)
    return process


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    ledger: SqlLedger
    workers: Workers
    emulator: EmulatorProcess
    clock: ImpatientClock

    async def cap(self, key: str, limit: int, window: Window = Window.DAY) -> None:
        cap = Budget(
            id=f"cap-{key}", workspace="default", key=key, window=window, limit=NanoUSD(limit), simulated=True
        )
        await self.ledger.set_budget(Scope(), cap, self.clock.now())

    async def standing(self, key: str) -> tuple[int, int]:
        """Return what is spent and what is held under the key's own cap."""
        now = self.clock.now()
        found = await self.ledger.standings(Scope(key=key), simulated=True, at=now)
        (own,) = [one for one in found if one.budget.key == key]
        return own.spent, own.held

    async def watched(self, key: str, answers: "asyncio.Task[list[dict[str, object]]]") -> int:
        """Return the most that was spent and held together at any look until the answers are there."""
        most = 0
        while not answers.done():
            spent, held = await self.standing(key)
            most = max(most, spent + held)
            await asyncio.wait([answers], timeout=0.05)
        return max(most, sum(await self.standing(key)))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'home' / 'keeprate.sqlite3'}"
    return str(request.getfixturevalue("postgres_url"))


@asynccontextmanager
async def ground_at(folder: Path, database_url: str) -> AsyncIterator[Ground]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    database = await asyncio.to_thread(open_database, database_url)
    ledger = open_ledger(database, home=home)
    try:
        with (
            start_emulator(folder, "--draw", "fast") as emulator,
            working(home, database_url, emulator.url) as workers,
        ):
            yield Ground(ledger=ledger, workers=workers, emulator=emulator, clock=ImpatientClock())
    finally:
        ledger.close()
        database.close()


def _sum(answers: Sequence[dict[str, object]]) -> Counter[str]:
    seen: Counter[str] = Counter()
    for answer in answers:
        seen.update(answer["seen"])  # type: ignore[arg-type]
    return seen


async def test_a_dollar_holds_against_four_processes(tmp_path: Path, database_url: str) -> None:
    over = uncounted = 0
    most_billed = most_seen = 0
    async with ground_at(tmp_path, database_url) as ground:
        for trial in range(TRIALS):
            key = f"app-{trial}"
            await ground.cap(key, DOLLAR)
            before = ground.emulator.bill_summary()
            ground.workers.ask(key=key, count=AT_ONCE, at_once=AT_ONCE)
            answers = asyncio.create_task(asyncio.to_thread(ground.workers.answers))
            most = await ground.watched(key, answers)
            seen = _sum(await answers)
            after = ground.emulator.bill_summary()
            billed = after["total_nano_usd"] - before["total_nano_usd"]
            accepted = after["accepted_calls"] - before["accepted_calls"]
            spent, held = await ground.standing(key)
            assert set(seen) <= {"image", "refused", "text_only", "blocked"}, seen
            assert (spent, held) == (billed, 0)
            assert seen["refused"] > 0
            over += billed > DOLLAR or most > DOLLAR
            uncounted += accepted - (seen.total() - seen["refused"])
            most_billed, most_seen = max(most_billed, billed), max(most_seen, most)
    assert (over, uncounted) == (0, 0)
    kind = database_url.partition(":")[0]
    record(
        f"$1.00 key, {PROCESSES} processes × {AT_ONCE} at once, {kind}: trials over, calls for refused requests",
        f"{over} of {TRIALS}, {uncounted}; most billed ${most_billed / DOLLAR:.4f}, "
        f"most spent + held ${most_seen / DOLLAR:.4f}",
        "0 of 200, 0",
        met=TRIALS >= 200 and AT_ONCE >= 500 and (over, uncounted) == (0, 0),
    )


async def test_a_runaway_loop_loses_no_more_than_its_cap(tmp_path: Path, database_url: str) -> None:
    async with ground_at(tmp_path, database_url) as ground:
        await ground.cap("agent", 5 * DOLLAR, Window.HOUR)
        ground.workers.ask(key="agent", count=LOOP // PROCESSES, at_once=16)
        seen = _sum(await asyncio.to_thread(ground.workers.answers))
        billed = ground.emulator.bill_summary()["total_nano_usd"]
        assert billed <= 5 * DOLLAR
        assert seen["refused"] > 0
    record(
        f"a loop of {LOOP} calls under $5 an hour, {database_url.partition(':')[0]}: loss",
        f"${billed / DOLLAR:.2f}",
        "≤ $5.00",
        met=billed <= 5 * DOLLAR and LOOP >= 10_000,
    )


async def test_the_kill_switch_stops_every_process_within_a_second(tmp_path: Path, database_url: str) -> None:
    async with ground_at(tmp_path, database_url) as ground:
        await ground.cap("app", 1000 * DOLLAR)
        ground.workers.ask(key="app", count=100_000, at_once=8)
        await asyncio.sleep(1.5)
        stopped_at = time.time()
        await ground.ledger.stop_spending(
            Scope(), simulated=True, reason="a stolen key", at=ground.clock.now()
        )
        answers = await asyncio.to_thread(ground.workers.answers)
        seen = _sum(answers)
        late = max(float(str(answer["last_sent"])) for answer in answers) - stopped_at
        assert seen["image"] > 0
        assert all(answer["seen"]["stopped"] > 0 for answer in answers)  # type: ignore[index]
        assert late <= 1
    record(
        f"kill switch, {PROCESSES} processes, {database_url.partition(':')[0]}: last call sent after it",
        f"{max(0.0, late):.3f} s",
        "≤ 1 s",
        met=late <= 1,
    )


async def test_nothing_that_fits_is_refused_and_every_hold_comes_back(tmp_path: Path) -> None:
    calls = count("false_refusals", 120, 30_000)
    refused = 0
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        emulator.faults(
            {"probability": 0.05, "fault": {"kind": "error", "code": 503}},
            {"probability": 0.05, "fault": {"kind": "error", "code": 400}},
            {"probability": 0.05, "fault": {"kind": "finish_reason", "reason": "IMAGE_SAFETY"}},
        )
        async with keeprate_at(tmp_path / "home", emulator.url) as keeprate:
            gate = asyncio.Semaphore(16)

            async def one(number: int) -> None:
                nonlocal refused
                async with gate:
                    size = ("1K", "2K", "4K")[number % 3]
                    buying = asyncio.create_task(keeprate.generate("a lamp", options=Options(size=size)))
                    if number % 10 == 0:
                        await asyncio.wait([buying], timeout=0.02)
                        buying.cancel()
                    try:
                        await asyncio.wait([buying])
                        buying.result()
                    except KeeprateError as error:
                        refused += error.code == "budget_exceeded"
                    except asyncio.CancelledError:
                        pass

            await asyncio.gather(*(one(number) for number in range(calls)))
        async with keeprate_at(tmp_path / "home", emulator.url) as keeprate:
            rows = await keeprate.attempts(limit=10 * calls)
            standings = await keeprate.accounts.budgets()
    held = sum(standing.held for standing in standings)
    ratios = [row.new.hold / row.charge.amount for row in rows if row.charge and row.charge.amount]
    median = statistics.median(ratios)
    assert (refused, held) == (0, 0)
    assert median <= 1.5
    record(
        f"{calls} calls with cancels and errors under a wide cap: refused, left held, median hold ÷ charge",
        f"{refused}, ${held}, {median:.2f}",
        "0, $0, ≤ 1.5",
        met=calls >= 30_000 and (refused, held) == (0, 0) and median <= 1.5,
    )

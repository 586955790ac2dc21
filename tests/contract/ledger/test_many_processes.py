"""Several processes in one home: nobody is told "busy", and a kill leaves the books right."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from keeprate.database.engine import Database, open_database
from keeprate.database.schema import attempts
from keeprate.domain.attempts import Attempt
from keeprate.domain.budgets import Window
from keeprate.domain.errors import BudgetExceeded
from keeprate.ledger.ledger import SqlLedger, open_ledger
from keeprate.safety.failpoints import FAILPOINTS
from tests.contract.ledger.hammer import recover
from tests.ledger_ground import CENT, NOON, SCOPE, budget, new_attempt
from tests.trust_counts import count, full, record

pytestmark = [pytest.mark.anyio, pytest.mark.trust, pytest.mark.timeout(3600)]

ROOT = Path(__file__).resolve().parents[3]
PROCESSES = 4
SECONDS = count("database_seconds", 4, 600)
TRIALS = count("budget_trials", 2, 200)
KILLS = count("ledger_kills", 4, 200)
CAP = 50_000 * CENT
# Places the hammer passes; each is a kill in the middle of the writer's work.
PLACES = sorted(
    name
    for name in FAILPOINTS
    if name.startswith("ledger.") and not name.startswith(("ledger.budget", "ledger.judge", "ledger.adopt"))
)
QUICK_PLACES = ("ledger.writer.before_commit", "ledger.sent.after_commit", "ledger.settle.before_commit")


@contextmanager
def hammering(url: str, home: Path, *more: str, seconds: float = 60) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.contract.ledger.hammer", url, str(home), str(seconds), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@contextmanager
def opened(url: str, home: Path) -> Iterator[tuple[Database, SqlLedger]]:
    database = open_database(url)
    ledger = open_ledger(database, home=home)
    try:
        yield database, ledger
    finally:
        ledger.close()
        database.close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'keeprate.sqlite3'}"


def integrity(database: Database) -> str:
    with database.read() as connection:
        return str(connection.exec_driver_sql("PRAGMA integrity_check").scalar())


async def check_books(database: Database, ledger: SqlLedger) -> None:
    assert integrity(database) == "ok"
    assert await ledger.audit(SCOPE) == []
    for standing in await ledger.standings(SCOPE, simulated=False, at=NOON):
        assert standing.spent + standing.held <= standing.budget.limit


async def check_recovery(database: Database, ledger: SqlLedger) -> None:
    """Everything a dead process left is freed or unknown, and only the unknowns hold money."""
    await recover(ledger)
    assert await ledger.orphans() == []
    still = select(attempts.c.state, func.sum(attempts.c.held)).group_by(attempts.c.state)
    with database.read() as connection:
        held = {row[0]: int(row[1]) for row in connection.execute(still)}
    assert {state for state, amount in held.items() if amount} <= {"unknown"}
    await check_books(database, ledger)


async def test_four_processes_share_a_home_without_a_busy_error(url: str, tmp_path: Path) -> None:
    with (
        hammering(url, tmp_path, seconds=SECONDS) as one,
        hammering(url, tmp_path, seconds=SECONDS) as two,
        hammering(url, tmp_path, seconds=SECONDS) as three,
        hammering(url, tmp_path, seconds=SECONDS) as four,
    ):
        # All four start on an empty home, so they also race to make its tables.
        seen = [json.loads(process.communicate()[0].splitlines()[-1]) for process in (one, two, three, four)]
    errors = [word for one_seen in seen for word in one_seen if word.startswith("error")]
    assert errors == []
    assert all(one_seen["bought"] > 0 for one_seen in seen)
    with opened(url, tmp_path) as (database, ledger):
        await ledger.set_budget(SCOPE, budget(10**9 * CENT, Window.TOTAL), NOON)
        await check_books(database, ledger)
    record(
        f"four processes, one SQLite home, {SECONDS} s: errors that reached a caller, integrity_check",
        f"{len(errors)}, ok, {sum(one_seen['bought'] for one_seen in seen)} bought",
        "0, ok, 600 s",
        met=SECONDS >= 600 and not errors,
    )


async def test_a_kill_at_any_moment_leaves_the_books_right(url: str, tmp_path: Path) -> None:
    draw = random.Random(12)
    with opened(url, tmp_path) as (_, ledger):
        await ledger.set_budget(SCOPE, budget(CAP * 1000, Window.TOTAL), NOON)
    for _ in range(KILLS):
        with hammering(url, tmp_path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            await asyncio.sleep(draw.uniform(0.05, 0.5))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        with opened(url, tmp_path) as (database, ledger):
            await check_books(database, ledger)
            await check_recovery(database, ledger)
    record("ledger: kill -9 in mid-write, broken books", 0, "0 of 200", met=KILLS >= 200)


@pytest.mark.parametrize("place", PLACES if full() else QUICK_PLACES)
async def test_a_kill_at_each_named_place_leaves_the_books_right(
    url: str, tmp_path: Path, place: str
) -> None:
    with hammering(url, tmp_path, f"{place}:kill:20" if "owner" not in place else f"{place}:kill") as process:
        assert process.wait() == -signal.SIGKILL
    with opened(url, tmp_path) as (database, ledger):
        await check_books(database, ledger)
        await check_recovery(database, ledger)


async def test_a_cap_holds_over_four_processes(url: str, tmp_path: Path) -> None:
    with opened(url, tmp_path) as (_, ledger):
        await ledger.set_budget(SCOPE, budget(300 * CENT, Window.TOTAL), NOON)
    processes = [hammering(url, tmp_path, seconds=1.5) for _ in range(PROCESSES)]
    with processes[0] as one, processes[1] as two, processes[2] as three, processes[3] as four:
        seen = [json.loads(process.communicate()[0].splitlines()[-1]) for process in (one, two, three, four)]
    assert sum(one_seen.get("refused", 0) for one_seen in seen) > 0
    assert [word for one_seen in seen for word in one_seen if word.startswith("error")] == []
    with opened(url, tmp_path) as (database, ledger):
        await check_books(database, ledger)
        (standing,) = await ledger.standings(SCOPE, simulated=False, at=NOON)
        assert standing.held == 0
        # The smallest hold is two cents: had more been left, it would have been taken.
        assert standing.remaining < 24 * CENT


async def test_processes_share_a_postgres_without_a_lost_race(postgres_url: str, tmp_path: Path) -> None:
    with opened(postgres_url, tmp_path) as (_, ledger):
        await ledger.set_budget(SCOPE, budget(300 * CENT, Window.TOTAL), NOON)
    with (
        hammering(postgres_url, tmp_path, seconds=2) as one,
        hammering(postgres_url, tmp_path, seconds=2) as two,
        hammering(postgres_url, tmp_path, seconds=2) as three,
    ):
        seen = [json.loads(process.communicate()[0].splitlines()[-1]) for process in (one, two, three)]
    assert [word for one_seen in seen for word in one_seen if word.startswith("error")] == []
    assert sum(one_seen.get("refused", 0) for one_seen in seen) > 0
    with opened(postgres_url, tmp_path) as (_, ledger):
        assert await ledger.audit(SCOPE) == []
        (standing,) = await ledger.standings(SCOPE, simulated=False, at=NOON)
        assert (standing.held, standing.remaining < 24 * CENT) == (0, True)


async def test_a_dollar_is_a_dollar_whoever_asks_first(tmp_path: Path) -> None:
    """500 mixed holds at once from four writers on a $1 cap; what was let through is added up here."""
    draw, over, unused = random.Random(1), 0, 0
    for trial in range(TRIALS):
        home = tmp_path / str(trial)
        holds = [draw.randrange(2, 25) * CENT for _ in range(500)]
        writers = [opened(f"sqlite:///{home / 'k.sqlite3'}", home) for _ in range(4)]
        with writers[0] as one, writers[1] as two, writers[2] as three, writers[3] as four:
            ledgers = [ledger for _, ledger in (one, two, three, four)]
            await ledgers[0].set_budget(SCOPE, budget(100 * CENT, key="app"), NOON)
            asked = [
                ledgers[number % 4].intend(
                    new_attempt(f"i{number}", owner=ledgers[number % 4].owner, hold=hold, api_key="app")
                )
                for number, hold in enumerate(holds)
            ]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert {type(answer) for answer in answers} <= {Attempt, BudgetExceeded}
            taken = sum(
                hold for hold, answer in zip(holds, answers, strict=True) if isinstance(answer, Attempt)
            )
            refused = [
                hold for hold, answer in zip(holds, answers, strict=True) if not isinstance(answer, Attempt)
            ]
            over += taken > 100 * CENT
            unused += taken + min(refused) <= 100 * CENT
    assert (over, unused) == (0, 0)
    record(
        "a $1 cap, 500 holds at once, four writers: trials over the cap, refusals of what fitted",
        f"{over}, {unused} of {TRIALS}",
        "0, 0 of 200",
        met=TRIALS >= 200,
    )

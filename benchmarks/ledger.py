"""How many attempts a second the ledger takes: `python benchmarks/ledger.py` prints one table.

An attempt is three durable commits as its caller sees it: intend (the row and its hold, two caps
checked), sent, settle. 64 callers do one after the other, each waiting for its own commit; the ledger
lets those who wait together share a flush. Nothing is loosened: SQLite flushes its log at each commit
(synchronous=FULL), PostgreSQL runs with fsync, synchronous_commit and full_page_writes on.

The line "4 processes" has as many processes share one workspace and one key: all take turns at one book.

Beside it, in the same run: the same three rows with a bare driver and a commit for each, one caller, no
caps; and how often a second this disk flushes one 4 KiB page. They are there to divide by.
"""

import argparse
import asyncio
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import insert

from keeprate.database.drivers import sqlite_driver
from keeprate.database.engine import Database, open_database
from keeprate.database.schema import attempt_texts, attempts
from keeprate.domain.budgets import Window
from keeprate.ledger.books import Line
from keeprate.ledger.fold import intended
from keeprate.ledger.ledger import SqlLedger, open_ledger
from keeprate.ledger.rows import attempt_row, text_row
from tests.ledger_ground import CENT, NOON, SCOPE, budget, new_attempt, settlement
from tests.postgres_server import running_postgres

TARGETS = {"SQLite": 1_000, "PostgreSQL": 2_000}
# As long as real ones are: a prompt, a request, a decision with its reasons.
PROCESSES = 4
LONG = {"prompt": "a red boat " * 20, "request_json": "x" * 500, "decision_json": "y" * 2500}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One line of the table; `waits_ms` are the callers' waits for single commits."""

    name: str
    per_second: float
    waits_ms: tuple[float, ...] = ()

    def __str__(self) -> str:
        if len(self.waits_ms) < 2:
            return f"{self.name:52}{self.per_second:12,.0f}"
        cuts = statistics.quantiles(self.waits_ms, n=100)
        middle = statistics.median(self.waits_ms)
        return f"{self.name:52}{self.per_second:12,.0f}{middle:10.2f}{cuts[98]:10.2f}"


async def set_caps(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(10**9 * CENT), NOON)
    await ledger.set_budget(SCOPE, budget(10**9 * CENT, Window.MONTH, key="app", id="app"), NOON)


async def ledger_rate(ledger: SqlLedger, *, callers: int, seconds: float) -> tuple[float, list[float]]:
    """Return attempts a second and each wait for a commit, in milliseconds."""
    numbers, waits = itertools.count(), list[float]()
    ends = perf_counter() + seconds

    async def caller() -> int:
        done = 0
        while perf_counter() < ends:
            new = new_attempt(
                f"{ledger.owner}-{callers}-{next(numbers)}", owner=ledger.owner, api_key="app", **LONG
            )
            for step in (
                lambda new=new: ledger.intend(new),
                lambda new=new: ledger.sent(new.id, NOON),
                lambda new=new: ledger.settle(new.id, settlement(7 * CENT)),
            ):
                started = perf_counter()
                await step()
                waits.append((perf_counter() - started) * 1000)
            done += 1
        return done

    started = perf_counter()
    done = sum(await asyncio.gather(*(caller() for _ in range(callers))))
    return done / (perf_counter() - started), waits


async def check_books(ledger: SqlLedger) -> None:
    contradictions = await ledger.audit(SCOPE)
    if contradictions:
        message = f"the books are wrong: {contradictions[:3]}"
        raise RuntimeError(message)


def measured_ledger(database: Database, home: Path, *, name: str, callers: int, seconds: float) -> Measured:
    async def measured() -> tuple[float, list[float]]:
        await set_caps(ledger)
        found = await ledger_rate(ledger, callers=callers, seconds=seconds)
        await check_books(ledger)
        return found

    ledger = open_ledger(database, home=home)
    try:
        rate, waits = asyncio.run(measured())
    finally:
        ledger.close()
    return Measured(name=name, per_second=rate, waits_ms=tuple(waits))


def measured_processes(url: str, home: Path, *, name: str, callers: int, seconds: float) -> Measured:
    """Measure several processes at one book; each says `open`, and all begin together."""
    command = [sys.executable, __file__, "--worker", url, "--folder", str(home)]
    command += ["--callers", str(callers), "--seconds", str(seconds)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(PROCESSES)]
    for process in processes:
        process.stdout.readline()
    outputs = []
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        outputs.append(json.loads(process.communicate()[0]))
    with opened(url) as database:
        ledger = open_ledger(database, home=home)
        asyncio.run(check_books(ledger))
        ledger.close()
    waits = tuple(wait for output in outputs for wait in output["waits"])
    return Measured(name=name, per_second=sum(output["rate"] for output in outputs), waits_ms=waits)


def work(url: str, home: Path, *, callers: int, seconds: float) -> int:
    """Be one of several processes."""
    with opened(url) as database:
        ledger = open_ledger(database, home=home)
        asyncio.run(set_caps(ledger))
        print("open", flush=True)
        sys.stdin.readline()
        rate, waits = asyncio.run(ledger_rate(ledger, callers=callers, seconds=seconds))
        ledger.close()
    print(json.dumps({"rate": rate, "waits": [round(wait, 2) for wait in waits]}))
    return 0


def measured_bare(database: Database, *, name: str, seconds: float) -> Measured:
    """Measure three commits an attempt, a row each, on the raw driver: what a simple program would do."""
    insert_row, insert_texts = (
        _compiled(database, insert(attempts)),
        _compiled(database, insert(attempt_texts)),
    )
    mark = "?" if database.is_sqlite else "%s"
    sent = f"UPDATE attempts SET state = 'sent', sent_us = {mark} WHERE id = {mark}"
    closing = "state = 'image', charge = 7, settled_us = 7, held = 0"
    settle = f"UPDATE attempts SET {closing}, image_sha256s = {mark} WHERE id = {mark}"
    raw = database._writing.raw_connection()
    cursor = raw.cursor()
    begin = (lambda: cursor.execute("BEGIN IMMEDIATE")) if database.is_sqlite else (lambda: None)
    done, started = 0, perf_counter()
    while perf_counter() - started < seconds:
        line = Line(attempt=intended(new_attempt(f"bare{done}", **LONG)), booked_us=1)
        begin()
        cursor.execute(insert_row, _values(database, attempts, attempt_row(line)))
        cursor.execute(insert_texts, _values(database, attempt_texts, text_row(line)))
        raw.commit()
        for statement in (sent, settle):
            begin()
            cursor.execute(statement, ("1", line.attempt.id) if statement is settle else (1, line.attempt.id))
            raw.commit()
        done += 1
    rate = done / (perf_counter() - started)
    raw.close()
    return Measured(name=name, per_second=rate)


def _compiled(database: Database, statement: object) -> str:
    return str(statement.compile(dialect=database._writing.dialect))


def _values(database: Database, table: object, row: dict[str, object]) -> object:
    return tuple(row[column.name] for column in table.columns) if database.is_sqlite else row


def measured_flushes(folder: Path, *, seconds: float) -> Measured:
    page, done = b"x" * 4096, 0
    handle = os.open(folder / "page", os.O_RDWR | os.O_CREAT, 0o600)
    started = perf_counter()
    while perf_counter() - started < seconds:
        os.pwrite(handle, page, 0)
        os.fsync(handle)
        done += 1
    rate = done / (perf_counter() - started)
    os.close(handle)
    return Measured(name="this disk: 4 KiB written and flushed", per_second=rate)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


def on_sqlite(folder: Path, *, callers: int, seconds: float) -> Iterator[Measured]:
    with opened(f"sqlite:///{folder / 'ledger.sqlite3'}") as database:
        yield measured_ledger(
            database, folder, name=f"SQLite, ledger, {callers} callers", callers=callers, seconds=seconds
        )
        yield measured_ledger(
            database, folder, name="SQLite, ledger, 1 caller", callers=1, seconds=seconds / 2
        )
    yield measured_processes(
        f"sqlite:///{folder / 'shared.sqlite3'}",
        folder,
        name=f"SQLite, ledger, {PROCESSES} processes × {callers // PROCESSES} callers",
        callers=callers // PROCESSES,
        seconds=seconds,
    )
    with opened(f"sqlite:///{folder / 'bare.sqlite3'}") as database:
        yield measured_bare(database, name="SQLite, bare driver, a commit per row", seconds=seconds / 2)


def on_postgres(folder: Path, *, callers: int, seconds: float) -> Iterator[Measured]:
    with running_postgres(durable=True) as server:
        with opened(server.create("ledger")) as database:
            yield measured_ledger(
                database,
                folder,
                name=f"PostgreSQL, ledger, {callers} callers",
                callers=callers,
                seconds=seconds,
            )
            yield measured_ledger(
                database, folder, name="PostgreSQL, ledger, 1 caller", callers=1, seconds=seconds / 2
            )
        yield measured_processes(
            server.create("shared"),
            folder,
            name=f"PostgreSQL, ledger, {PROCESSES} processes × {callers // PROCESSES} callers",
            callers=callers // PROCESSES,
            seconds=seconds,
        )
        with opened(server.create("bare")) as database:
            yield measured_bare(
                database, name="PostgreSQL, bare driver, a commit per row", seconds=seconds / 2
            )


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=6.0, help="how long each line is measured")
    arguments.add_argument("--callers", type=int, default=64)
    arguments.add_argument("--folder", type=Path, help="where the files lie (default: the temporary folder)")
    arguments.add_argument("--record", type=Path, help="append the figures as JSON lines to this file")
    arguments.add_argument("--worker", metavar="URL", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.worker:
        return work(asked.worker, asked.folder, callers=asked.callers, seconds=asked.seconds)

    driver = sqlite_driver()
    version = ".".join(map(str, driver.version))
    print(
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores; SQLite {version}, {driver.journal_mode}"
    )
    print(f"\n{'':52}{'a second':>12}{'p50 ms':>10}{'p99 ms':>10}")
    lines: list[Measured] = []
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        how = {"callers": asked.callers, "seconds": asked.seconds}
        for line in itertools.chain(
            [measured_flushes(folder, seconds=1.0)], on_sqlite(folder, **how), on_postgres(folder, **how)
        ):
            print(line, flush=True)
            lines.append(line)
    met = True
    for backend, target in TARGETS.items():
        line = next(line for line in lines if line.name == f"{backend}, ledger, {asked.callers} callers")
        fits = line.per_second >= target
        met = met and fits
        print(f"\n{backend}: target {target:,} attempts a second {'met' if fits else 'MISSED'}", end="")
        if asked.record:
            row = {
                "figure": f"ledger attempts a second, {asked.callers} callers, {backend}",
                "value": round(line.per_second),
                "target": f">= {target}",
                "met": fits,
            }
            with asked.record.open("a", encoding="utf-8") as rows:
                rows.write(json.dumps(row) + "\n")
    print()
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

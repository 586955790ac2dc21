"""Reads the part of the ledger a batch touches and writes what it changed: few statements, many rows."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, Executable, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from keeprate.database.schema import (
    attempt_images,
    attempt_texts,
    attempts,
    books,
    brakes,
    budget_windows,
    budgets,
    entries,
)
from keeprate.domain.budgets import Budget, Window
from keeprate.domain.money import NanoUSD
from keeprate.ledger.books import (
    BookId,
    Books,
    Brake,
    Changes,
    EntryKind,
    Line,
    Sums,
    WindowId,
    windows_touched,
)
from keeprate.ledger.commands import Command, Intend
from keeprate.ledger.moments import window_end
from keeprate.ledger.rows import (
    CHANGING,
    AnyRow,
    Cells,
    attempt_row,
    changing_cells,
    entry_row,
    image_rows,
    line_of,
    text_row,
)

ATTEMPTS = select(
    attempts, attempt_texts.c.prompt, attempt_texts.c.request_json, attempt_texts.c.decision_json
).outerjoin(attempt_texts, attempts.c.id == attempt_texts.c.attempt_id)


def load(connection: Connection, commands: Sequence[Command]) -> Books:
    """Return what `commands` touch, with their workspaces' books locked until the transaction ends."""
    ids = {command.attempt_id for command in commands}
    workspaces = {one.new.key.workspace for one in commands if isinstance(one, Intend)}
    if connection.dialect.name == "postgresql":
        # Whose rows they are never changes, so it may be read before the lock that needs it.
        whose = select(attempts.c.workspace_id).where(attempts.c.id.in_(ids)).distinct()
        workspaces |= set(connection.scalars(whose))
        latest_us = locked_books(connection, workspaces)
        lines = _lines(connection, ids)
    else:
        lines = _lines(connection, ids)
        workspaces |= {line.book.workspace for line in lines.values()}
        latest_us = locked_books(connection, workspaces)
    caps = budgets_of(connection, workspaces)
    touched = windows_touched(commands, lines, budgets=caps, latest_us=latest_us)
    return Books(
        lines=lines,
        budgets=caps,
        windows=sums_of(connection, touched, caps),
        latest_us=latest_us,
        brakes=brakes_on(connection, workspaces),
    )


def locked_books(connection: Connection, workspaces: Iterable[str]) -> dict[BookId, int]:
    """Return each book's latest moment, having taken the turn to write in these workspaces.

    One order of locking for all, so that no two writers wait for each other.
    """
    wanted = sorted(workspaces)
    asked = (
        select(books)
        .where(books.c.workspace_id.in_(wanted))
        .order_by(books.c.workspace_id, books.c.simulated)
        .with_for_update()
    )
    found = _latest(connection.execute(asked))
    both = [BookId(workspace, simulated) for workspace in wanted for simulated in (False, True)]
    new = [book for book in both if book not in found]
    if not new:
        return found
    rows = [{"workspace_id": book.workspace, "simulated": book.simulated, "latest_us": 0} for book in new]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(books).on_conflict_do_nothing(), rows)
    return _latest(connection.execute(asked))


def latest_of(connection: Connection, workspaces: Iterable[str]) -> dict[BookId, int]:
    """Return each book's latest moment, without taking a turn."""
    return _latest(connection.execute(select(books).where(books.c.workspace_id.in_(workspaces))))


def _latest(rows: Iterable[AnyRow]) -> dict[BookId, int]:
    return {BookId(row.workspace_id, row.simulated): row.latest_us for row in rows}


def _lines(connection: Connection, ids: Iterable[str]) -> dict[str, Line]:
    rows = connection.execute(ATTEMPTS.where(attempts.c.id.in_(ids)))
    return {row.id: line_of(row) for row in rows}


def budgets_of(connection: Connection, workspaces: Iterable[str]) -> dict[BookId, list[Budget]]:
    """Return the caps of each book, the workspace's before its keys'."""
    asked = (
        select(budgets)
        .where(budgets.c.workspace_id.in_(workspaces))
        .order_by(budgets.c.api_key.is_not(None), budgets.c.set_us, budgets.c.id)
    )
    found: dict[BookId, list[Budget]] = {}
    for row in connection.execute(asked):
        budget = Budget(
            id=row.id,
            workspace=row.workspace_id,
            key=row.api_key,
            window=Window(row.span),
            limit=NanoUSD(row.cap),
            simulated=row.simulated,
        )
        found.setdefault(BookId(row.workspace_id, row.simulated), []).append(budget)
    return found


def brakes_on(connection: Connection, workspaces: Iterable[str]) -> dict[BookId, Brake]:
    """Return the brake that is on in each book, if one is."""
    asked = select(brakes).where(brakes.c.workspace_id.in_(workspaces), brakes.c.released_us.is_(None))
    found: dict[BookId, Brake] = {}
    for row in connection.execute(asked):
        book = BookId(row.workspace_id, row.simulated)
        found[book] = Brake(
            id=row.id, book=book, reason=row.reason, attempt_id=row.attempt_id, raised_us=row.raised_us
        )
    return found


def sums_of(
    connection: Connection, wanted: Iterable[WindowId], caps: dict[BookId, list[Budget]]
) -> dict[WindowId, Sums]:
    """Return what each window counts; one without a counter is summed from the entries."""
    wanted = set(wanted)
    if not wanted:
        return {}
    asked = select(budget_windows).where(
        budget_windows.c.workspace_id.in_({window.workspace for window in wanted}),
        budget_windows.c.budget_id.in_({window.budget_id for window in wanted}),
        budget_windows.c.starts_us.in_({window.starts_us for window in wanted}),
    )
    found = {
        WindowId(row.workspace_id, row.budget_id, row.starts_us): Sums(
            spent=NanoUSD(row.spent), held=NanoUSD(row.held)
        )
        for row in connection.execute(asked)
    }
    by_id = {(budget.workspace, budget.id): budget for some in caps.values() for budget in some}
    for window in wanted - found.keys():
        budget = by_id[window.workspace, window.budget_id]
        found[window] = summed(connection, budget, window.starts_us)
    return found


def summed(connection: Connection, budget: Budget, starts_us: int) -> Sums:
    """Return what the entries themselves say of a window: the truth its counter must equal."""
    asked = select(
        func.coalesce(func.sum(entries.c.spent), 0), func.coalesce(func.sum(entries.c.held), 0)
    ).where(
        entries.c.workspace_id == budget.workspace,
        entries.c.simulated == budget.simulated,
        entries.c.booked_us >= starts_us,
        entries.c.booked_us < window_end(budget.window, starts_us),
    )
    if budget.key is not None:
        asked = asked.where(entries.c.api_key == budget.key)
    spent, held = connection.execute(asked).one()
    return Sums(spent=NanoUSD(int(spent)), held=NanoUSD(int(held)))


def save(connection: Connection, changes: Changes) -> None:
    """Write what a batch changed."""
    created, changed = changes.created.values(), changes.changed.values()
    closed = [entry.line.attempt.id for entry in changes.entries if entry.kind is EntryKind.CLOSE]
    ended = [changes.changed.get(one) or changes.created[one] for one in closed]
    _write(connection, insert(attempts), [attempt_row(line) for line in created])
    _write(connection, insert(attempt_texts), [text_row(line) for line in created])
    _write(connection, CHANGE, [_change(line) for line in changed])
    _write(connection, insert(entries), [entry_row(entry) for entry in changes.entries])
    _write(connection, insert(attempt_images), [row for line in ended for row in image_rows(line)])
    _write(connection, _upsert(connection), [_window_row(*one) for one in changes.windows.items()])
    _write(connection, ADVANCE, [_latest_row(*one) for one in changes.latest_us.items()])
    _write(connection, insert(brakes), [_brake_row(brake) for brake in changes.brakes.values()])


def _write(connection: Connection, statement: Executable, rows: list[Cells]) -> None:
    if rows:
        connection.execute(statement, rows)


CHANGE: Final = (
    update(attempts)
    .where(attempts.c.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in CHANGING})
)
ADVANCE: Final = (
    update(books)
    .where(
        books.c.workspace_id == bindparam("of_workspace"),
        books.c.simulated == bindparam("of_simulated"),
    )
    .values(latest_us=bindparam("latest_us"))
)


def _upsert(connection: Connection) -> Executable:
    return POSTGRES_UPSERT if connection.dialect.name == "postgresql" else SQLITE_UPSERT


_sqlite_insert = sqlite.insert(budget_windows)
SQLITE_UPSERT: Final = _sqlite_insert.on_conflict_do_update(
    index_elements=list(budget_windows.primary_key.columns),
    set_={"spent": _sqlite_insert.excluded.spent, "held": _sqlite_insert.excluded.held},
)
_postgres_insert = postgresql.insert(budget_windows)
POSTGRES_UPSERT: Final = _postgres_insert.on_conflict_do_update(
    index_elements=list(budget_windows.primary_key.columns),
    set_={"spent": _postgres_insert.excluded.spent, "held": _postgres_insert.excluded.held},
)


def _change(line: Line) -> Cells:
    return {"of_id": line.attempt.id, **changing_cells(line.attempt)}


def _window_row(window: WindowId, sums: Sums) -> Cells:
    return {
        "workspace_id": window.workspace,
        "budget_id": window.budget_id,
        "starts_us": window.starts_us,
        "spent": sums.spent,
        "held": sums.held,
    }


def _latest_row(book: BookId, latest_us: int) -> Cells:
    return {"of_workspace": book.workspace, "of_simulated": book.simulated, "latest_us": latest_us}


def _brake_row(brake: Brake) -> Cells:
    return {
        "workspace_id": brake.book.workspace,
        "id": brake.id,
        "simulated": brake.book.simulated,
        "reason": brake.reason,
        "attempt_id": brake.attempt_id,
        "raised_us": brake.raised_us,
        "released_us": None,
        "released_by": None,
    }

"""Reads the part of the ledger a batch touches, in few statements, with the turn to write taken."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Text, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from keeprate.database.schema import attempt_texts, attempts, books, brakes, budget_windows, budgets, entries
from keeprate.domain.budgets import Budget, Window
from keeprate.domain.money import NanoUSD
from keeprate.ledger.books import BookId, Books, Brake, EntryKind, Line, Sums, WindowId, windows_touched
from keeprate.ledger.commands import Command, Intend, Reconcile
from keeprate.ledger.memory import Memory
from keeprate.ledger.moments import window_end
from keeprate.ledger.rows import AnyRow, line_of

ATTEMPTS: Final = select(
    attempts, attempt_texts.c.prompt, attempt_texts.c.request_json, attempt_texts.c.decision_json
).outerjoin(attempt_texts, attempts.c.id == attempt_texts.c.attempt_id)


class BookRow(NamedTuple):
    """The latest moment of a book, and how often it changed."""

    latest_us: int
    change_no: int


NEVER_USED: Final = BookRow(0, 0)

# Statements are built once: building costs more than the database does with them.
_IDS: Final = attempts.c.id.in_(bindparam("ids", expanding=True))
_BY_ID: Final = ATTEMPTS.where(_IDS)
_WHERE_THEY_STAND: Final = select(
    attempts.c.id, attempts.c.workspace_id, attempts.c.state, attempts.c.owner
).where(_IDS)
_WHOSE: Final = select(attempts.c.workspace_id).where(_IDS).distinct()
_WORKSPACES: Final = bindparam("workspaces", type_=Text, expanding=True)
_BOOKS: Final = select(books).where(books.c.workspace_id.in_(_WORKSPACES))
_LOCKED_BOOKS: Final = _BOOKS.order_by(books.c.workspace_id, books.c.simulated).with_for_update()
_BUDGETS: Final = (
    select(budgets)
    .where(budgets.c.workspace_id.in_(_WORKSPACES))
    .order_by(budgets.c.api_key.is_not(None), budgets.c.set_us, budgets.c.id)
)
_BRAKES: Final = select(brakes).where(brakes.c.workspace_id.in_(_WORKSPACES), brakes.c.released_us.is_(None))
_WINDOWS: Final = select(budget_windows).where(
    budget_windows.c.workspace_id.in_(_WORKSPACES),
    budget_windows.c.budget_id.in_(bindparam("budgets", expanding=True)),
    budget_windows.c.starts_us.in_(bindparam("starts", expanding=True)),
)


_CORRECTIONS: Final = (
    select(entries.c.attempt_id, func.count().label("corrections"))
    .where(
        entries.c.attempt_id.in_(bindparam("ids", expanding=True)), entries.c.kind == EntryKind.CORRECT.value
    )
    .group_by(entries.c.attempt_id)
)


def load(connection: Connection, commands: Sequence[Command], memory: Memory) -> Books:
    """Return what `commands` touch, with their workspaces' books locked until the transaction ends."""
    ids = {command.attempt_id for command in commands}
    workspaces = {one.new.key.workspace for one in commands if isinstance(one, Intend)}
    if connection.dialect.name == "postgresql":
        strangers = ids - {one.new.id for one in commands if isinstance(one, Intend)}
        for line in memory.lines_of(ids):
            workspaces.add(line.book.workspace)
            strangers.discard(line.attempt.id)
        if strangers:
            # Whose rows they are never changes, so it may be read before the lock that needs it.
            workspaces |= set(connection.scalars(_WHOSE, {"ids": _padded(strangers)}))
        rows = locked_books(connection, workspaces)
        lines = _lines(connection, ids, memory)
    else:
        lines = _lines(connection, ids, memory)
        workspaces |= {line.book.workspace for line in lines.values()}
        rows = locked_books(connection, workspaces)
    return _books(connection, rows, commands, lines=lines, memory=memory)


def _books(
    connection: Connection,
    rows: Mapping[BookId, BookRow],
    commands: Sequence[Command],
    *,
    lines: Mapping[str, Line],
    memory: Memory,
) -> Books:
    remembered = {book: one for book in rows if (one := memory.book(book, rows[book].change_no))}
    stale = {book.workspace for book in rows.keys() - remembered.keys()}
    caps: dict[BookId, Sequence[Budget]] = {book: one.budgets for book, one in remembered.items()}
    brakes = {book: one.brake for book, one in remembered.items() if one.brake}
    if stale:
        caps |= budgets_of(connection, stale)
        brakes |= brakes_on(connection, stale)
    latest_us = {book: row.latest_us for book, row in rows.items()}
    windows = {window: sums for one in remembered.values() for window, sums in one.windows.items()}
    touched = windows_touched(commands, lines, budgets=caps, latest_us=latest_us)
    return Books(
        lines=lines,
        budgets=caps,
        windows=windows | sums_of(connection, touched - windows.keys(), caps),
        latest_us=latest_us,
        brakes=brakes,
        change_no={book: row.change_no for book, row in rows.items()},
        corrections=_corrections(connection, commands),
    )


def _corrections(connection: Connection, commands: Sequence[Command]) -> dict[str, int]:
    ids = {command.attempt_id for command in commands if isinstance(command, Reconcile)}
    if not ids:
        return {}
    return {
        row.attempt_id: row.corrections for row in connection.execute(_CORRECTIONS, {"ids": _padded(ids)})
    }


def _lines(connection: Connection, ids: Iterable[str], memory: Memory) -> dict[str, Line]:
    where = connection.execute(_WHERE_THEY_STAND, {"ids": _padded(ids)}).all()
    lines = memory.lines_as_they_stand(where)
    missing = [row.id for row in where if row.id not in lines]
    if missing:
        lines |= {row.id: line_of(row) for row in connection.execute(_BY_ID, {"ids": _padded(missing)})}
    return lines


def _padded(ids: Iterable[str]) -> list[str]:
    # The last one again, up to a power of two: few texts of the statement, so each is soon a prepared one.
    asked = list(ids)
    return asked + asked[-1:] * ((1 << (len(asked) - 1).bit_length()) - len(asked))


def locked_books(connection: Connection, workspaces: Iterable[str]) -> dict[BookId, BookRow]:
    """Return the rows of these books, having taken the turn to write in their workspaces.

    One order of locking for all, so that no two writers wait for each other.
    """
    wanted = sorted(workspaces)
    found = _rows(connection.execute(_LOCKED_BOOKS, {"workspaces": wanted}))
    both = [BookId(workspace, simulated) for workspace in wanted for simulated in (False, True)]
    new = [book for book in both if book not in found]
    if not new:
        return found
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(
        dialect.insert(books).on_conflict_do_nothing(),
        [
            {"workspace_id": book.workspace, "simulated": book.simulated, "latest_us": 0, "change_no": 0}
            for book in new
        ],
    )
    return _rows(connection.execute(_LOCKED_BOOKS, {"workspaces": wanted}))


def changed_books(connection: Connection, workspace: str) -> None:
    """Take the turn to write in `workspace`, and tell all writers to look again at caps and brakes."""
    locked_books(connection, {workspace})
    risen = {"change_no": books.c.change_no + 1}
    connection.execute(update(books).where(books.c.workspace_id == workspace).values(risen))


def book_rows(connection: Connection, workspaces: Iterable[str]) -> dict[BookId, BookRow]:
    """Return the rows of these books, without taking a turn."""
    return _rows(connection.execute(_BOOKS, {"workspaces": list(workspaces)}))


def _rows(rows: Iterable[AnyRow]) -> dict[BookId, BookRow]:
    return {BookId(row.workspace_id, row.simulated): BookRow(row.latest_us, row.change_no) for row in rows}


def budgets_of(connection: Connection, workspaces: Iterable[str]) -> dict[BookId, list[Budget]]:
    """Return the caps of each book, the workspace's before its keys'."""
    found: dict[BookId, list[Budget]] = {}
    for row in connection.execute(_BUDGETS, {"workspaces": list(workspaces)}):
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
    found: dict[BookId, Brake] = {}
    for row in connection.execute(_BRAKES, {"workspaces": list(workspaces)}):
        book = BookId(row.workspace_id, row.simulated)
        found[book] = Brake(
            id=row.id, book=book, reason=row.reason, attempt_id=row.attempt_id, raised_us=row.raised_us
        )
    return found


def sums_of(
    connection: Connection, wanted: Iterable[WindowId], caps: Mapping[BookId, Sequence[Budget]]
) -> dict[WindowId, Sums]:
    """Return what each window counts; one without a counter is summed from the entries."""
    asked = set(wanted)
    if not asked:
        return {}
    rows = connection.execute(
        _WINDOWS,
        {
            "workspaces": list({window.workspace for window in asked}),
            "budgets": list({window.budget_id for window in asked}),
            "starts": list({window.starts_us for window in asked}),
        },
    )
    found = {
        WindowId(row.workspace_id, row.budget_id, row.starts_us): Sums(
            spent=NanoUSD(row.spent), held=NanoUSD(row.held)
        )
        for row in rows
    }
    by_id = {(budget.workspace, budget.id): budget for some in caps.values() for budget in some}
    for window in asked - found.keys():
        found[window] = summed(connection, by_id[window.workspace, window.budget_id], window.starts_us)
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
        its_users = entries.c.api_key.startswith(f"{budget.key}/", autoescape=True)
        asked = asked.where((entries.c.api_key == budget.key) | its_users)
    spent, held = connection.execute(asked).one()
    return Sums(spent=NanoUSD(int(spent)), held=NanoUSD(int(held)))

"""Writes what a batch changed: a statement per table, however many rows.

SQLite takes many rows fastest as one prepared statement run again and again; PostgreSQL takes them as one
JSON text unpacked on its side, which saves a message per row.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.json import encode
from sqlalchemy import (
    Connection,
    Table,
    TableValuedAlias,
    Text,
    UpdateBase,
    bindparam,
    column,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite

from keeprate.database.schema import (
    attempt_images,
    attempt_texts,
    attempts,
    books,
    brakes,
    budget_windows,
    entries,
)
from keeprate.ledger.books import BookId, Books, Brake, Changes, EntryKind, Line, Sums, WindowId
from keeprate.ledger.rows import (
    CHANGING,
    Cells,
    attempt_row,
    changing_cells,
    entry_row,
    image_rows,
    text_row,
)


class _Write:
    """The same rows, as each database takes them best; both texts are compiled once."""

    def __init__(self, row_by_row: UpdateBase, all_at_once: UpdateBase) -> None:
        compiled = row_by_row.compile(dialect=sqlite.dialect())
        self._row_by_row = compiled.string
        self._names = tuple(compiled.positiontup or ())
        self._all_at_once = all_at_once

    def __call__(self, connection: Connection, rows: Sequence[Cells]) -> None:
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            connection.execute(self._all_at_once, {"rows": encode(rows).decode()})
        else:
            connection.exec_driver_sql(
                self._row_by_row, [tuple([row[name] for name in self._names]) for row in rows]
            )


def _unpacked(table: Table, names: Sequence[str]) -> TableValuedAlias:
    """Return `rows`, one JSON text, as a table of the columns called `names`."""
    columns = [column(name, table.c[name].type) for name in names]
    rows = sql_cast(bindparam("rows", type_=Text), postgresql.JSON)
    return func.json_to_recordset(rows).table_valued(*columns, name="given").render_derived(with_types=True)


def _insertion(table: Table) -> _Write:
    names = [one.name for one in table.columns]
    given = _unpacked(table, names)
    return _Write(insert(table), insert(table).from_select(names, select(*given.c)))


def _change(table: Table, keys: Sequence[str], names: Sequence[str]) -> _Write:
    given = _unpacked(table, [*keys, *names])
    return _Write(
        # A parameter may not be called as a column that is set, so keys carry a mark.
        update(table)
        .where(*(table.c[key] == bindparam(f"of_{key}") for key in keys))
        .values({name: bindparam(name) for name in names}),
        update(table)
        .where(*(table.c[key] == given.c[key] for key in keys))
        .values({name: given.c[name] for name in names}),
    )


def _replacement(table: Table, names: Sequence[str]) -> _Write:
    keys = list(table.primary_key.columns)
    one, every = sqlite.insert(table), postgresql.insert(table)
    given = _unpacked(table, [column.name for column in table.columns])
    return _Write(
        one.on_conflict_do_update(index_elements=keys, set_={name: one.excluded[name] for name in names}),
        every.from_select([column.name for column in table.columns], select(*given.c)).on_conflict_do_update(
            index_elements=keys, set_={name: every.excluded[name] for name in names}
        ),
    )


_NEW_ATTEMPTS: Final = _insertion(attempts)
_NEW_TEXTS: Final = _insertion(attempt_texts)
_NEW_ENTRIES: Final = _insertion(entries)
_NEW_IMAGES: Final = _insertion(attempt_images)
_NEW_BRAKES: Final = _insertion(brakes)
_MOVES: Final = _change(attempts, ["id"], CHANGING)
_COUNTERS: Final = _replacement(budget_windows, ["spent", "held"])
_BOOKS: Final = _replacement(books, ["latest_us", "change_no"])


def save(connection: Connection, before: Books, changes: Changes) -> None:
    """Write what a batch changed in the books as they were before."""
    created, changed = changes.created.values(), changes.changed.values()
    closed = [entry.line.attempt.id for entry in changes.entries if entry.kind is EntryKind.CLOSE]
    ended = [changes.changed.get(one) or changes.created[one] for one in closed]
    _NEW_ATTEMPTS(connection, [attempt_row(line) for line in created])
    _NEW_TEXTS(connection, [text_row(line) for line in created])
    _MOVES(connection, [_moved(line) for line in changed])
    _NEW_ENTRIES(connection, [entry_row(entry) for entry in changes.entries])
    _NEW_IMAGES(connection, [row for line in ended for row in image_rows(line)])
    _COUNTERS(connection, [_window_row(*one) for one in changes.windows.items()])
    _BOOKS(connection, [_book_row(book, before, changes) for book in sorted(changes.books)])
    _NEW_BRAKES(connection, [_brake_row(brake) for brake in changes.brakes.values()])


def _moved(line: Line) -> Cells:
    return {"of_id": line.attempt.id, "id": line.attempt.id, **changing_cells(line.attempt)}


def _window_row(window: WindowId, sums: Sums) -> Cells:
    return {
        "workspace_id": window.workspace,
        "budget_id": window.budget_id,
        "starts_us": window.starts_us,
        "spent": sums.spent,
        "held": sums.held,
    }


def _book_row(book: BookId, before: Books, changes: Changes) -> Cells:
    return {
        "workspace_id": book.workspace,
        "simulated": book.simulated,
        "latest_us": changes.latest_us.get(book, before.latest_us[book]),
        "change_no": before.change_no[book] + 1,
    }


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

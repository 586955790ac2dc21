"""Setting, dropping and reading caps, and letting go of the brake."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, delete, insert, select, update

from keeprate.database.schema import brakes, budget_windows, budgets
from keeprate.domain.budgets import Budget, Standing
from keeprate.domain.errors import NotFound
from keeprate.domain.scopes import Scope
from keeprate.ledger.books import BookId, Brake, WindowId, binding
from keeprate.ledger.fold import standing
from keeprate.ledger.loading import NEVER_USED, book_rows, brakes_on, budgets_of, changed_books, sums_of
from keeprate.ledger.moments import micros, window_start
from keeprate.safety.failpoints import failpoint


def set_budget(connection: Connection, scope: Scope, budget: Budget, at: datetime) -> None:
    """Create or replace a cap. What its window saw before counts, for it is summed from the entries."""
    changed_books(connection, scope.workspace)
    old = connection.execute(_named(scope, budget.id)).one_or_none()
    row = {
        "workspace_id": scope.workspace,
        "id": budget.id,
        "api_key": budget.key,
        "span": budget.window.value,
        "cap": budget.limit,
        "simulated": budget.simulated,
        "set_us": micros(at),
    }
    here = (budgets.c.workspace_id == scope.workspace) & (budgets.c.id == budget.id)
    if old is None:
        connection.execute(insert(budgets), [row])
    else:
        connection.execute(update(budgets).where(here), row)
        if (old.api_key, old.span, old.simulated) != (budget.key, budget.window.value, budget.simulated):
            _forget_windows(connection, scope, budget.id)
    failpoint("ledger.budget.before_commit")


def add_budgets(connection: Connection, scope: Scope, wanted: Sequence[Budget], at: datetime) -> None:
    """Create those caps that do not exist; the others stay as they are."""
    there = {budget.id for budget in all_budgets(connection, scope)}
    for budget in wanted:
        if budget.id not in there:
            set_budget(connection, scope, budget, at)


def remove_budget(connection: Connection, scope: Scope, budget_id: str) -> None:
    """Drop a cap.

    Raises:
        NotFound: No such cap.
    """
    changed_books(connection, scope.workspace)
    if connection.execute(_named(scope, budget_id)).one_or_none() is None:
        raise NotFound(
            f"no budget {budget_id!r}",
            field="budget",
            value=budget_id,
            remedy="list them with `keeprate budget list`",
        )
    _forget_windows(connection, scope, budget_id)
    here = (budgets.c.workspace_id == scope.workspace) & (budgets.c.id == budget_id)
    connection.execute(delete(budgets).where(here))


def all_budgets(connection: Connection, scope: Scope) -> Sequence[Budget]:
    """Return every cap of the workspace, real before simulated."""
    found = budgets_of(connection, {scope.workspace})
    return [one for simulated in (False, True) for one in found.get(BookId(scope.workspace, simulated), ())]


def standings(connection: Connection, scope: Scope, *, simulated: bool, at: datetime) -> Sequence[Standing]:
    """Return each cap that binds `scope` and where it stands."""
    book = BookId(scope.workspace, simulated)
    caps = binding(budgets_of(connection, {scope.workspace}).get(book, ()), scope.key)
    return _standing_of(connection, book, caps, at=at)


def all_standings(
    connection: Connection, scope: Scope, *, simulated: bool, at: datetime
) -> Sequence[Standing]:
    """Return each cap of the workspace, those of its keys too, and where it stands."""
    book = BookId(scope.workspace, simulated)
    caps = budgets_of(connection, {scope.workspace}).get(book, ())
    return _standing_of(connection, book, caps, at=at)


def _standing_of(
    connection: Connection, book: BookId, caps: Sequence[Budget], *, at: datetime
) -> Sequence[Standing]:
    rows = book_rows(connection, {book.workspace})
    at_us = max(micros(at), rows.get(book, NEVER_USED).latest_us)
    windows = {
        budget.id: WindowId(budget.workspace, budget.id, window_start(budget.window, at_us))
        for budget in caps
    }
    sums = sums_of(connection, windows.values(), {book: caps})
    return [standing(budget, at_us, sums[windows[budget.id]]) for budget in caps]


def brake(connection: Connection, scope: Scope, *, simulated: bool) -> Brake | None:
    """Return the brake that is on, or None."""
    return brakes_on(connection, {scope.workspace}).get(BookId(scope.workspace, simulated))


def stop(connection: Connection, scope: Scope, *, simulated: bool, reason: str, at: datetime) -> None:
    """Pull the brake by hand: no new hold until `resume`. Pulling it twice keeps the first."""
    changed_books(connection, scope.workspace)
    if brake(connection, scope, simulated=simulated) is not None:
        return
    row = {
        "workspace_id": scope.workspace,
        "id": f"stop-{'simulated-' if simulated else ''}{micros(at)}",
        "simulated": simulated,
        "reason": reason,
        "raised_us": micros(at),
    }
    connection.execute(insert(brakes), [row])


def resume(connection: Connection, scope: Scope, *, by: str, at: datetime) -> int:
    """Let go of every brake of the workspace; return how many were on. The rows stay as history."""
    changed_books(connection, scope.workspace)
    on = (brakes.c.workspace_id == scope.workspace) & brakes.c.released_us.is_(None)
    released = update(brakes).where(on).values(released_us=micros(at), released_by=by)
    return connection.execute(released).rowcount


def _named(scope: Scope, budget_id: str) -> Select[str | None, str, bool]:
    return select(budgets.c.api_key, budgets.c.span, budgets.c.simulated).where(
        budgets.c.workspace_id == scope.workspace, budgets.c.id == budget_id
    )


def _forget_windows(connection: Connection, scope: Scope, budget_id: str) -> None:
    connection.execute(
        delete(budget_windows).where(
            budget_windows.c.workspace_id == scope.workspace, budget_windows.c.budget_id == budget_id
        )
    )

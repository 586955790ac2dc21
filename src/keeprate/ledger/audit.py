"""Proves the books: every counter against the sum of the entries it stands for."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, func, select

from keeprate.database.schema import attempts, budget_windows, entries
from keeprate.domain.scopes import Scope
from keeprate.ledger.books import Sums
from keeprate.ledger.loading import budgets_of, summed


def contradictions(connection: Connection, scope: Scope) -> Sequence[str]:
    """Return a sentence for each contradiction in the workspace's books."""
    return [*_rows_against_entries(connection, scope), *_windows_against_entries(connection, scope)]


def _rows_against_entries(connection: Connection, scope: Scope) -> Iterator[str]:
    booked = (
        select(
            entries.c.attempt_id,
            func.sum(entries.c.available + entries.c.held + entries.c.spent).label("rest"),
            func.sum(entries.c.held).label("held"),
            func.sum(entries.c.spent).label("spent"),
        )
        .where(entries.c.workspace_id == scope.workspace)
        .group_by(entries.c.attempt_id)
        .subquery()
    )
    asked = (
        select(attempts.c.id, attempts.c.held, attempts.c.charge)
        .add_columns(booked.c.rest, booked.c.held.label("booked_held"), booked.c.spent.label("booked_spent"))
        .outerjoin(booked, booked.c.attempt_id == attempts.c.id)
        .where(attempts.c.workspace_id == scope.workspace)
        .where(
            booked.c.attempt_id.is_(None)
            | (booked.c.rest != 0)
            | (booked.c.held != attempts.c.held)
            | (booked.c.spent != func.coalesce(attempts.c.charge, 0))
        )
    )
    for row in connection.execute(asked):
        yield (
            f"attempt {row.id}: the row says held {row.held}, charge {row.charge}; "
            f"its entries say held {row.booked_held}, spent {row.booked_spent}, rest {row.rest}"
        )


def _windows_against_entries(connection: Connection, scope: Scope) -> Iterator[str]:
    caps = budgets_of(connection, {scope.workspace})
    by_id = {budget.id: budget for some in caps.values() for budget in some}
    counted = select(budget_windows).where(budget_windows.c.workspace_id == scope.workspace)
    for row in connection.execute(counted).all():
        budget = by_id.get(row.budget_id)
        if budget is None:
            yield f"budget {row.budget_id}: a counter without its cap"
            continue
        truth = summed(connection, budget, row.starts_us)
        if truth != Sums(spent=row.spent, held=row.held):
            yield (
                f"budget {row.budget_id} from {row.starts_us}: the counter says spent {row.spent}, "
                f"held {row.held}; the entries say spent {truth.spent}, held {truth.held}"
            )

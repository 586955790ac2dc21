"""What was spent and kept, by purpose, route, day or outcome: sums over the ledger itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Subquery, case, func, literal_column, select

from keeprate.database.schema import attempt_images, attempts, verdicts
from keeprate.domain.geometry import Size
from keeprate.domain.money import ZERO, NanoUSD
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.purposes import Purpose, Thinking
from keeprate.domain.routes import ModelId, Route
from keeprate.domain.scopes import Scope
from keeprate.ledger.moments import DAY_US, micros, moment
from keeprate.ledger.reads import visible
from keeprate.ledger.rows import AnyRow

MINUTES_PER_HOUR: Final = 60


class By(StrEnum):
    """What a report may be grouped by."""

    PURPOSE = "purpose"
    ROUTE = "route"
    DAY = "day"
    OUTCOME = "outcome"


# Written as text, so that PostgreSQL sees the same expression in SELECT and GROUP BY, with no parameter.
_DAY_NO: Final = literal_column(f"attempts.booked_us / {DAY_US}", BigInteger).label("day_no")
GROUPS: Final[Mapping[By, Sequence[ColumnElement[str] | ColumnElement[int]]]] = {
    By.PURPOSE: (attempts.c.purpose,),
    By.ROUTE: (attempts.c.upstream, attempts.c.model, attempts.c.size, attempts.c.thinking),
    By.DAY: (_DAY_NO,),
    By.OUTCOME: (attempts.c.state,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question to the books. Days are UTC and both count; None is open.

    `cleanup_per_hour` is what an hour of hand work costs.
    """

    by: tuple[By, ...] = (By.PURPOSE, By.ROUTE)
    since: date | None = None
    until: date | None = None
    simulated: bool = False
    cleanup_per_hour: NanoUSD = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One group. What it was not grouped by is None.

    `cost_per_accepted` is (spent + cleanup) ÷ accepted, rounded half up; None while nothing was accepted.
    """

    purpose: Purpose | None
    route: Route | None
    day: date | None
    outcome: AttemptState | None
    attempts: int
    images: int
    spent: NanoUSD
    held: NanoUSD
    overrun: NanoUSD
    accepted: int
    rejected: int
    cleanup_minutes: int
    cleanup: NanoUSD
    cost_per_accepted: NanoUSD | None


def cost_per_accepted(spent: NanoUSD, cleanup: NanoUSD, accepted: int) -> NanoUSD | None:
    """Return what a kept image cost, rounded half up; None where none was kept."""
    if accepted == 0:
        return None
    return NanoUSD((2 * (spent + cleanup) + accepted) // (2 * accepted))


def rows(connection: Connection, scope: Scope, asked: Asked) -> Sequence[ReportRow]:
    """Return the groups asked for, the dearest first."""
    groups = [column for by in asked.by for column in GROUPS[by]]
    images, judged = _images(scope), _judged(scope)
    sums = [
        func.count().label("attempts"),
        _sum(images.c.images).label("images"),
        _sum(attempts.c.charge).label("spent"),
        _sum(attempts.c.held).label("held"),
        _sum(attempts.c.overrun).label("overrun"),
        _sum(judged.c.accepted).label("accepted"),
        _sum(judged.c.rejected).label("rejected"),
        _sum(judged.c.minutes).label("minutes"),
    ]
    found = connection.execute(
        select(*groups, *sums)
        .select_from(attempts)
        .outerjoin(images, images.c.attempt_id == attempts.c.id)
        .outerjoin(judged, judged.c.attempt_id == attempts.c.id)
        .where(visible(scope), attempts.c.simulated == asked.simulated, *_days(asked))
        .group_by(*groups)
    )
    some = [_row(row, asked) for row in found if row.attempts]
    return sorted(some, key=lambda row: (-row.spent, -row.held, str(row)))


def _sum(column: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(column), 0)


def _images(scope: Scope) -> Subquery:
    return (
        select(attempt_images.c.attempt_id, func.count().label("images"))
        .where(attempt_images.c.workspace_id == scope.workspace)
        .group_by(attempt_images.c.attempt_id)
        .subquery()
    )


def _judged(scope: Scope) -> Subquery:
    return (
        select(
            verdicts.c.attempt_id,
            func.sum(case((verdicts.c.kind == "accepted", 1), else_=0)).label("accepted"),
            func.sum(case((verdicts.c.kind == "rejected", 1), else_=0)).label("rejected"),
            func.sum(verdicts.c.cleanup_minutes).label("minutes"),
        )
        .where(verdicts.c.workspace_id == scope.workspace, verdicts.c.counts)
        .group_by(verdicts.c.attempt_id)
        .subquery()
    )


def _days(asked: Asked) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.since is not None:
        conditions.append(attempts.c.booked_us >= _midnight_us(asked.since))
    if asked.until is not None:
        conditions.append(attempts.c.booked_us < _midnight_us(asked.until + timedelta(days=1)))
    return conditions


def _midnight_us(day: date) -> int:
    return micros(datetime.combine(day, time(), tzinfo=UTC))


def _row(row: AnyRow, asked: Asked) -> ReportRow:
    spent, minutes = NanoUSD(int(row.spent)), int(row.minutes)
    cleanup = NanoUSD(minutes * asked.cleanup_per_hour // MINUTES_PER_HOUR)
    return ReportRow(
        purpose=Purpose(row.purpose) if By.PURPOSE in asked.by else None,
        route=_route(row) if By.ROUTE in asked.by else None,
        day=moment(row.day_no * DAY_US).date() if By.DAY in asked.by else None,
        outcome=AttemptState(row.state) if By.OUTCOME in asked.by else None,
        attempts=row.attempts,
        images=int(row.images),
        spent=spent,
        held=NanoUSD(int(row.held)),
        overrun=NanoUSD(int(row.overrun)),
        accepted=int(row.accepted),
        rejected=int(row.rejected),
        cleanup_minutes=minutes,
        cleanup=cleanup,
        cost_per_accepted=cost_per_accepted(spent, cleanup, int(row.accepted)),
    )


def _route(row: AnyRow) -> Route:
    return Route(
        upstream=row.upstream, model=ModelId(row.model), size=Size(row.size), thinking=Thinking(row.thinking)
    )

"""What was spent and kept, by purpose, route, day or outcome: sums over the ledger itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, case, func, literal_column, select

from keeprate.database.schema import attempts, verdicts
from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import Size
from keeprate.domain.money import ZERO, NanoUSD
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.purposes import Purpose, Thinking
from keeprate.domain.routes import ModelId, Route
from keeprate.domain.scopes import Scope
from keeprate.domain.verdicts import VerdictKind
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
class ReportQuery:
    """A question to the books. Days are UTC and both count; None is open.

    `cleanup_per_hour` is what an hour of hand work costs, in nano-dollars.
    """

    by: tuple[By, ...] = (By.PURPOSE, By.ROUTE)
    since: date | None = None
    until: date | None = None
    simulated: bool = False
    cleanup_per_hour: NanoUSD = ZERO

    def __post_init__(self) -> None:
        """Refuse days that end before they begin.

        Raises:
            InvalidValue: `since` lies after `until`.
        """
        if self.since is not None and self.until is not None and self.since > self.until:
            raise InvalidValue(
                f"since {self.since} is after until {self.until}",
                field="since",
                value=str(self.since),
                remedy="name the first day first; both count",
            )


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


def rows(connection: Connection, scope: Scope, asked: ReportQuery) -> Sequence[ReportRow]:
    """Return the groups asked for, the dearest first."""
    groups = [column for by in asked.by for column in GROUPS[by]]
    here = (visible(scope), attempts.c.simulated == asked.simulated, *_days(asked))
    # Two questions, as an attempt with two judged images must not count its money twice.
    money = select(*groups, *_MONEY).where(*here).group_by(*groups)
    judged = (
        select(*groups, *_JUDGED)
        .join_from(attempts, verdicts, verdicts.c.attempt_id == attempts.c.id)
        .where(verdicts.c.counts, *here)
        .group_by(*groups)
    )
    width = len(groups)
    verdicts_of = {tuple(row[:width]): row for row in connection.execute(judged)}
    found = [
        _row(row, verdicts_of.get(tuple(row[:width])), asked)
        for row in connection.execute(money)
        if row.attempts
    ]
    return sorted(found, key=lambda row: (-row.spent, -row.held, str(row)))


def _sum(column: ColumnElement[int], name: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(column), 0).label(name)


def _count(kind: VerdictKind) -> ColumnElement[int]:
    return _sum(case((verdicts.c.kind == kind.value, 1), else_=0), kind.value)


# Hashes of 64 digits with a blank between them: their number is in the length.
_IMAGES: Final = (func.length(attempts.c.image_sha256s) + 1) // 65
_MONEY: Final = (
    func.count().label("attempts"),
    _sum(_IMAGES, "images"),
    _sum(attempts.c.charge, "spent"),
    _sum(attempts.c.held, "held"),
    _sum(attempts.c.overrun, "overrun"),
)
_JUDGED: Final = (
    _count(VerdictKind.ACCEPTED),
    _count(VerdictKind.REJECTED),
    _sum(verdicts.c.cleanup_minutes, "minutes"),
)


def _days(asked: ReportQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.since is not None:
        conditions.append(attempts.c.booked_us >= _midnight_us(asked.since))
    if asked.until is not None:
        conditions.append(attempts.c.booked_us < _midnight_us(asked.until + timedelta(days=1)))
    return conditions


def _midnight_us(day: date) -> int:
    return micros(datetime.combine(day, time(), tzinfo=UTC))


def _row(row: AnyRow, judged: AnyRow | None, asked: ReportQuery) -> ReportRow:
    spent = NanoUSD(int(row.spent))
    accepted = 0 if judged is None else int(judged.accepted)
    minutes = 0 if judged is None else int(judged.minutes)
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
        accepted=accepted,
        rejected=0 if judged is None else int(judged.rejected),
        cleanup_minutes=minutes,
        cleanup=cleanup,
        cost_per_accepted=cost_per_accepted(spent, cleanup, accepted),
    )


def _route(row: AnyRow) -> Route:
    return Route(
        upstream=row.upstream, model=ModelId(row.model), size=Size(row.size), thinking=Thinking(row.thinking)
    )

"""Moves of money in the order they were made, for those who follow along."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from keeprate.database.schema import attempts, entries
from keeprate.domain.money import NanoUSD
from keeprate.domain.scopes import Scope
from keeprate.ledger.moments import micros, moment
from keeprate.ledger.reads import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move: an attempt was held for, closed or corrected. `state` is the attempt's as of now."""

    attempt_id: str
    entry_no: int
    kind: str
    at: datetime
    held: NanoUSD
    spent: NanoUSD
    state: str
    upstream: str
    model: str
    purpose: str
    simulated: bool

    @property
    def id(self) -> str:
        """Return a name that is the move's own for good and tells when it was."""
        return f"{micros(self.at)}-{self.entry_no}-{self.attempt_id}"


def moves_since(connection: Connection, scope: Scope, since: datetime, limit: int) -> Sequence[Move]:
    """Return up to `limit` moves from `since` on that `scope` may see, oldest first."""
    asked = (
        select(
            entries.c.attempt_id, entries.c.entry_no, entries.c.kind, entries.c.at_us, entries.c.held,
            entries.c.spent, attempts.c.state, attempts.c.upstream, attempts.c.model, attempts.c.purpose,
            entries.c.simulated,
        )
        .join(attempts, attempts.c.id == entries.c.attempt_id)
        .where(entries.c.workspace_id == scope.workspace, entries.c.at_us >= micros(since), visible(scope))
        .order_by(entries.c.at_us, entries.c.attempt_id, entries.c.entry_no)
        .limit(limit)
    )  # fmt: skip
    return [
        Move(
            attempt_id=row.attempt_id,
            entry_no=row.entry_no,
            kind=row.kind,
            at=moment(row.at_us),
            held=NanoUSD(row.held),
            spent=NanoUSD(row.spent),
            state=row.state,
            upstream=row.upstream,
            model=row.model,
            purpose=row.purpose,
            simulated=row.simulated,
        )
        for row in connection.execute(asked)
    ]

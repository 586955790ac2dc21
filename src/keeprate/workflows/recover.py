"""What a start does with what a dead process left behind: open rows, spooled replies, drafts of files.

Nothing is ever sent from here.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from keeprate.domain.attempts import Attempt, NewAttempt
from keeprate.domain.errors import Conflict
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.safety.failpoints import failpoint
from keeprate.workflows.charging import PriceOf
from keeprate.workflows.ports import Provider
from keeprate.workflows.settle import book, finish, may_go, understood
from keeprate.workflows.till import Till

# No file takes that long to write: whoever wrote at an older draft is dead.
DRAFTS_LAST = timedelta(hours=1)

ProviderOf = Callable[[NewAttempt], Provider | None]
PricesOf = Callable[[NewAttempt], PriceOf]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Ids of the rows that were freed, settled from the spool, and marked unknown."""

    freed: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


async def recover(till: Till, *, provider_of: ProviderOf, price_of: PricesOf) -> Recovery:
    """Close every row of a dead owner, settle what is whole in the spool, and clear away the rest."""
    failpoint("workflows.recover.before")
    closed: list[Attempt] = []
    for orphan in await till.ledger.orphans():
        with suppress(Conflict):  # another process starts at the same time and was first
            row = await till.ledger.adopt(orphan)
            paid = await finish(till, row, provider=provider_of(row.new), price_of=price_of(row.new))
            closed.append(paid.attempt)
    late = await _spooled(till, provider_of=provider_of, price_of=price_of)
    await _drafts(till)
    settled = [row for row in closed if row.state not in {AttemptState.FREED, AttemptState.UNKNOWN}]
    return Recovery(
        freed=tuple(row.id for row in closed if row.state is AttemptState.FREED),
        settled=tuple(row.id for row in (*settled, *late)),
        unknown=tuple(
            row.id
            for row in closed
            if row.state is AttemptState.UNKNOWN and row.id not in {one.id for one in late}
        ),
    )


async def _spooled(till: Till, *, provider_of: ProviderOf, price_of: PricesOf) -> list[Attempt]:
    """Drop replies whose attempt has all of them; settle unknown attempts whose answer is whole after all."""
    waiting = await asyncio.to_thread(till.spool.waiting)
    if not waiting:
        return []
    late: list[Attempt] = []
    for row in await till.ledger.rows_of(waiting):
        if may_go(row):
            await asyncio.to_thread(till.spool.discard, row.id)
            continue
        provider = provider_of(row.new)
        if row.state is AttemptState.UNKNOWN and provider is not None:
            with suppress(Conflict):  # a person or another process closed it meanwhile
                settled = await _late(till, row, provider=provider, price_of=price_of(row.new))
                late.extend(() if settled is None else (settled,))
    return late


async def _late(till: Till, row: Attempt, *, provider: Provider, price_of: PriceOf) -> Attempt | None:
    reply = await asyncio.to_thread(till.spool.find, row.id)
    if reply is None:
        reply = await asyncio.to_thread(till.spool.salvage, row.id)
    if reply is None:
        return None
    answer = await understood(provider, reply, row.new)
    if answer.outcome.kind is OutcomeKind.UNKNOWN:
        return None
    paid = await book(till, row.new, reply, answer=answer, provider=provider, price_of=price_of)
    failpoint("workflows.recover.after_late")
    return paid.attempt


async def _drafts(till: Till) -> None:
    before = till.clock.now() - DRAFTS_LAST
    await asyncio.to_thread(till.assets.sweep, before)
    await asyncio.to_thread(till.spool.sweep, before)

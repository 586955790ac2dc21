"""What a start does with the rows that a dead process left behind."""

from collections.abc import Callable
from dataclasses import dataclass

from keeprate.domain.attempts import Attempt, NewAttempt
from keeprate.domain.errors import Conflict
from keeprate.domain.outcomes import AttemptState, Outcome, OutcomeKind
from keeprate.safety.failpoints import failpoint
from keeprate.workflows.charging import PriceOf
from keeprate.workflows.pay import Till, settle_from_reply
from keeprate.workflows.ports import Provider

_DIED = Outcome(
    kind=OutcomeKind.UNKNOWN,
    raw_reason="PROCESS_DIED",
    message="the process ended after the request had left and before a whole answer was on disk",
)
_NEVER_SENT = Outcome(
    kind=OutcomeKind.FAILED,
    raw_reason="PROCESS_DIED",
    message="the process ended before the request left",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Ids of the rows that were freed, settled from the spool, and marked unknown."""

    freed: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


async def recover(
    till: Till,
    *,
    provider_of: Callable[[NewAttempt], Provider | None],
    price_of: Callable[[NewAttempt], PriceOf],
) -> Recovery:
    """Close every row of a dead owner: intents are freed, sent ones settled from the spool or named.

    Nothing is ever sent from here.
    """
    freed: list[str] = []
    settled: list[str] = []
    unknown: list[str] = []
    failpoint("workflows.recover.before")
    for orphan in await till.ledger.orphans():
        row = await _adopted(till, orphan)
        if row is None:
            continue
        if row.state is AttemptState.INTENT:
            await till.ledger.free(row.id, _NEVER_SENT, till.clock.now())
            failpoint("workflows.recover.after_free")
            freed.append(row.id)
        elif await _settled(till, row, provider_of(row.new), price_of(row.new)):
            failpoint("workflows.recover.after_settle")
            settled.append(row.id)
        else:
            await till.ledger.mark_unknown(row.id, _DIED, till.clock.now())
            unknown.append(row.id)
    return Recovery(freed=tuple(freed), settled=tuple(settled), unknown=tuple(unknown))


async def _adopted(till: Till, orphan: Attempt) -> Attempt | None:
    try:
        return await till.ledger.adopt(orphan)
    except Conflict:  # another process starts at the same time and was first
        return None


async def _settled(till: Till, row: Attempt, provider: Provider | None, price_of: PriceOf) -> bool:
    reply = till.spool.find(row.id)
    if reply is None or provider is None:
        return False
    paid = await settle_from_reply(till, row.new, reply, provider=provider, price_of=price_of)
    return paid.attempt.state is not AttemptState.UNKNOWN

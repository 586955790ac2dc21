"""The one place that spends. Every verb that buys goes through `paid_call`.

    intend   commit 1: the intent row and its hold; refused means nothing was sent
    sent     commit 2: before the first byte leaves
    send     the reply is spooled and flushed to disk as it comes
    settle   commit 3: the charge from the reported usage, the rest of the hold released

A crash between any two leaves a row that tells which; `finish` closes it, at the next start or when
somebody asks for the same thing again.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType

from keeprate.domain.attempts import Attempt, NewAttempt
from keeprate.domain.errors import Conflict, StorageError
from keeprate.domain.geometry import Size
from keeprate.domain.outcomes import AttemptState, FailureClass, Outcome, OutcomeKind
from keeprate.safety.failpoints import failpoint
from keeprate.workflows.asides import aside
from keeprate.workflows.charging import PriceOf
from keeprate.workflows.ports import Outgoing, Provider, SendFailure, SpoolFile
from keeprate.workflows.settle import finish, settle_from_reply
from keeprate.workflows.till import Paid, Till, keep_price

# Twice what the largest reply of a size has taken (30 MB of base64 at 4K): its image is stored beside it
# before the reply goes, and several may come in one.
ROOM_FOR_ONE_REPLY = MappingProxyType(
    {Size.HALF_K: 16 << 20, Size.ONE_K: 16 << 20, Size.TWO_K: 32 << 20, Size.FOUR_K: 64 << 20}
)
Ended = Callable[[Paid | None], None]
OPEN = frozenset({AttemptState.INTENT, AttemptState.SENT})


async def paid_call(
    till: Till,
    new: NewAttempt,
    *,
    call: Outgoing,
    provider: Provider,
    price_of: PriceOf,
    ended: Ended | None = None,
) -> Paid:
    """Buy once, or return what an equal key already bought.

    The call is finished and booked even when the caller is cancelled. Callers with an equal key share
    one call. `ended` is told how it ended, also when nobody waits any more; None where it raised.

    Raises:
        BudgetExceeded: A cap does not fit the hold. Nothing was sent.
        SpendingStopped: A brake is on. Nothing was sent.
        StorageError: The disk cannot take the reply (nothing was sent), or could not take the
            image (the reply is spooled and the next start settles it).
    """
    task = till.running.get(new.id)
    if task is None:
        paying = _pay(till, new, call=call, provider=provider, price_of=price_of)
        task = asyncio.create_task(paying, name=f"pay-{new.id}")
        till.running[new.id] = task
        task.add_done_callback(lambda _: till.running.pop(new.id, None))
        if ended is not None:
            task.add_done_callback(lambda over: ended(_result_of(over)))
    return await asyncio.shield(task)


def _result_of(task: asyncio.Task[Paid]) -> Paid | None:
    return None if task.cancelled() or task.exception() is not None else task.result()


async def look_at(
    till: Till, row: Attempt, *, owner: str, provider: Provider | None, price_of: PriceOf
) -> Paid:
    """Return how a row that was made before stands, closing it first where its call is over.

    A row that stays open is being bought in another process. `owner` is this one.
    """
    task = till.running.get(row.id)
    if task is not None:
        return replace(await asyncio.shield(task), replayed=True)
    return await _closed(till, row, owner=owner, provider=provider, price_of=price_of)


async def _closed(
    till: Till, row: Attempt, *, owner: str, provider: Provider | None, price_of: PriceOf
) -> Paid:
    if row.state not in OPEN:
        return Paid(attempt=row, replayed=True)
    if row.new.owner != owner:
        try:
            row = await till.ledger.adopt(row)
        except Conflict:  # its owner lives, or another took it over first
            return Paid(attempt=row, replayed=True)
    return await finish(till, row, provider=provider, price_of=price_of)


async def _pay(till: Till, new: NewAttempt, *, call: Outgoing, provider: Provider, price_of: PriceOf) -> Paid:
    if not till.spool.has_room(ROOM_FOR_ONE_REPLY[new.route.size]):
        raise StorageError(
            "the disk has no room for the answer, so nothing was bought",
            field="home",
            remedy="free some space, or point KEEPRATE_HOME at another disk",
        )
    await keep_price(till, new.key.workspace, price_of(new.route.model))
    failpoint("workflows.pay.before_intend")
    row = await till.ledger.intend(new)
    if row.new != new or row.state is not AttemptState.INTENT:
        return await _closed(till, row, owner=new.owner, provider=provider, price_of=price_of)
    failpoint("workflows.pay.after_intend")
    into = await _leaving(till, new)
    failpoint("workflows.pay.after_sent")
    try:
        reply = await provider.send(call, attempt_id=new.id, into=into)
    except SendFailure as failure:
        return Paid(attempt=await _book_failure(till, new, failure), failure=failure)
    failpoint("workflows.pay.after_send")
    try:
        return await settle_from_reply(till, new, reply, provider=provider, price_of=price_of)
    except StorageError as fault:
        raise _safe_in_the_spool(new, fault) from fault


async def _leaving(till: Till, new: NewAttempt) -> SpoolFile:
    """Claim the disk that the reply will take and mark the row sent, or give the hold back."""
    into: SpoolFile | None = None
    try:
        room = ROOM_FOR_ONE_REPLY[new.route.size]
        into = await aside(till.spool.begin, new.id, expected_bytes=room)
        await till.ledger.sent(new.id, till.clock.now())
    except (StorageError, Conflict) as fault:
        # What fails while cleaning up is found and closed by the next start.
        with suppress(StorageError, Conflict):
            if into is not None:
                await aside(into.abandon)
            stayed = Outcome(kind=OutcomeKind.FAILED, raw_reason="NOT_SENT", message=fault.message)
            await till.ledger.free(new.id, stayed, till.clock.now())
        raise
    return into


async def _book_failure(till: Till, new: NewAttempt, failure: SendFailure) -> Attempt:
    now = till.clock.now()
    if failure.failure is FailureClass.UNKNOWN:
        return await till.ledger.mark_unknown(new.id, failure.outcome, now)
    return await till.ledger.free(new.id, failure.outcome, now)


def _safe_in_the_spool(new: NewAttempt, fault: StorageError) -> StorageError:
    return StorageError(
        f"attempt {new.id} is paid for and its answer is safe in the spool, but not stored: {fault.message}",
        field=fault.field,
        value=fault.value,
        remedy="make room on the disk, then run: keeprate attempts (the next start stores it; "
        "buying it again would pay twice)",
        facts={**fault.facts, "attempt_id": new.id},
    )

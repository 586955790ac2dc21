"""The one place that spends. Every verb that buys goes through `paid_call`.

    intend   commit 1: the intent row and its hold; refused means nothing was sent
    sent     commit 2: before the first byte leaves
    send     the reply is spooled and flushed to disk as it comes
    settle   commit 3: the charge from the reported usage, the rest of the hold released

A crash between any two leaves a row that tells which; `recover` finishes or names it.
"""

import asyncio
from dataclasses import dataclass, field

import msgspec

from keeprate.catalogue.cards import PriceRow
from keeprate.domain.attempts import Attempt, NewAttempt, Settlement
from keeprate.domain.errors import StorageError, UnreadableReference
from keeprate.domain.outcomes import AttemptState, FailureClass, Outcome, OutcomeKind
from keeprate.domain.scopes import Scope
from keeprate.safety.failpoints import failpoint
from keeprate.workflows.charging import PriceOf, charge_of
from keeprate.workflows.conversation import folded
from keeprate.workflows.ports import (
    Answer,
    Assets,
    Clock,
    Ledger,
    Outgoing,
    Provider,
    Reply,
    SendFailure,
    Spool,
    SpoolFile,
    StoredImage,
    Turns,
)

# A 4K reply is up to 30 MB of base64, and its image is stored beside it before the reply goes.
ROOM_FOR_ONE_REPLY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """How a paid call ended. `answer` is None where no reply was understood.

    `replayed` tells that an equal key had made the row before, so nothing was sent now.
    """

    attempt: Attempt
    images: tuple[StoredImage, ...] = ()
    answer: Answer | None = None
    failure: SendFailure | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """What paying needs, and the paid calls under way: a leaving caller cannot drop them."""

    ledger: Ledger
    spool: Spool
    assets: Assets
    turns: Turns
    clock: Clock
    running: set[asyncio.Task[Paid]] = field(default_factory=set[asyncio.Task[Paid]])
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    prices_kept: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    @property
    def is_closing(self) -> bool:
        """Return whether somebody asked that nothing more be bought."""
        return self.closing.is_set()

    async def drain(self) -> None:
        """Wait until every paid call that is under way has been settled."""
        while self.running:
            await asyncio.wait(self.running)


async def keep_price(till: Till, workspace: str, price: PriceRow) -> None:
    """Keep the price row money is booked by, once: a later rate card leaves history as it was."""
    if (workspace, price.id) in till.prices_kept:
        return
    text = msgspec.json.encode(price).decode()
    await till.ledger.use_price(Scope(workspace=workspace), price.id, text, till.clock.now())
    till.prices_kept.add((workspace, price.id))


async def paid_call(
    till: Till, new: NewAttempt, *, call: Outgoing, provider: Provider, price_of: PriceOf
) -> Paid:
    """Buy once, or return what an equal key already bought.

    The call is finished and booked even when the caller is cancelled.

    Raises:
        BudgetExceeded: A cap does not fit the hold. Nothing was sent.
        SpendingStopped: A brake is on. Nothing was sent.
        StorageError: The disk cannot take the reply (nothing was sent), or could not take the
            image (the reply is spooled and the next start settles it).
    """
    task = asyncio.create_task(
        _pay(till, new, call=call, provider=provider, price_of=price_of), name=f"pay-{new.id}"
    )
    till.running.add(task)
    task.add_done_callback(till.running.discard)
    return await asyncio.shield(task)


async def _pay(till: Till, new: NewAttempt, *, call: Outgoing, provider: Provider, price_of: PriceOf) -> Paid:
    if not till.spool.has_room(ROOM_FOR_ONE_REPLY):
        raise StorageError(
            "the disk has no room for the answer, so nothing was bought",
            field="home",
            remedy="free some space, or point KEEPRATE_HOME at another disk",
        )
    price = price_of(new.route.model)
    if price is not None:
        await keep_price(till, new.key.workspace, price)
    failpoint("workflows.pay.before_intend")
    row = await till.ledger.intend(new)
    if row.state is not AttemptState.INTENT or row.new.owner != new.owner:
        return Paid(attempt=row, replayed=True)
    failpoint("workflows.pay.after_intend")
    into = await _spool_for(till, new)
    await till.ledger.sent(new.id, till.clock.now())
    failpoint("workflows.pay.after_sent")
    try:
        reply = await provider.send(call, attempt_id=new.id, into=into)
    except SendFailure as failure:
        return Paid(attempt=await _book_failure(till, new, failure), failure=failure)
    failpoint("workflows.pay.after_send")
    return await settle_from_reply(till, new, reply, provider=provider, price_of=price_of)


async def _spool_for(till: Till, new: NewAttempt) -> SpoolFile:
    """Claim the disk that the reply will take, before anything is sent."""
    try:
        return await asyncio.to_thread(till.spool.begin, new.id, expected_bytes=ROOM_FOR_ONE_REPLY)
    except StorageError as fault:
        full = Outcome(kind=OutcomeKind.FAILED, raw_reason="NO_ROOM", message=fault.message)
        await till.ledger.free(new.id, full, till.clock.now())
        raise


async def _book_failure(till: Till, new: NewAttempt, failure: SendFailure) -> Attempt:
    now = till.clock.now()
    if failure.failure is FailureClass.UNKNOWN:
        return await till.ledger.mark_unknown(new.id, failure.outcome, now)
    return await till.ledger.free(new.id, failure.outcome, now)


async def settle_from_reply(
    till: Till, new: NewAttempt, reply: Reply, *, provider: Provider, price_of: PriceOf
) -> Paid:
    """Understand a spooled reply, store its images, book its charge and drop the spool."""
    answer = await asyncio.to_thread(provider.understand, reply, new.route)
    failpoint("workflows.pay.after_understand")
    if answer.outcome.kind is OutcomeKind.UNKNOWN:
        row = await till.ledger.mark_unknown(new.id, answer.outcome, till.clock.now())
        return Paid(attempt=row, answer=answer)
    images, outcome = await _stored(till, new, answer)
    if images:
        await _keep_turn(till, new, reply, images=images, provider=provider)
    failpoint("workflows.pay.after_store")
    served = price_of(answer.model_version or new.route.model)
    if served is not None:
        await keep_price(till, new.key.workspace, served)
    settlement = Settlement(
        outcome=outcome,
        charge=charge_of(answer, new, price_of),
        reply_sha256=reply.sha256,
        image_sha256s=tuple(image.sha256 for image in images),
        model_version=answer.model_version,
        response_id=answer.response_id,
        settled_at=till.clock.now(),
    )
    row = await till.ledger.settle(new.id, settlement)
    failpoint("workflows.pay.after_settle")
    if outcome.kind is not OutcomeKind.FAILED:
        await asyncio.to_thread(till.spool.discard, new.id)
        failpoint("workflows.pay.after_discard")
    return Paid(attempt=row, images=images, answer=answer)


async def _keep_turn(
    till: Till, new: NewAttempt, reply: Reply, *, images: tuple[StoredImage, ...], provider: Provider
) -> None:
    """Keep what the model said, so that `edit --continue` can send it back with its signatures."""
    turn = await asyncio.to_thread(provider.model_turn, reply)
    if turn is not None:
        stored = frozenset(image.sha256 for image in images)
        kept = await asyncio.to_thread(folded, turn, stored)
        await till.turns.save(new.key.workspace, new.id, kept)


async def _stored(till: Till, new: NewAttempt, answer: Answer) -> tuple[tuple[StoredImage, ...], Outcome]:
    """Store the images; bytes that are no safe image make the attempt `failed`, and paid for."""
    try:
        images = [await till.assets.put(new.key.workspace, part.content) for part in answer.images]
    except UnreadableReference as fault:
        return (), Outcome(kind=OutcomeKind.FAILED, raw_reason="UNREADABLE_IMAGE", message=fault.message)
    return tuple(images), answer.outcome

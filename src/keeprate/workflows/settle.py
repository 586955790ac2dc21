"""From a spooled reply to a closed row: images stored, charge booked, spool dropped. Nothing is sent here."""

from contextlib import suppress
from dataclasses import replace

from keeprate.domain.attempts import Attempt, NewAttempt, Settlement
from keeprate.domain.errors import CatalogueError, StorageError, UnknownModel, UnreadableReference
from keeprate.domain.outcomes import AttemptState, Outcome, OutcomeKind
from keeprate.safety.failpoints import failpoint
from keeprate.workflows.asides import aside
from keeprate.workflows.charging import PriceOf, charge_of
from keeprate.workflows.conversation import folded
from keeprate.workflows.ports import Answer, Provider, Reply, StoredImage
from keeprate.workflows.till import Paid, Till, keep_price

# Images that are too large to decode safely, or no images: their bytes stay in the spool.
UNREADABLE = "UNREADABLE_IMAGE"

_NEVER_SENT = Outcome(
    kind=OutcomeKind.FAILED,
    raw_reason="PROCESS_DIED",
    message="the process ended before the request left",
)
_DIED = Outcome(
    kind=OutcomeKind.UNKNOWN,
    raw_reason="PROCESS_DIED",
    message="the call ended after the request had left and before a whole answer was on disk",
)
_NO_UPSTREAM = Outcome(
    kind=OutcomeKind.UNKNOWN,
    raw_reason="NO_UPSTREAM",
    message="the whole answer is in the spool, but its upstream is no longer configured; "
    "configure it again and the next start settles it",
)


async def finish(till: Till, row: Attempt, *, provider: Provider | None, price_of: PriceOf) -> Paid:
    """Close a row of ours whose call is over: free it, settle it from the spool, or name it unknown."""
    now = till.clock.now()
    if row.state is AttemptState.INTENT:
        freed = await till.ledger.free(row.id, _NEVER_SENT, now)
        failpoint("workflows.recover.after_free")
        return Paid(attempt=freed, replayed=True)
    reply = await aside(till.spool.find, row.id)
    if reply is None or provider is None:
        why = _DIED if reply is None else _NO_UPSTREAM
        return Paid(attempt=await till.ledger.mark_unknown(row.id, why, now), replayed=True)
    paid = await settle_from_reply(till, row.new, reply, provider=provider, price_of=price_of)
    failpoint("workflows.recover.after_settle")
    return replace(paid, replayed=True)


async def settle_from_reply(
    till: Till, new: NewAttempt, reply: Reply, *, provider: Provider, price_of: PriceOf
) -> Paid:
    """Understand a spooled reply, store its images, book its charge and drop the spool."""
    answer = await understood(provider, reply, new)
    failpoint("workflows.pay.after_understand")
    if answer.outcome.kind is OutcomeKind.UNKNOWN:
        row = await till.ledger.mark_unknown(new.id, answer.outcome, till.clock.now())
        return Paid(attempt=row, answer=answer)
    return await book(till, new, reply, answer=answer, provider=provider, price_of=price_of)


async def understood(provider: Provider, reply: Reply, new: NewAttempt) -> Answer:
    """Return what a reply says; one for a model that is no longer in the book says nothing yet."""
    try:
        return await aside(provider.understand, reply, new.route)
    except (CatalogueError, UnknownModel) as fault:
        outcome = Outcome(kind=OutcomeKind.UNKNOWN, raw_reason="UNKNOWN_MODEL", message=fault.message)
        return Answer(
            outcome=outcome, images=(), usage=None, model_version=None, response_id=None,
            served_lane=None, stated_free=False,
        )  # fmt: skip


async def book(
    till: Till, new: NewAttempt, reply: Reply, *, answer: Answer, provider: Provider, price_of: PriceOf
) -> Paid:
    """Store the images of an answer, book its charge and drop the spool.

    Raises:
        Conflict: The row is closed already.
        StorageError: The disk refused; the reply stays in the spool and the row as it was.
    """
    images, outcome = await _stored(till, new, answer)
    if images:
        await _keep_turn(till, new, reply, images=images, provider=provider)
    failpoint("workflows.pay.after_store")
    await keep_price(till, new.key.workspace, price_of(answer.model_version or new.route.model))
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
    if may_go(row):
        # All is stored and booked: what the disk will not let go of now, the next start clears away.
        with suppress(StorageError):
            await aside(till.spool.discard, new.id)
        failpoint("workflows.pay.after_discard")
    return Paid(attempt=row, images=images, answer=answer)


def may_go(row: Attempt) -> bool:
    """Return whether nothing is left in the spool that this row does not have elsewhere."""
    unreadable = row.outcome is not None and row.outcome.raw_reason == UNREADABLE
    return row.state.is_settled and row.reply_sha256 is not None and not unreadable


async def _keep_turn(
    till: Till, new: NewAttempt, reply: Reply, *, images: tuple[StoredImage, ...], provider: Provider
) -> None:
    """Keep what the model said, so that `edit --continue` can send it back with its signatures."""
    turn = await aside(provider.model_turn, reply)
    if turn is not None:
        stored = frozenset(image.sha256 for image in images)
        kept = await aside(folded, turn, stored)
        await till.turns.save(new.key.workspace, new.id, kept)


async def _stored(till: Till, new: NewAttempt, answer: Answer) -> tuple[tuple[StoredImage, ...], Outcome]:
    """Store the images. Where none of them is a safe one, the attempt has failed, and is paid for."""
    images: list[StoredImage] = []
    refusal: UnreadableReference | None = None
    for part in answer.images:
        try:
            images.append(await till.assets.put(new.key.workspace, part.content))
        except UnreadableReference as fault:
            refusal = refusal or fault
    if refusal is None:
        return tuple(images), answer.outcome
    kind = OutcomeKind.IMAGE if images else OutcomeKind.FAILED
    return tuple(images), replace(answer.outcome, kind=kind, raw_reason=UNREADABLE, message=refusal.message)

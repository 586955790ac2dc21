"""The main verb: decide, agree, buy each image once, keep it, explain."""

import asyncio
from dataclasses import fields, replace
from datetime import datetime, timedelta

import msgspec

from keeprate.domain.decisions import Decision
from keeprate.domain.errors import ConfirmationNeeded, Conflict, InvalidValue, KeeprateError
from keeprate.domain.money import display
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.purposes import Lane
from keeprate.domain.requests import ImageRequest
from keeprate.domain.scopes import Scope
from keeprate.routing.explanations import as_json
from keeprate.routing.lanes import refuse_unbuyable
from keeprate.workflows.intents import Past, is_free, past_of
from keeprate.workflows.keep import check_places, keep
from keeprate.workflows.materials import materials_for, references_of
from keeprate.workflows.means import Means
from keeprate.workflows.notices import notices_on
from keeprate.workflows.options import Options, image_request, lane_asked
from keeprate.workflows.ports import StoredImage
from keeprate.workflows.results import Result, overall
from keeprate.workflows.room import refuse_what_may_not_fit
from keeprate.workflows.route import decided
from keeprate.workflows.slot import Order, buy
from keeprate.workflows.till import Paid

# A person's machine and one project's quota: more at once only meets 429s.
AT_ONCE = 8
FIRST_PURCHASE = "first_purchase_agreed"
# What may be said anew when an unknown attempt is bought again: where, and what becomes of it.
BESIDE_A_RETRY = frozenset(
    {"model", "upstream", "lane", "yes", "partial", "output", "overwrite", "prompt_in_file"}
)


async def generate(means: Means, scope: Scope, prompt: str, options: Options) -> Result:
    """Buy the images `options` ask for and keep them.

    Raises:
        KeeprateError: Nothing was bought: a bad field, no route, no room in a cap, no consent.
            What was bought is never lost in an error; it comes as a Result.
    """
    means.progress("reading the request")
    image_request(prompt, options)
    references = await references_of(means, scope, options)
    return await generate_request(means, scope, image_request(prompt, options, references), options)


async def edit(means: Means, scope: Scope, prompt: str, options: Options) -> Result:
    """Change references, or go on from an attempt.

    Raises:
        InvalidValue: Neither references nor an attempt to continue.
        KeeprateError: As `generate`.
    """
    if not options.references and options.continues is None:
        raise InvalidValue(
            "an edit needs something to change",
            field="reference",
            remedy="hand over references, or continue an attempt",
        )
    return await generate(means, scope, prompt, options)


async def retry_unknown(means: Means, scope: Scope, attempt_id: str, options: Options) -> Result:
    """Buy again, on the same route, what an unknown attempt may have bought. Both are booked.

    `options` may name another route, and say where the image goes; the request stands as it was.

    Raises:
        Conflict: The attempt is not unknown.
        InvalidValue: An option that would change the request.
        KeeprateError: As `generate`.
    """
    _refuse_changes(options)
    row = await means.till.ledger.attempt(scope, attempt_id)
    if row.state is not AttemptState.UNKNOWN:
        raise Conflict(
            f"attempt {attempt_id} ended as {row.state}, so there is nothing unknown to retry",
            field="retry_unknown",
            value=attempt_id,
            remedy="see: keeprate attempts --unknown",
        )
    request = msgspec.json.decode(row.new.request_json, type=ImageRequest)
    intent = row.new.key.intent.rpartition("#")[0]
    again = replace(
        options,
        intent=intent,
        retry_unknown=attempt_id,
        model=options.model or str(row.new.route.model),
        upstream=options.upstream or row.new.route.upstream,
        lane=options.lane or str(row.new.lane),
    )
    return await generate_request(means, scope, request, again)


def _refuse_changes(options: Options) -> None:
    for field in fields(Options):
        given = getattr(options, field.name)
        if field.name not in BESIDE_A_RETRY and given != field.default:
            raise InvalidValue(
                f"{field.name} does not go with buying an unknown attempt again: the request stands as it was",
                field=field.name,
                value=given if isinstance(given, str | int) else None,
                remedy="leave it away, or ask for the new request without --retry-unknown",
            )


async def generate_request(means: Means, scope: Scope, request: ImageRequest, options: Options) -> Result:
    """Buy what `request` asks for, as `generate` does."""
    means.progress("choosing a route")
    refuse_unbuyable(lane_asked(options) or Lane.LIVE)
    found = await decided(means, scope, request, options)
    await check_places(means, request, options)
    materials = await materials_for(means, scope, request)
    intent = options.intent or means.rng.token()
    request_json = msgspec.json.encode(request).decode()
    async with means.till.one_at_a_time(scope.workspace, intent):
        order = Order(
            scope=scope,
            request=request,
            request_json=request_json,
            decision=found.decision,
            decision_json=msgspec.json.encode(as_json(found.decision)).decode(),
            materials=materials,
            intent=intent,
            past=await _past(means, scope, options, request_json=request_json, slots=request.variants),
            retried=options.retry_unknown,
            ends_at=_end(means, request),
        )
        if not options.partial:
            await refuse_what_may_not_fit(means, order)
        await agree(means, scope, found.decision, options)
        paid, refusals = await _buy_all(means, order)
    if refusals and all(is_free(each.attempt) for each in paid):
        raise refusals[0]
    result = _result(means, order, paid, refusals)
    result = replace(result, notices=(*found.notices, *result.notices))
    return await keep(means, scope, result, options)


async def _past(means: Means, scope: Scope, options: Options, *, request_json: str, slots: int) -> Past:
    if options.intent is None:
        return Past()
    return await past_of(means.till.ledger, scope, options.intent, slots=slots, request_json=request_json)


def _end(means: Means, request: ImageRequest) -> datetime | None:
    if request.deadline_s is None:
        return None
    return means.till.clock.now() + timedelta(seconds=request.deadline_s)


async def agree(means: Means, scope: Scope, decision: Decision, options: Options) -> None:
    """Ask before the first purchase of a home that costs real money.

    Raises:
        ConfirmationNeeded: Nobody agreed.
        InvalidValue: Facts of another day are in use, and real money would be booked by them.
    """
    steps = (step for step in decision.steps if step.after != "reject")
    upstreams = (means.providers[step.offer.route.upstream].upstream for step in steps)
    ledger = means.till.ledger
    if all(upstream.simulated for upstream in upstreams):
        return
    _refuse_another_day(means)
    if await ledger.fact(scope, FIRST_PURCHASE) is not None:
        return
    agreed = options.yes or means.assume_yes
    if not agreed and means.confirm is not None:
        agreed = await means.confirm(decision)
    if not agreed:
        worst = display(decision.quote.worst)
        raise ConfirmationNeeded(
            f"the first real purchase of this home would go to {decision.chosen.route} "
            f"and cost at most ${worst}",
            field="yes",
            value=False,
            remedy="add --yes, or set KEEPRATE_YES=1, once; later purchases do not ask",
        )
    await ledger.set_fact(scope, FIRST_PURCHASE, means.till.clock.now().isoformat())


def _refuse_another_day(means: Means) -> None:
    """Refuse real money on supposed prices: the upstream bills by those of the day it is."""
    today = means.till.clock.now().date()
    if means.today() != today:
        raise InvalidValue(
            f"the facts of {means.today()} are in use, and a real purchase is billed at those of {today}",
            field="as_of",
            value=str(means.today()),
            remedy="leave --as-of and the setting as_of away to buy; `keeprate route` and `keeprate estimate` "
            "answer for any day",
        )


async def _buy_all(means: Means, order: Order) -> tuple[tuple[Paid, ...], tuple[KeeprateError, ...]]:
    """Buy every slot, some at once. A refusal half-way keeps what was bought before, and ends the rest."""
    gate = asyncio.Semaphore(AT_ONCE)
    refusals: list[KeeprateError] = []

    async def one(slot: int) -> tuple[Paid, ...]:
        async with gate:
            # A cap that is full or a disk that fails is so for the next slot, too.
            if refusals:
                return ()
            try:
                return await buy(means, order, slot)
            except KeeprateError as refusal:
                refusals.append(refusal)
                return ()

    slots = [asyncio.create_task(one(slot)) for slot in order.slots()]
    try:
        ended = await asyncio.gather(*slots)
    finally:
        # Nobody waits for the others any more: a call under way is booked, and none is begun.
        for slot in slots:
            slot.cancel()
    return tuple(each for paid in ended for each in paid), tuple(refusals)


def _result(
    means: Means, order: Order, paid: tuple[Paid, ...], refusals: tuple[KeeprateError, ...]
) -> Result:
    attempts = tuple(each.attempt for each in paid)
    images = tuple(image for each in paid for image in _images_of(means, each))
    return Result(
        request=order.request,
        decision=order.decision,
        outcome=overall(attempts),
        images=images,
        attempts=attempts,
        notices=(
            *dict.fromkeys(notice for each in paid for notice in notices_on(means, order, each)),
            *dict.fromkeys(refusal.message for refusal in refusals),
        ),
    )


def _images_of(means: Means, paid: Paid) -> tuple[StoredImage, ...]:
    if paid.images or not paid.attempt.image_sha256s:
        return paid.images
    workspace = paid.attempt.new.key.workspace
    found = (means.till.assets.find(workspace, sha256) for sha256 in paid.attempt.image_sha256s)
    return tuple(image for image in found if image is not None)

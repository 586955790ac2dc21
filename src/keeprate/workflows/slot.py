"""Buying one place of a request: the cascade in order, each try a row of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from keeprate.domain.attempts import AttemptKey, NewAttempt
from keeprate.domain.decisions import Decision, Step
from keeprate.domain.errors import SpendingStopped, Throttled
from keeprate.domain.outcomes import AttemptState, FailureClass
from keeprate.domain.requests import ImageRequest
from keeprate.domain.scopes import Scope
from keeprate.routing.quotes import quote_for
from keeprate.workflows.courtesy import PATIENCE, SHORT, polite_call, until_free
from keeprate.workflows.intents import Past, is_free, name_of, under_way, used_otherwise
from keeprate.workflows.means import Means
from keeprate.workflows.pay import OPEN, look_at
from keeprate.workflows.ports import Materials, Outgoing
from keeprate.workflows.retry import next_wait
from keeprate.workflows.till import Paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A decided request on its way to be bought. `intent` names it once and for all.

    `past` is what the intent bought before. `retried` is the unknown attempt that is to be bought
    again, None for an ordinary order. `ends_at` is when the caller stops waiting.
    """

    scope: Scope
    request: ImageRequest
    request_json: str
    decision: Decision
    decision_json: str
    materials: Materials
    intent: str
    past: Past
    retried: str | None
    ends_at: datetime | None

    def images_in(self, slot: int) -> int:
        """Return how many images the attempt of this slot asks for."""
        each = self.decision.chosen.images_per_attempt
        return min(each, self.request.variants - slot * each)

    def slots(self) -> tuple[int, ...]:
        """Return the slots to look at: those of the decision, and those an earlier decision filled."""
        return tuple(sorted({*range(self.decision.attempts), *self.past.rows}))

    def may_buy(self, slot: int) -> bool:
        """Return whether this slot may be bought where nothing stands in it yet."""
        if self.retried is not None:
            return slot == self.past.slot_of(self.retried)
        # An earlier decision may have got all images with fewer attempts.
        return slot < self.decision.attempts and self.past.images < self.request.variants


class Place(NamedTuple):
    """Where in an order an attempt stands, and the unknown one it is bought in place of."""

    slot: int
    step: int
    attempt_no: int
    follows: str | None


async def buy(means: Means, order: Order, slot: int) -> tuple[Paid, ...]:
    """Return what the attempts of one slot came to; the last one is how the slot ended.

    A step that comes after a rejection waits for somebody to reject; here only steps for an
    upstream that could not serve, and charged nothing, are gone through.
    """
    before = await _bought_before(means, order, slot)
    follows = None
    if before is not None:
        if not (before.attempt.state is AttemptState.UNKNOWN and order.past.slot_of(order.retried) == slot):
            return (before,)
        follows = before.attempt.id
    if not order.may_buy(slot):
        return ()
    paid: list[Paid] = []
    steps = _steps(order, slot)
    for index in steps:
        place = Place(slot, index, order.past.next_no(slot, index), follows)
        # Where another route may serve, nobody waits long for one that is closed.
        patience = PATIENCE if index == steps[-1] else SHORT
        try:
            await _free(means, order, place, patience)
        except Throttled:
            if index == steps[-1] and not paid:
                raise
            continue
        paid.extend(await _step(means, order, place, patience))
        if not _could_not_serve(paid[-1]):
            break
    return tuple(paid)


def _steps(order: Order, slot: int) -> list[int]:
    """Return the places of the cascade that may fill a slot without anybody's judgement."""
    # One attempt fills a slot: a route that returns fewer images at a time cannot stand in.
    wanted = order.images_in(slot)
    steps = enumerate(order.decision.steps)
    return [
        index for index, step in steps if step.after != "reject" and step.offer.images_per_attempt >= wanted
    ]


async def _free(means: Means, order: Order, place: Place, patience: timedelta) -> None:
    offer = order.decision.steps[place.step].offer
    hold = quote_for(offer, order.images_in(place.slot)).worst
    await until_free(means, offer.route, hold, patience=patience, ends_at=order.ends_at)


async def _bought_before(means: Means, order: Order, slot: int) -> Paid | None:
    """Return the newest row of the slot that cost something or may have, closed if its call is over.

    Raises:
        Conflict: Another process is buying it.
    """
    for row in reversed(order.past.of(slot)):
        if is_free(row):
            continue
        paid = await look_at(
            means.till,
            row,
            owner=means.owner,
            provider=means.provider_of(row.new),
            price_of=means.price_of(row.new),
        )
        if paid.attempt.state in OPEN:
            raise under_way(paid.attempt)
        if not is_free(paid.attempt):
            return paid
    return None


def _could_not_serve(paid: Paid) -> bool:
    failure = paid.failure
    return (
        failure is not None
        and failure.failure is not FailureClass.UNKNOWN
        and (not failure.is_final or failure.http_status == 404)
    )


async def _step(means: Means, order: Order, place: Place, patience: timedelta) -> tuple[Paid, ...]:
    tries = 0
    done: list[Paid] = []
    while True:
        paid = await _attempt(means, order, place, is_retry=tries > 0)
        place = place._replace(attempt_no=place.attempt_no + 1)
        if paid.replayed and is_free(paid.attempt):
            continue  # another process took this number, and it came to nothing
        done.append(paid)
        if paid.failure is None:
            return tuple(done)
        tries += 1
        left_s = None if order.ends_at is None else (order.ends_at - means.till.clock.now()).total_seconds()
        wait_s = next_wait(paid.failure, tries=tries, jitter=means.rng.jitter(), remaining_s=left_s)
        if wait_s is None or not means.manners.may_retry(
            paid.attempt.new.route.upstream, means.till.clock.now()
        ):
            return tuple(done)
        means.progress(f"{paid.failure.outcome.raw_reason}: trying again in {wait_s:.1f} s")
        await means.till.clock.sleep(wait_s)
        try:
            await _free(means, order, place, patience)
        except Throttled:
            return tuple(done)


async def _attempt(means: Means, order: Order, place: Place, *, is_retry: bool) -> Paid:
    step = order.decision.steps[place.step]
    provider = means.providers[step.offer.route.upstream]
    images = order.images_in(place.slot)
    call = provider.outgoing(
        order.request,
        route=step.offer.route,
        lane=step.offer.lane,
        images=images,
        max_output_tokens=quote_for(step.offer, images).max_output_tokens,
        materials=order.materials,
    )
    if means.till.is_closing:
        raise SpendingStopped("asked to stop, so nothing more is bought", remedy="run the same command again")
    new = _new_attempt(means, order, step=step, call=call, place=place)
    means.progress(f"buying from {step.offer.route}")
    paid = await polite_call(
        means, new, call=call, provider=provider, is_retry=is_retry, ends_at=order.ends_at
    )
    if paid.attempt.new.request_json != new.request_json:
        raise used_otherwise(order.intent)
    if paid.attempt.state in OPEN:
        raise under_way(paid.attempt)
    return paid


def _new_attempt(means: Means, order: Order, *, step: Step, call: Outgoing, place: Place) -> NewAttempt:
    key = AttemptKey(
        workspace=order.scope.workspace,
        intent=name_of(order.intent, place.slot),
        step=place.step,
        attempt_no=place.attempt_no,
    )
    quote = quote_for(step.offer, order.images_in(place.slot))
    return NewAttempt(
        id=key.id,
        key=key,
        api_key=order.scope.key,
        owner=means.owner,
        route=step.offer.route,
        surface=step.offer.surface,
        lane=step.offer.lane,
        purpose=order.request.purpose,
        simulated=call.upstream.simulated,
        prompt=order.request.prompt,
        request_json=order.request_json,
        decision_json=order.decision_json,
        payload_sha256=call.sha256,
        quote_low=quote.low,
        quote_expected=quote.expected,
        hold=quote.worst,
        price_id=quote.price_id,
        created_at=means.till.clock.now(),
        follows=place.follows,
    )

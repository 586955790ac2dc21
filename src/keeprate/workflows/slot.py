"""Buying one place of a request: the cascade in order, each try a row of its own."""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from keeprate.domain.attempts import AttemptKey, NewAttempt
from keeprate.domain.charges import ChargeBasis
from keeprate.domain.decisions import Decision, Step
from keeprate.domain.errors import Conflict, SpendingStopped
from keeprate.domain.outcomes import AttemptState, FailureClass
from keeprate.domain.requests import ImageRequest
from keeprate.domain.scopes import Scope
from keeprate.routing.quotes import quote_for
from keeprate.workflows.means import Means
from keeprate.workflows.pay import Paid, paid_call
from keeprate.workflows.ports import Materials, Outgoing
from keeprate.workflows.retry import next_wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A decided request on its way to be bought. `intent` names it once and for all."""

    scope: Scope
    request: ImageRequest
    decision: Decision
    decision_json: str
    materials: Materials
    intent: str
    retry_unknown: bool

    def images_in(self, slot: int) -> int:
        """Return how many images the attempt of this slot asks for."""
        each = self.decision.chosen.images_per_attempt
        return min(each, self.request.variants - slot * each)


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
    paid: list[Paid] = []
    for index, step in enumerate(order.decision.steps):
        if step.after == "reject":
            continue
        paid.extend(await _step(means, order, slot, index))
        if not _could_not_serve(paid[-1]):
            break
    return tuple(paid)


def _could_not_serve(paid: Paid) -> bool:
    failure = paid.failure
    return (
        failure is not None
        and failure.failure is not FailureClass.UNKNOWN
        and (not failure.is_final or failure.http_status == 404)
    )


async def _step(means: Means, order: Order, slot: int, index: int) -> tuple[Paid, ...]:
    tries = 0
    number = 0
    done: list[Paid] = []
    follows: str | None = None
    while True:
        paid = await _attempt(means, order, Place(slot, index, number, follows))
        number += 1
        if paid.replayed and _is_spent(paid, order):
            follows = paid.attempt.id if paid.attempt.state is AttemptState.UNKNOWN else follows
            continue
        done.append(paid)
        if paid.failure is None:
            return tuple(done)
        tries += 1
        wait_s = next_wait(paid.failure, tries=tries, jitter=means.rng.jitter())
        if wait_s is None:
            return tuple(done)
        means.progress(f"{paid.failure.outcome.raw_reason}: trying again in {wait_s:.1f} s")
        await means.till.clock.sleep(wait_s)


def _is_spent(paid: Paid, order: Order) -> bool:
    """Return whether an earlier row of this key cost nothing and leaves room for another try."""
    row = paid.attempt
    if row.state in {AttemptState.INTENT, AttemptState.SENT}:
        raise Conflict(
            f"attempt {row.id} of this intent is under way in another process",
            field="intent",
            value=row.new.key.intent,
            remedy="wait for it, then ask again with the same intent",
        )
    if row.state is AttemptState.UNKNOWN:
        return order.retry_unknown
    free = row.charge is None or row.charge.basis is ChargeBasis.NOT_SENT
    return row.state is AttemptState.FREED or (row.state is AttemptState.FAILED and free)


async def _attempt(means: Means, order: Order, place: Place) -> Paid:
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
    paid = await paid_call(means.till, new, call=call, provider=provider, price_of=means.price_of(new))
    if paid.replayed and paid.attempt.new.request_json != new.request_json:
        raise Conflict(
            f"intent {order.intent!r} was used for another request",
            field="intent",
            value=order.intent,
            remedy="use a new intent for a new request",
        )
    return paid


def _new_attempt(means: Means, order: Order, *, step: Step, call: Outgoing, place: Place) -> NewAttempt:
    key = AttemptKey(
        workspace=order.scope.workspace,
        intent=f"{order.intent}#{place.slot}",
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
        request_json=msgspec.json.encode(order.request).decode(),
        decision_json=order.decision_json,
        payload_sha256=call.sha256,
        quote_low=quote.low,
        quote_expected=quote.expected,
        hold=quote.worst,
        price_id=quote.price_id,
        created_at=means.till.clock.now(),
        follows=place.follows,
    )

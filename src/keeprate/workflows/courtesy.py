"""Paying with manners: a call leaves when its upstream may be asked, and what came of it is noted."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from keeprate.domain.attempts import Attempt, NewAttempt
from keeprate.domain.errors import DeadlinePassed, Throttled
from keeprate.domain.money import NanoUSD
from keeprate.domain.routes import Route
from keeprate.workflows.means import Means
from keeprate.workflows.pay import paid_call
from keeprate.workflows.ports import Outgoing, Provider
from keeprate.workflows.till import Paid

# A caller waits about as long for a closed way as for a slow picture; then another route, or a "later".
PATIENCE: Final = timedelta(seconds=60)
# Where another route may serve for no more money, nobody waits for a closed one.
SHORT: Final = timedelta()
# Those who wait for the same moment come back one after the other.
_SPREAD_S: Final = 1.0


async def until_free(
    means: Means, route: Route, hold: NanoUSD, *, patience: timedelta, ends_at: datetime | None
) -> None:
    """Return when a call on `route` may leave.

    Raises:
        Throttled: That is longer than `patience` away, or past `ends_at`.
    """
    clock = means.till.clock
    last = clock.now() + patience
    last = last if ends_at is None else min(last, ends_at)
    while wait := means.manners.wait(route, hold, clock.now()):
        if clock.now() + wait > last:
            raise Throttled(
                f"{route.upstream} is not to be asked for {route.model} for another {wait.total_seconds():.0f} s",
                retry_after_s=max(1.0, wait.total_seconds()),
                remedy="try again after that, or let the policy choose another model",
            )
        await clock.sleep(wait.total_seconds() + means.rng.jitter() * _SPREAD_S)


async def polite_call(
    means: Means,
    new: NewAttempt,
    *,
    call: Outgoing,
    provider: Provider,
    is_retry: bool,
    ends_at: datetime | None,
) -> Paid:
    """Pay as `paid_call` does, and note for the next caller how the upstream took it.

    Raises:
        DeadlinePassed: `ends_at` came first. The call goes on, and is booked.
        KeeprateError: As `paid_call`.
    """
    clock = means.till.clock
    means.manners.leaves(new, clock.now(), is_retry=is_retry)

    def ended(paid: Paid | None) -> None:
        if paid is None or paid.replayed:
            means.manners.stayed(new)
        else:
            means.manners.ended(new, paid.failure, _cost(paid.attempt), clock.now())

    left_s = None if ends_at is None else max(0.0, (ends_at - clock.now()).total_seconds())
    try:
        async with asyncio.timeout(left_s):
            return await paid_call(
                means.till, new, call=call, provider=provider, price_of=means.price_of(new), ended=ended
            )
    except TimeoutError as fault:
        raise DeadlinePassed(
            f"the deadline passed while attempt {new.id} was under way; it goes on and its money is held",
            field="deadline",
            remedy=f"ask again for the same, or see: keeprate attempts {new.id}",
            facts={"attempt_id": new.id},
        ) from fault


def _cost(row: Attempt) -> NanoUSD:
    return row.held if row.charge is None else row.charge.amount

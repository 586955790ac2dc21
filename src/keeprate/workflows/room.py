"""Whether the caps have room for a whole order, before its first image is bought.

The ledger refuses each hold by itself, and only it is sure when others buy at the same time. Without a
look ahead, though, an order that never fitted would be bought in part.
"""

from itertools import accumulate

from keeprate.domain.budgets import Standing
from keeprate.domain.errors import BudgetExceeded
from keeprate.domain.money import NanoUSD, display
from keeprate.routing.quotes import quote_for
from keeprate.workflows.intents import is_free
from keeprate.workflows.means import Means
from keeprate.workflows.slot import Order


async def refuse_what_may_not_fit(means: Means, order: Order) -> None:
    """Refuse several images that together may cost more than the tightest cap has left.

    Raises:
        BudgetExceeded: They may; the message says how many fit. Nothing was sent.
    """
    slots = [slot for slot in order.slots() if _is_to_buy(order, slot)]
    if len(slots) < 2:
        return
    offer = order.decision.chosen
    simulated = means.providers[offer.route.upstream].upstream.simulated
    now = means.till.clock.now()
    standings = await means.till.ledger.standings(order.scope, simulated=simulated, at=now)
    if not standings:
        return
    tightest = min(standings, key=lambda standing: standing.remaining)
    holds = [quote_for(offer, order.images_in(slot)).worst for slot in slots]
    if sum(holds) > tightest.remaining:
        images = [order.images_in(slot) for slot in slots]
        # The first calls ask for as many images as a call can bring, the last for what is left.
        fits = sum(
            count for count, held in zip(images, accumulate(holds), strict=True) if held <= tightest.remaining
        )
        raise _may_not_fit(tightest, NanoUSD(sum(holds)), wanted=sum(images), fits=fits)


def _is_to_buy(order: Order, slot: int) -> bool:
    return order.may_buy(slot) and all(is_free(row) for row in order.past.of(slot))


def _may_not_fit(standing: Standing, worst: NanoUSD, *, wanted: int, fits: int) -> BudgetExceeded:
    budget = standing.budget
    left = display(standing.remaining)
    resets = None if standing.resets_at is None else standing.resets_at.isoformat()
    fit = {0: "not one image fits", 1: "1 image fits"}.get(fits, f"{fits} images fit")
    buy_some = "" if fits == 0 else f"buy what fits with --partial, ask for {fits} at most, "
    wait = "" if resets is None else f", or wait until {resets}"
    return BudgetExceeded(
        f"{wanted} images may cost ${display(worst)} and ${left} is left of the cap of "
        f"${display(budget.limit)} {budget.window.span}: {fit}",
        field="budget",
        value=budget.id,
        remedy=f"{buy_some}raise the cap with `keeprate budget set`{wait}",
        facts={
            "budget": budget.id,
            "limit_usd": display(budget.limit),
            "remaining_usd": left,
            "wanted_usd": display(worst),
            "resets_at": resets,
            "images_that_fit": fits,
        },
    )

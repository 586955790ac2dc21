"""From what an answer reports to what is booked."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from keeprate.catalogue.cards import PriceRow
from keeprate.catalogue.pricing import charge_for
from keeprate.domain.attempts import NewAttempt
from keeprate.domain.charges import Charge, ChargeBasis, Usage
from keeprate.domain.errors import CatalogueError
from keeprate.domain.money import ZERO
from keeprate.domain.routes import ModelId
from keeprate.workflows.ports import Answer

PriceOf = Callable[[ModelId], PriceRow | None]


def charge_of(answer: Answer, new: NewAttempt, price_of: PriceOf) -> Charge:
    """Return the charge for an answer, priced as served.

    An answer that cannot be priced (no usage on a model priced by tokens, or a model without a price)
    is booked at its whole hold and marked uncertain: too much can be reconciled away, too little would
    be a bill nobody expected.
    """
    served = answer.model_version or new.route.model
    lane = answer.served_lane or new.lane
    price = price_of(served)
    usage = _countable(answer, price)
    amount, basis, certain = new.hold, ChargeBasis.ESTIMATED, False
    if answer.stated_free:
        amount, basis, certain = ZERO, ChargeBasis.STATED_FREE, True
    elif price is not None and usage is not None:
        # A model that served without being asked for may know no price at the size asked for.
        with suppress(CatalogueError):
            priced = charge_for(usage, price, lane=lane, size=new.route.size)
            amount, basis, certain = priced.amount, priced.basis, priced.certain
    return Charge(
        amount=amount,
        basis=basis,
        usage=answer.usage,
        served_model=served,
        lane=lane,
        price_id=price.id if price is not None else None,
        certain=certain,
    )


def _countable(answer: Answer, price: PriceRow | None) -> Usage | None:
    """Return the usage to price: as reported, or images counted where a model is priced by them.

    An image whose bytes were damaged is counted by the wire code though no part came of it: it was made.
    """
    if price is not None and price.per_image:
        usage = answer.usage or Usage()
        return replace(usage, images=max(usage.images, len(answer.images)))
    return answer.usage

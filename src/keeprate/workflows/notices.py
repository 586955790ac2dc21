"""Sentences worth reading beside a result: what was served, booked or drawn otherwise than asked for."""

from keeprate.catalogue.pricing import searches_may_be_free
from keeprate.domain.attempts import Attempt
from keeprate.domain.charges import Charge, ChargeBasis
from keeprate.domain.geometry import SQUARE
from keeprate.domain.money import display
from keeprate.workflows.means import Means
from keeprate.workflows.slot import Order
from keeprate.workflows.till import Paid


def notices_on(means: Means, order: Order, paid: Paid) -> list[str]:
    """Return what a person should know of an attempt beyond how it ended."""
    row = paid.attempt
    notices: list[str] = []
    if paid.replayed:
        notices.append(f"intent {order.intent} had bought this before; nothing was bought now")
    if row.charge is not None and row.charge.served_model not in {None, row.new.route.model}:
        notices.append(
            f"{row.charge.served_model} answered instead of {row.new.route.model}; it is priced as served"
        )
    if row.charge is not None and not row.charge.certain:
        notices.append(f"{_doubt(means, row, row.charge)}: keeprate reconcile {row.id} --billed --amount USD")
    if row.overrun:
        notices.append(f"the charge was ${display(row.overrun)} above its hold")
    notices.extend(_pixel_notices(means, order, paid))
    return notices


def _pixel_notices(means: Means, order: Order, paid: Paid) -> list[str]:
    route = paid.attempt.new.route
    card = means.book.find(paid.attempt.new.surface, route.model, means.today())
    wanted = None if card is None else card.grid.get((order.request.ratio or SQUARE, route.size))
    # Without a ratio an edit takes that of what it changes, whatever that is.
    follows = order.request.references or order.request.continues is not None
    if wanted is None or (follows and order.request.ratio is None):
        return []
    return [
        f"asked for {wanted} pixels, got {image.width}x{image.height}"
        for image in paid.images
        if (image.width, image.height) != (wanted.width, wanted.height)
    ]


def _doubt(means: Means, row: Attempt, charge: Charge) -> str:
    """Say why a charge is not certain, up to the command that sets it right."""
    booked = f"${display(charge.amount)} is booked"
    if charge.basis is ChargeBasis.ESTIMATED:
        return f"the upstream did not say what it used, so {booked}; when the bill is known, run"
    price = means.price_of(row.new)(charge.served_model or row.new.route.model)
    if price is not None and charge.usage is not None and searches_may_be_free(charge.usage, price):
        return (
            f"up to {price.grounding_free_monthly:,} searches a month are free on the upstream's bill, and "
            f"{booked} with {charge.usage.search_queries} at ${display(price.grounding_each)} each; if the "
            "bill says less, run"
        )
    return f"what the upstream reported may not be all it bills, and {booked}; when the bill is known, run"

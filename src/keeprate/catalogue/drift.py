"""Our token rates against an independent price list: what differs, and what it does not know."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from keeprate.catalogue.book import Book
from keeprate.catalogue.cards import PriceRow
from keeprate.domain.money import NanoUSD
from keeprate.domain.routes import GEMINI_API, ModelId, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRates:
    """Rates of a model in another list, nano-dollars a token; None where it gives none."""

    model: ModelId
    source: str
    input_each: NanoUSD | None
    text_output_each: NanoUSD | None
    image_output_each: NanoUSD | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One rate on which the lists differ. `theirs` None: the other list gives no such rate."""

    model: ModelId
    rate: str
    ours: NanoUSD
    theirs: NanoUSD | None
    our_source: str
    their_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """`agreeing` models have every rate alike; `unlisted` ones the other list does not know."""

    day: date
    agreeing: tuple[ModelId, ...]
    drifts: tuple[Drift, ...]
    unlisted: tuple[ModelId, ...]


def drift(book: Book, listed: Iterable[ListedRates], day: date, surface: Surface = GEMINI_API) -> DriftReport:
    """Compare the rates of the models that answer on `day` with another list.

    A model priced per image has no token rates and is left out of the comparison.

    Raises:
        NoPriceOnDate: A living model has no price.
    """
    theirs = {one.model: one for one in listed}
    prices = [book.price_on(surface, card.model, day) for card in book.models(surface, day)]
    metered = [price for price in prices if not price.per_image]
    drifts = tuple(
        found for price in metered if price.model in theirs for found in _between(price, theirs[price.model])
    )
    drifting = {one.model for one in drifts}
    return DriftReport(
        day=day,
        agreeing=tuple(
            price.model for price in metered if price.model in theirs and price.model not in drifting
        ),
        drifts=drifts,
        unlisted=tuple(price.model for price in metered if price.model not in theirs),
    )


def _between(ours: PriceRow, theirs: ListedRates) -> Sequence[Drift]:
    pairs = (
        ("input_each", ours.input_each, theirs.input_each),
        ("text_output_each", ours.text_output_each, theirs.text_output_each),
        ("image_output_each", ours.image_output_each, theirs.image_output_each),
    )
    return [
        Drift(
            model=ours.model,
            rate=rate,
            ours=our_rate,
            theirs=their_rate,
            our_source=ours.provenance.source,
            their_source=theirs.source,
        )
        for rate, our_rate, their_rate in pairs
        if our_rate != their_rate
    ]

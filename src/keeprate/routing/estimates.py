"""What many images cost before anybody asks for one: a model, a mix or a chain, by card and by rates.

The card is the rounded price per image that the vendor prints; rates are tokens times the price of a
token. Both are always worked out, since budgets are made from the first and bills from the second.
Estimates count image output; reference input and thinking are given apart.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from keeprate.catalogue.book import Book
from keeprate.catalogue.cards import PriceRow
from keeprate.catalogue.names import resolve
from keeprate.catalogue.pricing import card_price, image_price, in_lane
from keeprate.domain.errors import InvalidValue, ModelRetired
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.numbers import whole
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import GEMINI_API, ModelId, Surface
from keeprate.routing.listings import thinking_terms
from keeprate.routing.mixes import apportioned, mix_named
from keeprate.routing.six_model import NANO_BANANA, NANO_BANANA_PRO

LARGEST_COUNT: Final = 100_000_000
# Input images are printed to a tenth of a mill ($0.0011 on the card, $0.00112 by tokens).
_CARD_UNIT: Final = 100_000
_CHAIN: Final = re.compile(r"([1-9]\d{0,3})\+([1-9]\d{0,5})\Z", re.ASCII)


class Prices(StrEnum):
    """Which price the total is made of; the other one is shown beside it."""

    RATES = "rates"
    CARD = "card"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A two-stage identity chain: canonical references, then variants that each take one of them."""

    references: int
    variants: int

    @classmethod
    def parse(cls, text: str) -> "Chain":
        """Return the chain written "1+10".

        Raises:
            InvalidValue: Not of that form.
        """
        found = _CHAIN.match(text)
        if found is None:
            raise InvalidValue(
                f"chain {text!r} is not of the form REFERENCES+VARIANTS",
                field="chain",
                value=text,
                remedy="write it like 1+10",
            )
        return cls(references=int(found[1]), variants=int(found[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateQuery:
    """What to estimate: exactly one of `model`, `mix` and `chain`.

    `count` is how many images, or how many chains. `model` may be anything the catalogue resolves.
    `upstream` names the connection whose contract prices hold, where it has any; None takes official ones.
    """

    count: int = 1
    model: str | None = None
    size: Size = Size.ONE_K
    mix: str | None = None
    chain: Chain | None = None
    lane: Lane = Lane.LIVE
    prices: Prices = Prices.RATES
    upstream: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRow:
    """One model's part. `asked` differs from `model` where a successor does its work.

    `by_card` and `by_rates` are what one image costs; `by_card` is None where nothing is printed.
    `references` and `thinking` are for the whole row, at rates. `lane` is live where the model is
    not sold in the lane asked for.
    """

    asked: ModelId
    model: ModelId
    size: Size
    lane: Lane
    images: int
    by_card: NanoUSD | None
    by_rates: NanoUSD
    reference_input: NanoUSD
    thinking: NanoUSD


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The answer. `total` and `per_image` are by the prices asked for; `per_image` is rounded half up."""

    query: EstimateQuery
    day: date
    images: int
    rows: tuple[EstimateRow, ...]
    total: NanoUSD
    per_image: NanoUSD
    total_by_card: NanoUSD | None
    total_by_rates: NanoUSD
    reference_input: NanoUSD
    thinking: NanoUSD
    notes: tuple[str, ...]

    @property
    def total_with_references(self) -> NanoUSD:
        """Return the total with reference input added."""
        return NanoUSD(self.total + self.reference_input)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Images wanted of a model, each with some references; `exact` models are never replaced."""

    model: ModelId
    size: Size
    images: int
    references_each: int = 0


def estimate(query: EstimateQuery, *, book: Book, day: date, surface: Surface = GEMINI_API) -> Estimate:
    """Return what `query` costs on `day`.

    Raises:
        InvalidValue: None or several of model, mix and chain, or a count out of range.
        UnknownModel: No such model on `surface`.
        ModelRetired: The model no longer answers.
        CatalogueError: It is not sold in that size or lane.
    """
    _check(query)
    notes: list[str] = []
    parts = _parts(query, notes, book=book, surface=surface, day=day)
    rows = [_row(query, part, notes, book=book, surface=surface, day=day) for part in parts if part.images]
    images = sum([row.images for row in rows])
    by_rates = sum([row.by_rates * row.images for row in rows])
    printed = [None if row.by_card is None else row.by_card * row.images for row in rows]
    by_card = None if None in printed else sum([each for each in printed if each is not None])
    total = by_card if query.prices is Prices.CARD and by_card is not None else by_rates
    return Estimate(
        query=query,
        day=day,
        images=images,
        rows=tuple(rows),
        total=NanoUSD(total),
        per_image=NanoUSD((2 * total + images) // (2 * images)),
        total_by_card=None if by_card is None else NanoUSD(by_card),
        total_by_rates=NanoUSD(by_rates),
        reference_input=NanoUSD(sum([row.reference_input for row in rows])),
        thinking=NanoUSD(sum([row.thinking for row in rows])),
        notes=tuple(dict.fromkeys(notes)),
    )


def _check(query: EstimateQuery) -> None:
    whole(query.count, field="count", least=1, most=LARGEST_COUNT)
    named = [name for name, given in _subjects(query).items() if given is not None]
    if len(named) != 1:
        raise InvalidValue(
            "an estimate is of one thing: a model, a mix or a chain",
            field="model",
            value=", ".join(named) or None,
            remedy="give exactly one of model, mix and chain",
        )


def _subjects(query: EstimateQuery) -> dict[str, object]:
    return {"model": query.model, "mix": query.mix, "chain": query.chain}


def _parts(
    query: EstimateQuery, notes: list[str], *, book: Book, surface: Surface, day: date
) -> tuple[_Part, ...]:
    if query.mix is not None:
        mix = mix_named(query.mix)
        notes.extend(mix.notes)
        shares = apportioned(mix, query.count)
        return tuple([_Part(model=model, size=query.size, images=images) for model, images in shares])
    if query.chain is not None:
        references, variants = query.chain.references * query.count, query.chain.variants * query.count
        return (
            _Part(model=NANO_BANANA, size=Size.ONE_K, images=references),
            _Part(model=NANO_BANANA_PRO, size=query.size, images=variants, references_each=1),
        )
    found = resolve(book, query.model or "", surface, day)
    notes.extend(found.notices)
    return (_Part(model=found.model, size=query.size, images=query.count),)


def _row(
    query: EstimateQuery, part: _Part, notes: list[str], *, book: Book, surface: Surface, day: date
) -> EstimateRow:
    who = book.acting_for(surface, part.model, day)
    if who is None:
        raise ModelRetired(
            f"{part.model} does not answer on {surface} on {day}, and nobody is named to take over",
            field="model",
            value=str(part.model),
            remedy="choose another model; `keeprate models` lists them",
        )
    card = who.card
    price = book.price_on(surface, card.model, day, query.upstream)
    if price.upstream is not None:
        notes.append(f"{card.model} at the price of upstream {price.upstream}: {price.provenance.source}")
    if card.model != part.model:
        notes.append(f"{part.model} is priced as {card.model}, which does its work on {day}")
    lane = _lane(query, price, notes)
    terms = thinking_terms(card, who.thinking)
    thinking = 0 if terms is None else terms.expected_tokens * price.text_output_each * part.images
    given = part.references_each * price.reference_tokens * price.input_each
    given = in_lane(NanoUSD(given), price, lane)
    if query.prices is Prices.CARD:
        given = NanoUSD((given + _CARD_UNIT // 2) // _CARD_UNIT * _CARD_UNIT)
    return EstimateRow(
        asked=part.model,
        model=card.model,
        size=part.size,
        lane=lane,
        images=part.images,
        by_card=card_price(price, size=part.size, lane=lane) if part.size in price.card else None,
        by_rates=image_price(price, size=part.size, lane=lane),
        reference_input=NanoUSD(given * part.images),
        thinking=in_lane(NanoUSD(thinking), price, lane),
    )


def _lane(query: EstimateQuery, price: PriceRow, notes: list[str]) -> Lane:
    """Return the lane a row is bought in: a mix keeps live what is not sold in the lane asked for."""
    if query.lane in price.lanes or (query.mix is None and query.chain is None):
        return query.lane
    refusal = price.unlisted_lanes.get(query.lane)
    why = "" if refusal is None or refusal.note is None else f" ({refusal.note.rstrip('.')})"
    notes.append(f"{price.model} has no {query.lane} lane{why}: its row is at the live price")
    return Lane.LIVE

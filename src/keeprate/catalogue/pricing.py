"""From what was used to what it costs: exact, in whole nano-dollars.

Token rates are whole nano-dollars, so a live charge never rounds. A lane takes its share of the sum of
the token lines, rounded up once to the next nano-dollar; grounded searches cost the same in every lane.
"""

from dataclasses import dataclass

from keeprate.catalogue.cards import LaneTerms, PriceRow
from keeprate.domain.charges import ChargeBasis, Usage
from keeprate.domain.errors import CatalogueError
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD, scaled
from keeprate.domain.purposes import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeLine:
    """One part of a charge at the live rate: `count` of `unit` at `each`."""

    part: str
    unit: str
    count: int
    each: NanoUSD

    @property
    def amount(self) -> NanoUSD:
        return NanoUSD(self.count * self.each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What usage costs. `lines` are at live rates; `amount` has the lane's share applied.

    `certain` is False where the usage cannot be the whole truth: an image came and no image tokens
    were reported, the lane that served is not in the price list and the live price was taken, or a
    search was charged that the account may have had free.
    """

    amount: NanoUSD
    lines: tuple[ChargeLine, ...]
    basis: ChargeBasis
    lane: Lane
    certain: bool


def charge_for(usage: Usage, price: PriceRow, *, lane: Lane, size: Size) -> Priced:
    """Return what `usage` costs under `price` in the lane that served it.

    `size` prices images that are counted and not metered: Imagen's, and any that came without image
    tokens (then at the dearest count known, and not `certain`).

    Raises:
        CatalogueError: Images must be counted and the price row does not know `size`.
    """
    per_image = bool(price.per_image)
    lines = _counted(usage, price, size) if per_image else _metered(usage, price, size)
    terms = price.lanes.get(lane)
    share = sum(line.amount for line in lines)
    if terms is not None:
        share = scaled(NanoUSD(share), numerator=terms.numerator, denominator=terms.denominator)
    grounding = _line("grounding", "search", usage.search_queries, price.grounding_each)
    extras = () if usage.search_queries == 0 else (grounding,)
    unmetered = not per_image and usage.images > 0 and usage.output_image_tokens == 0
    return Priced(
        amount=NanoUSD(share + sum(line.amount for line in extras)),
        lines=(*lines, *extras),
        basis=ChargeBasis.PER_IMAGE if per_image else ChargeBasis.USAGE,
        lane=lane,
        certain=terms is not None and not unmetered and not searches_may_be_free(usage, price),
    )


def searches_may_be_free(usage: Usage, price: PriceRow) -> bool:
    """Return whether searches are charged here that the bill may have free: only it counts the month."""
    return usage.search_queries > 0 and price.grounding_each > 0 and price.grounding_free_monthly > 0


def image_price(price: PriceRow, *, size: Size, lane: Lane) -> NanoUSD:
    """Return what the image itself costs, from tokens × rates or the price per image.

    Raises:
        CatalogueError: The price row does not know `size`, or the lane is not on offer.
    """
    return in_lane(image_live_price(price, size), price, lane)


def card_price(price: PriceRow, *, size: Size, lane: Lane) -> NanoUSD:
    """Return the rounded price the vendor prints for an image, with the lane's share applied.

    Raises:
        CatalogueError: No price is printed for `size`, or the lane is not on offer.
    """
    if size not in price.card:
        raise _no_size(price, size, "prints no price")
    return in_lane(price.card[size], price, lane)


def image_live_price(price: PriceRow, size: Size) -> NanoUSD:
    """Return the live price of an image of `size`.

    Raises:
        CatalogueError: The price row does not know `size`.
    """
    if price.per_image:
        if size not in price.per_image:
            raise _no_size(price, size, "has no price")
        return price.per_image[size]
    if size not in price.image_tokens:
        raise _no_size(price, size, "has no token count")
    return NanoUSD(price.image_tokens[size] * price.image_output_each)


def in_lane(amount: NanoUSD, price: PriceRow, lane: Lane) -> NanoUSD:
    """Return a live amount as the lane prices it, rounded up to the nano-dollar.

    Raises:
        CatalogueError: The lane is not on offer; the message says why.
    """
    terms = lane_terms(price, lane)
    return scaled(amount, numerator=terms.numerator, denominator=terms.denominator)


def lane_terms(price: PriceRow, lane: Lane) -> LaneTerms:
    """Return how `lane` is priced.

    Raises:
        CatalogueError: It is not on offer; the message says why where a source does.
    """
    if lane in price.lanes:
        return price.lanes[lane]
    refusal = price.unlisted_lanes.get(lane)
    why = "" if refusal is None or refusal.note is None else f": {refusal.note}"
    raise CatalogueError(
        f"{price.model} on {price.surface} has no {lane} lane{why}",
        field="lane",
        value=lane,
        remedy="use one of: " + ", ".join(price.lanes),
    )


def _metered(usage: Usage, price: PriceRow, size: Size) -> tuple[ChargeLine, ...]:
    image_tokens = usage.output_image_tokens
    if usage.images > 0 and image_tokens == 0:
        if size not in price.image_tokens_high:
            raise _no_size(price, size, "has no token count")
        image_tokens = usage.images * price.image_tokens_high[size]
    lines = (
        _line("prompt", "token", usage.prompt_text_tokens, price.input_each),
        _line("reference", "token", usage.prompt_image_tokens, price.input_each),
        _line("video", "token", usage.prompt_video_tokens, price.input_each),
        _line("text", "token", usage.output_text_tokens, price.text_output_each),
        _line("thinking", "token", usage.thought_tokens, price.text_output_each),
        _line("image", "token", image_tokens, price.image_output_each),
    )
    return tuple(line for line in lines if line.count)


def _counted(usage: Usage, price: PriceRow, size: Size) -> tuple[ChargeLine, ...]:
    if usage.images == 0:
        return ()
    if size not in price.per_image:
        raise _no_size(price, size, "has no price")
    return (_line("image", "image", usage.images, price.per_image[size]),)


def _line(part: str, unit: str, count: int, each: NanoUSD) -> ChargeLine:
    return ChargeLine(part=part, unit=unit, count=count, each=each)


def _no_size(price: PriceRow, size: Size, problem: str) -> CatalogueError:
    sizes = price.per_image or price.image_tokens
    return CatalogueError(
        f"{price.id} {problem} at {size}",
        field="size",
        value=size,
        remedy="use one of: " + ", ".join(sizes),
    )

"""Money before spending."""

from dataclasses import dataclass

from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import ModelId, Route, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """One part of a quote: what it is for, how much of it, and what each costs.

    `part` is one of "image", "reference", "thinking", "prompt", "grounding", "video".
    Counts are tokens, or images for a per-image price (`unit` says which).
    """

    part: str
    unit: str
    count_low: int
    count_expected: int
    count_worst: int
    each: NanoUSD
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Low, expected and worst money for one attempt, and the price row it rests on.

    `max_output_tokens` is what is sent to make the worst case a number; None where the price is
    per image.
    """

    low: NanoUSD
    expected: NanoUSD
    worst: NanoUSD
    lines: tuple[QuoteLine, ...]
    price_id: str
    max_output_tokens: int | None = None

    def times(self, count: int) -> "Quote":
        """Return the band for `count` such attempts."""
        return Quote(
            low=NanoUSD(self.low * count),
            expected=NanoUSD(self.expected * count),
            worst=NanoUSD(self.worst * count),
            lines=self.lines,
            price_id=self.price_id,
            max_output_tokens=self.max_output_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A route that can serve the request, with its quote for one attempt.

    `images_per_attempt` is how many images one attempt can return (Imagen's sampleCount up to 4).
    `successor_of` names the dead model whose work this one takes over, if any.
    """

    route: Route
    surface: Surface
    lane: Lane
    quote: Quote
    images_per_attempt: int = 1
    successor_of: ModelId | None = None

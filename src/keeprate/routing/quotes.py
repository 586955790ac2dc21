"""Money before spending: low, expected and worst for one attempt, line by line.

The band holds for an attempt that returns its images. Low: no thinking, no search, the smallest
count a source gives. Worst: the dearer side of every conflict, the whole thinking allowance, a
token for every byte of the prompt. What is sent as `maxOutputTokens` makes the worst a number.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from keeprate.catalogue.cards import PriceRow, ThinkingTerms
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD, scaled
from keeprate.domain.purposes import Lane
from keeprate.domain.quotes import Offer, Quote, QuoteLine
from keeprate.routing.tokens import PromptTokens

# A small input image, and a second of video, are 258 tokens (https://ai.google.dev/gemini-api/docs/tokens).
SMALLEST_IMAGE_TOKENS: Final = 258
VIDEO_SECOND_TOKENS: Final = 258
# Nobody tells how long a linked video is: ten seconds are expected, ten minutes are held.
VIDEO_SECONDS: Final = (1, 10, 600)
# One grounded call may search several times, or find the search free within the monthly allowance.
SEARCHES: Final = (0, 1, 5)


class Share(NamedTuple):
    """A lane's part of the live price."""

    numerator: int
    denominator: int

    def of(self, each: NanoUSD) -> NanoUSD:
        """Return what one unit costs in the lane; published rates divide without a rest."""
        return scaled(each, numerator=self.numerator, denominator=self.denominator)


LIVE_SHARE: Final = Share(1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one attempt buys, its prompt apart.

    `thinking` is None for a model that does not think. `references` counts every image that goes
    in, those of the conversation so far included.
    """

    size: Size
    images: int
    references: int
    thinking: ThinkingTerms | None
    grounding: bool
    video: bool
    lane: Lane


def is_priced(price: PriceRow, size: Size) -> bool:
    """Return whether `price` can put a number on an image of `size`."""
    return size in price.per_image or (size in price.image_tokens and price.image_output_each > 0)


def share(price: PriceRow, lane: Lane) -> Share | None:
    """Return the lane's part of the live price, or None where the lane is not on offer."""
    terms = price.lanes.get(lane)
    if terms is not None:
        return Share(terms.numerator, terms.denominator)
    return LIVE_SHARE if lane is Lane.LIVE else None


def lines(price: PriceRow, job: Job) -> tuple[QuoteLine, ...]:
    """Return the parts of the price that do not depend on the prompt, at the lane's rates."""
    part = share(price, job.lane) or LIVE_SHARE
    found = [_image_line(price, job, part)]
    if job.references and price.input_each:
        found.append(_reference_line(price, job, part))
    if job.thinking is not None and job.thinking.allowance_tokens and price.text_output_each:
        found.append(_thinking_line(price, job.thinking, part))
    if job.video and price.input_each:
        low, expected, worst = (seconds * VIDEO_SECOND_TOKENS for seconds in VIDEO_SECONDS)
        found.append(_line("video", (low, expected, worst), part.of(price.input_each), price))
    if job.grounding and price.grounding_each:
        # Searches are billed apart from tokens, and no lane makes them cheaper.
        found.append(_line("grounding", SEARCHES, price.grounding_each, price, unit="search"))
    return tuple(found)


def input_each(price: PriceRow, lane: Lane) -> NanoUSD:
    """Return what one token of the prompt costs in the lane."""
    return (share(price, lane) or LIVE_SHARE).of(price.input_each)


@lru_cache(maxsize=4096)
def prompt_line(tokens: PromptTokens, each: NanoUSD, source: str) -> QuoteLine:
    """Return what reading the prompt costs; the routes of one decision mostly share it."""
    low, expected, worst = tokens
    return QuoteLine(
        part="prompt",
        unit="token",
        count_low=low,
        count_expected=expected,
        count_worst=worst,
        each=each,
        source=source,
    )


def output_limit(price: PriceRow, job: Job) -> int | None:
    """Return the `maxOutputTokens` that makes the worst case a number; None for a per-image price."""
    if job.size in price.per_image:
        return None
    allowance = 0 if job.thinking is None else job.thinking.allowance_tokens
    return _most_image_tokens(price, job.size) * job.images + allowance


def total(of: tuple[QuoteLine, ...]) -> tuple[NanoUSD, NanoUSD, NanoUSD]:
    """Return low, expected and worst of some lines."""
    return (
        NanoUSD(sum([line.count_low * line.each for line in of])),
        NanoUSD(sum([line.count_expected * line.each for line in of])),
        NanoUSD(sum([line.count_worst * line.each for line in of])),
    )


def quote(price: PriceRow, job: Job, tokens: PromptTokens) -> Quote:
    """Return the band for one attempt at `job` with a prompt of `tokens`."""
    parts = lines(price, job)
    if price.input_each:
        parts = (*parts, prompt_line(tokens, input_each(price, job.lane), price.provenance.source))
    low, expected, worst = total(parts)
    return Quote(
        low=low,
        expected=expected,
        worst=worst,
        lines=parts,
        price_id=price.id,
        max_output_tokens=output_limit(price, job),
    )


def quote_for(offer: Offer, images: int) -> Quote:
    """Return the band for an attempt that asks `offer` for `images` images.

    The last attempt of a request may want fewer than the first (six images, four a call).
    """
    if images == offer.images_per_attempt:
        return offer.quote
    parts = tuple(
        [
            _fewer(line, images, offer.images_per_attempt) if line.part == "image" else line
            for line in offer.quote.lines
        ]
    )
    low, expected, worst = total(parts)
    limit = offer.quote.max_output_tokens
    if limit is not None:
        limit -= sum([line.count_worst for line in offer.quote.lines if line.part == "image"]) - sum(
            [line.count_worst for line in parts if line.part == "image"]
        )
    return Quote(
        low=low,
        expected=expected,
        worst=worst,
        lines=parts,
        price_id=offer.quote.price_id,
        max_output_tokens=limit,
    )


def _fewer(line: QuoteLine, images: int, of: int) -> QuoteLine:
    return QuoteLine(
        part=line.part,
        unit=line.unit,
        count_low=line.count_low * images // of,
        count_expected=line.count_expected * images // of,
        count_worst=line.count_worst * images // of,
        each=line.each,
        source=line.source,
    )


def _image_line(price: PriceRow, job: Job, part: Share) -> QuoteLine:
    each = price.per_image.get(job.size)
    if each is not None:
        return _line("image", (job.images, job.images, job.images), part.of(each), price, unit="image")
    usual = price.image_tokens[job.size] * job.images
    most = _most_image_tokens(price, job.size) * job.images
    return _line("image", (usual, usual, most), part.of(price.image_output_each), price)


def _most_image_tokens(price: PriceRow, size: Size) -> int:
    return max(price.image_tokens[size], price.image_tokens_high.get(size, 0))


def _reference_line(price: PriceRow, job: Job, part: Share) -> QuoteLine:
    listed = price.reference_tokens
    counts = (min(SMALLEST_IMAGE_TOKENS, listed), listed, max(price.reference_tokens_high, listed))
    low, expected, worst = (job.references * count for count in counts)
    return _line("reference", (low, expected, worst), part.of(price.input_each), price)


def _thinking_line(price: PriceRow, thinking: ThinkingTerms, part: Share) -> QuoteLine:
    counts = (0, thinking.expected_tokens, thinking.allowance_tokens)
    return _line("thinking", counts, part.of(price.text_output_each), price)


def _line(
    part: str, counts: tuple[int, int, int], each: NanoUSD, price: PriceRow, *, unit: str = "token"
) -> QuoteLine:
    low, expected, worst = counts
    return QuoteLine(
        part=part,
        unit=unit,
        count_low=low,
        count_expected=expected,
        count_worst=worst,
        each=each,
        source=price.provenance.source,
    )

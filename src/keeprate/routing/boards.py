"""All routes of a market for one shape of request: what each costs without its prompt, and who is out.

A board is worked out once per shape and remembered; only the prompt's length is added per request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from keeprate.catalogue.cards import PriceRow
from keeprate.domain.decisions import Rejection
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Thinking
from keeprate.domain.quotes import Offer, Quote, QuoteLine
from keeprate.domain.routes import ModelId, Route
from keeprate.routing import quotes
from keeprate.routing.eligibility import Unmet, unmet_needs
from keeprate.routing.listings import Listing, Shape, thinking_terms
from keeprate.routing.quotes import Job
from keeprate.routing.tokens import PromptTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A listing that meets every need of a shape, priced but for the prompt.

    `attempts` is how many attempts give all images wanted; `fixed` is low, expected and worst of the
    first one without its prompt, `all_fixed` of all of them; `input_each` is a prompt token's price in
    the lane and `slope` what one more of them adds to the whole. `source` is the price row's.
    """

    listing: Listing
    route: Route
    job: Job
    price: PriceRow
    lines: tuple[QuoteLine, ...]
    fixed: tuple[NanoUSD, NanoUSD, NanoUSD]
    all_fixed: tuple[NanoUSD, NanoUSD, NanoUSD]
    input_each: NanoUSD
    slope: int
    attempts: int
    max_output_tokens: int | None
    label: str
    source: str

    def offer(self, tokens: PromptTokens, *, successor_of: ModelId | None = None) -> Offer:
        """Return the offer of one attempt with a prompt of `tokens`."""
        return Offer(
            route=self.route,
            surface=self.listing.upstream.surface,
            lane=self.job.lane,
            quote=self.quote(tokens),
            images_per_attempt=self.job.images,
            successor_of=successor_of,
        )

    def quote(self, tokens: PromptTokens) -> Quote:
        """Return the band for the first attempt."""
        return self._quote(self.fixed, tokens, 1)

    def whole_quote(self, tokens: PromptTokens) -> Quote:
        """Return the band for all images wanted; its lines are those of the first attempt."""
        return self._quote(self.all_fixed, tokens, self.attempts)

    def _quote(self, fixed: tuple[NanoUSD, NanoUSD, NanoUSD], tokens: PromptTokens, attempts: int) -> Quote:
        low, expected, worst = fixed
        each = self.input_each
        prompt_each = each * attempts
        lines = (*self.lines, quotes.prompt_line(tokens, each, self.source)) if each else self.lines
        return Quote(
            low=NanoUSD(low + tokens.low * prompt_each),
            expected=NanoUSD(expected + tokens.expected * prompt_each),
            worst=NanoUSD(worst + tokens.worst * prompt_each),
            lines=lines,
            price_id=self.price.id,
            max_output_tokens=self.max_output_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Who can serve a shape, cheapest first, and who cannot.

    `rates` gives each candidate with its expected money for all images but for the prompt, and what
    a prompt token adds to that. `tightest_prompt` is the smallest token limit among the candidates,
    None where none has one.
    """

    rates: tuple[tuple[int, int, Candidate], ...]
    rejections: tuple[Rejection, ...]
    tightest_prompt: int | None


def board(listings: Iterable[Listing], day: date, shape: Shape) -> Board:
    """Return the board of `shape` on `day`."""
    kept = tuple(listings)
    named = len({listing.upstream.name for listing in kept}) > 1
    candidates: list[Candidate] = []
    rejections: list[Rejection] = []
    for listing in kept:
        unmet = unmet_needs(listing, shape, day)
        if unmet or listing.price is None:
            rejections.append(rejection(listing, shape, unmet, named=named))
        else:
            candidates.append(candidate(listing, listing.price, shape, named=named))
    limits = [one.listing.card.max_prompt_tokens for one in candidates]
    return Board(
        rates=tuple([(one.all_fixed[1], one.slope, one) for one in sorted(candidates, key=_cheapest_first)]),
        rejections=tuple(rejections),
        tightest_prompt=min([limit for limit in limits if limit is not None], default=None),
    )


def candidate(listing: Listing, price: PriceRow, shape: Shape, *, named: bool) -> Candidate:
    """Return `listing` priced for `shape`; `named` puts the upstream into its label."""
    a_call = min(max(1, listing.card.images_per_call), shape.variants)
    attempts = -(-shape.variants // a_call)
    job = _job(listing, shape, a_call)
    lines = quotes.lines(price, job)
    fixed = quotes.total(lines)
    last = shape.variants - a_call * (attempts - 1)
    rest = quotes.total(quotes.lines(price, _job(listing, shape, last)))
    input_each = quotes.input_each(price, shape.lane)
    return Candidate(
        listing=listing,
        route=_route(listing, shape),
        job=job,
        price=price,
        lines=lines,
        fixed=fixed,
        all_fixed=(
            NanoUSD(fixed[0] * (attempts - 1) + rest[0]),
            NanoUSD(fixed[1] * (attempts - 1) + rest[1]),
            NanoUSD(fixed[2] * (attempts - 1) + rest[2]),
        ),
        input_each=input_each,
        slope=input_each * attempts,
        attempts=attempts,
        max_output_tokens=quotes.output_limit(price, job),
        label=_label(listing, named=named),
        source=price.provenance.source,
    )


def rejection(listing: Listing, shape: Shape, unmet: tuple[Unmet, ...], *, named: bool) -> Rejection:
    """Return why `listing` is out: the code of the gravest need, the sentences of all."""
    where = f"on {listing.upstream.name}: " if named else ""
    return Rejection(
        route=_route(listing, shape),
        code=unmet[0].code,
        reason=where + "; ".join([need.reason for need in unmet]),
    )


def _label(listing: Listing, *, named: bool) -> str:
    return f"{listing.card.model} on {listing.upstream.name}" if named else str(listing.card.model)


def _route(listing: Listing, shape: Shape) -> Route:
    terms = thinking_terms(listing.card, shape.thinking)
    return Route(
        upstream=listing.upstream.name,
        model=listing.card.model,
        size=shape.size,
        thinking=Thinking.NONE if terms is None else terms.level,
    )


def _job(listing: Listing, shape: Shape, images: int) -> Job:
    return Job(
        size=shape.size,
        images=images,
        references=shape.input_images,
        thinking=thinking_terms(listing.card, shape.thinking),
        grounding=shape.grounding,
        video=shape.video,
        lane=shape.lane,
    )


def _cheapest_first(one: Candidate) -> tuple[int, int, int, str]:
    return (one.all_fixed[1], one.all_fixed[2], one.listing.place, one.route.model)

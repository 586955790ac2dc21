"""Quotes held against the emulator's own usage and price list: two programs that share no line.

A campaign is some dozens of requests of one shape, a share of which is rejected and escalated. The sum
billed must lie within the quoted band, and near the sum expected.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest

from keeprate.domain.errors import NoEligibleRoute
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Purpose, TextAmount, Thinking
from keeprate.domain.quotes import Offer, Quote
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import GEMINI_API, VERTEX, Surface
from keeprate.routing.decide import decide
from keeprate.routing.market import Market
from keeprate.routing.policies import POLICIES
from keeprate.routing.quotes import quote_for
from keeprate_emulator.faults import NO_FAULT
from keeprate_emulator.flaws import profiles
from keeprate_emulator.luck import Luck
from keeprate_emulator.models import all_models
from keeprate_emulator.outcomes import Terms, outcome_of
from keeprate_emulator.prices import price_list
from keeprate_emulator.requests import Ask, Attachment, Turn
from tests.books import official_book
from tests.trust_counts import count, record
from tests.unit.routing.goods import request, upstream

DAYS = (date(2026, 4, 15), date(2026, 7, 1), date(2026, 10, 10), date(2026, 11, 21))
WORDS = [
    "a",
    "red",
    "fox",
    "on",
    "a",
    "green",
    "hill,",
    "'GRAND",
    "OPENING'",
    "in",
    "tall",
    "letters,",
    "狐狸,",
    "soft",
    "light",
    "",
]


@dataclass(slots=True)
class Sums:
    """Money in nano-dollars, quoted and billed."""

    low: int = 0
    expected: int = 0
    worst: int = 0
    billed: int = 0

    def add(self, quote: Quote, billed: int) -> None:
        self.low += quote.low
        self.expected += quote.expected
        self.worst += quote.worst
        self.billed += billed

    @property
    def off(self) -> float:
        """How far the expected sum is from the billed one, as a share of it."""
        return abs(self.expected - self.billed) / self.billed


def billed(offer: Offer, images: int, asked: ImageRequest, call: str, *, capped: bool) -> int:
    """Return what the emulator charges for one attempt, in nano-dollars."""
    family = all_models()[offer.route.model].family
    prices = price_list(family.name)
    if prices.per_image:
        return prices.per_image * images
    picture = Attachment(content=b"", mime="image/png", by_model=False)
    turn = Turn(
        by_model=False,
        text=asked.prompt,
        attachments=(picture,) * len(asked.references),
        unsigned_image=None,
        forged=False,
    )
    level = "" if offer.route.thinking in {Thinking.NONE, Thinking.FIXED} else str(offer.route.thinking)
    ask = Ask(
        turns=(turn,), system="", ratio="", size=str(offer.route.size), mime="", quality=0,
        modalities=frozenset({"IMAGE"}), thinking_level=level, thinking_named=bool(level), include_thoughts=False,
        max_output_tokens=offer.quote.max_output_tokens if capped else None,
        candidates=1, sampling_named=(), tools=frozenset(), structured=False, tier="",
    )  # fmt: skip
    terms = Terms(
        family=family, prices=prices, profile=profiles(None)[family.name], size=str(offer.route.size)
    )
    outcome = outcome_of(ask, terms, NO_FAULT, Luck(call))
    return prices.of_tokens(outcome.tokens, surface=offer.surface, lane="standard")  # type: ignore[arg-type]


def campaigns(number: int) -> Iterator[tuple[int, Market, str, list[ImageRequest]]]:
    book = official_book()
    for seed in range(number):
        dice = random.Random(seed)
        surface: Surface = dice.choice([GEMINI_API, VERTEX])
        market = Market.of(book, [upstream("google", surface)], dice.choice(DAYS))
        purpose, references = dice.choice(list(Purpose)), dice.choice([0, 0, 1, 3, 6])
        size = dice.choice([Size.ONE_K, Size.ONE_K, Size.TWO_K, Size.FOUR_K])
        wanted = [
            request(
                purpose,
                references=references,
                size=size,
                text=dice.choice([None, TextAmount.SHORT]),
                variants=dice.choice([1, 1, 2, 5, 6]),
                prompt=" ".join(dice.choices(WORDS, k=dice.randint(3, 120))),
            )
            for _ in range(dice.randint(20, 60))
        ]
        yield seed, market, dice.choice(["flash-first", "six-model", "quality-first", "cheapest"]), wanted


def run(seed: int, market: Market, policy: str, wanted: list[ImageRequest]) -> Sums:
    """Buy a campaign from the emulator's books, every attempt of it held to its own quote."""
    sums, dice = Sums(), random.Random(-seed)
    for item, asked in enumerate(wanted):
        decision = decide(asked, market=market, policy=POLICIES[policy])
        escalations = [step for step in decision.steps if step.after == "reject" and dice.random() < 0.3]
        for place, step in enumerate([decision.steps[0], *escalations]):
            left, attempt = asked.variants, 0
            while left:
                images = min(step.offer.images_per_attempt, left)
                quote = quote_for(step.offer, images)
                paid = billed(
                    step.offer, images, asked, f"{seed}/{item}/{place}/{attempt}", capped=bool(seed % 2)
                )
                assert quote.low <= paid <= quote.worst, (seed, str(step.offer.route), quote, paid)
                sums.add(quote, paid)
                left, attempt = left - images, attempt + 1
    return sums


@pytest.mark.trust
def test_the_bill_lies_within_the_quoted_band_and_near_what_was_expected() -> None:
    wanted = count("quoted_campaigns", quick=40, full=100)
    found: list[Sums] = []
    for seed, market, policy, requests in campaigns(wanted * 2):
        try:
            found.append(run(seed, market, policy, requests))
        except NoEligibleRoute:
            continue  # no route for this shape on this day: nothing was quoted
        if len(found) == wanted:
            break

    within = sum(one.low <= one.billed <= one.worst for one in found)
    farthest = max(one.off for one in found)
    record(
        "campaigns billed inside the quoted band", f"{within}/{len(found)}", "all", met=within == len(found)
    )
    record(
        "expected cost against the bill, farthest campaign", f"{farthest:.2%}", "<= 2 %", met=farthest <= 0.02
    )
    assert len(found) == wanted
    assert within == wanted
    assert farthest <= 0.02

"""Low, expected and worst, line by line and to the nano-dollar."""

from types import MappingProxyType

import pytest

from keeprate.catalogue.cards import LaneTerms, PriceRow
from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import Size
from keeprate.domain.money import usd
from keeprate.domain.needs import needs_of
from keeprate.domain.purposes import Lane, Thinking
from keeprate.domain.requests import Video
from keeprate.routing.boards import board
from keeprate.routing.cases import Situation, case_of, money
from keeprate.routing.decide import decide
from keeprate.routing.lanes import cheaper_lanes, refuse_unbuyable
from keeprate.routing.listings import Conversation
from keeprate.routing.policies import POLICIES
from keeprate.routing.quotes import Job, quote, quote_for, share
from keeprate.routing.tokens import cautious_tokens, prompt_tokens
from tests.unit.routing.goods import (
    DAY,
    card,
    flash,
    half_price,
    image_price,
    listing,
    market,
    painter,
    pro,
    provenance,
    request,
    thinking,
    token_price,
)

PROMPT = prompt_tokens(400)
LEVEL = thinking((Thinking.HIGH, 240, 1000))[0]


def job(**changes: object) -> Job:
    facts: dict[str, object] = {
        "size": Size.ONE_K,
        "images": 1,
        "references": 0,
        "thinking": None,
        "grounding": False,
        "video": False,
        "lane": Lane.LIVE,
    }
    return Job(**(facts | changes))  # type: ignore[arg-type]


def test_tokens_are_estimated_from_bytes() -> None:
    assert prompt_tokens(400) == (25, 100, 416)
    assert prompt_tokens(0) == (0, 0, 16)
    assert prompt_tokens(401).expected == 101
    assert cautious_tokens(400) == 134
    # A text of three-byte signs is put at one token a sign.
    assert cautious_tokens(len("狐狸" * 50)) <= 100


def test_an_image_and_its_prompt_by_tokens() -> None:
    found = quote(token_price("m"), job(), PROMPT)

    assert found.low == 1120 * 60_000 + 25 * 500
    assert found.expected == 1120 * 60_000 + 100 * 500
    assert found.worst == 1120 * 60_000 + 416 * 500
    assert [line.part for line in found.lines] == ["image", "prompt"]
    assert found.max_output_tokens == 1120
    assert found.price_id == "m/2026-01-01"


def test_every_part_has_its_line_and_source() -> None:
    asked = job(references=2, thinking=LEVEL, grounding=True, video=True)

    found = quote(token_price("m"), asked, PROMPT)

    lines = {
        line.part: (line.count_low, line.count_expected, line.count_worst, line.each) for line in found.lines
    }
    assert lines == {
        "image": (1120, 1120, 1120, 60_000),
        "reference": (516, 1120, 2240, 500),
        "thinking": (0, 240, 1000, 3_000),
        "video": (258, 2580, 154_800, 500),
        "grounding": (0, 1, 5, 14_000_000),
        "prompt": (25, 100, 416, 500),
    }
    assert found.expected == sum(line.count_expected * line.each for line in found.lines)
    assert all(line.source for line in found.lines)


def test_what_is_sent_as_the_output_limit_is_image_tokens_and_the_thinking_allowance() -> None:
    high = MappingProxyType({Size.FOUR_K: 3780})
    price = token_price("m", image_tokens_high=high)

    found = quote(price, job(size=Size.FOUR_K, thinking=LEVEL), PROMPT)

    assert found.max_output_tokens == 3780 + 1000
    assert found.worst - found.expected == (3780 - 2520) * 60_000 + 760 * 3_000 + 316 * 500


def test_a_price_per_image_counts_images() -> None:
    found = quote(image_price("brush", "0.04"), job(images=4), PROMPT)

    assert (found.low, found.expected, found.worst) == (160_000_000,) * 3
    assert [(line.part, line.unit, line.count_worst) for line in found.lines] == [("image", "image", 4)]
    assert found.max_output_tokens is None


def test_a_lane_takes_its_share_of_tokens_and_none_of_searches() -> None:
    price = token_price("m", lanes=half_price(Lane.BATCH))

    live = quote(price, job(grounding=True), PROMPT)
    batch = quote(price, job(grounding=True, lane=Lane.BATCH), PROMPT)

    assert batch.expected == (live.expected - 14_000_000) // 2 + 14_000_000


def test_a_dearer_lane_rounds_up() -> None:
    terms = LaneTerms(lane=Lane.PRIORITY, numerator=7, denominator=4, provenance=provenance())
    price = token_price("m", rates=("0.25", "1.50", "30.00"), lanes=MappingProxyType({Lane.PRIORITY: terms}))

    assert quote(price, job(lane=Lane.PRIORITY), PROMPT).expected == 1120 * 52_500 + 100 * 438


def test_the_live_lane_needs_no_listing_and_others_do() -> None:
    assert share(token_price("m"), Lane.LIVE) == (1, 1)
    assert share(token_price("m"), Lane.BATCH) is None


def test_the_last_attempt_is_quoted_for_the_images_it_wants() -> None:
    offer = decide(
        request(variants=6), market=market(painter("brush", "0.02")), policy=POLICIES["cheapest"]
    ).chosen

    assert quote_for(offer, 4) is offer.quote
    assert quote_for(offer, 2).worst == 40_000_000
    assert quote_for(offer, 2).max_output_tokens is None


def test_a_model_by_tokens_that_draws_several_a_call_is_quoted_alike() -> None:
    several = listing(card("m", images_per_call=4), token_price("m"))
    decision = decide(request(variants=6), market=market(several), policy=POLICIES["cheapest"])

    last = quote_for(decision.chosen, 2)

    assert decision.chosen.quote.max_output_tokens == 4480
    assert last.max_output_tokens == 2240
    assert decision.quote.worst == decision.chosen.quote.worst + last.worst


def test_a_board_is_worked_out_once_per_shape() -> None:
    goods = market(flash(), pro())
    first = case_of(needs_of(request()), goods, Situation())
    second = case_of(needs_of(request(prompt="another fox, on another hill")), goods, Situation())

    assert goods.board(first.shape) is goods.board(second.shape)
    assert board(goods.listings, DAY, first.shape) == goods.board(first.shape)
    assert first.priced != second.priced


def test_earlier_turns_are_priced() -> None:
    past = Conversation("google", flash().card.model, images=2, text_bytes=400)
    alone = decide(request(), market=market(flash()), policy=POLICIES["cheapest"])
    going_on = decide(
        request(continues="a"),
        market=market(flash()),
        policy=POLICIES["cheapest"],
        situation=Situation(conversation=past),
    )

    assert going_on.quote.expected - alone.quote.expected == (2 * 560 + 100) * 1500


def test_patience_is_named_with_its_price() -> None:
    price = token_price("m", lanes=half_price(Lane.FLEX, Lane.BATCH))
    offers = market(listing(card("m"), price))

    day = decide(request(deadline_s=86_400), market=offers, policy=POLICIES["cheapest"])
    hour = decide(request(deadline_s=3600), market=offers, policy=POLICIES["cheapest"])
    now = decide(request(), market=offers, policy=POLICIES["cheapest"])

    assert day.lane is Lane.LIVE
    assert [(option.lane, option.buyable) for option in day.options] == [
        (Lane.FLEX, True),
        (Lane.BATCH, False),
    ]
    assert day.options[1].expected * 2 == day.quote.expected
    assert day.options[1].sentence == (
        "batch would cost $0.033601 an attempt instead of $0.067202 (quoted only: it cannot be bought yet)"
    )
    assert [option.lane for option in hour.options] == [Lane.FLEX]
    assert now.options == ()


def test_the_lane_asked_for_is_not_named_again() -> None:
    price = token_price("m", lanes=half_price(Lane.FLEX))

    assert cheaper_lanes(price, job(lane=Lane.FLEX), PROMPT, 86_400) == ()


def test_batch_is_quoted_and_not_bought() -> None:
    offers = market(listing(card("m"), token_price("m", lanes=half_price(Lane.BATCH))))

    decision = decide(
        request(), market=offers, policy=POLICIES["cheapest"], situation=Situation(lane=Lane.BATCH)
    )

    assert decision.lane is Lane.BATCH
    assert decision.quote.expected == 1120 * 30_000 + 4 * 250
    with pytest.raises(InvalidValue, match="cannot be bought yet") as caught:
        refuse_unbuyable(decision.lane)
    assert caught.value.field == "lane"
    refuse_unbuyable(Lane.LIVE)


def test_a_video_is_priced_by_an_assumed_length() -> None:
    decision = decide(
        request(video=Video(uri="https://example.test/v")),
        market=market(flash()),
        policy=POLICIES["cheapest"],
    )

    assert [line.part for line in decision.quote.lines] == ["image", "video", "prompt"]


def test_a_free_search_is_no_line() -> None:
    price: PriceRow = token_price("m", grounding_each=usd("0"))
    assert [line.part for line in quote(price, job(grounding=True), PROMPT).lines] == ["image", "prompt"]


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (0, "$0.0000"),
        (2_000, "$0.000002"),
        (50_000, "$0.0001"),
        (33_606_000, "$0.0336"),
        (33_650_000, "$0.0337"),
        (1_379_000_000, "$1.3790"),
        (123_456_789_000_000, "$123456.7890"),
    ],
)
def test_money_in_a_sentence_has_four_places_unless_it_is_tiny(amount: int, told: str) -> None:
    assert money(amount) == told

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeprate.catalogue.pricing import card_price, charge_for, image_live_price, image_price
from keeprate.domain.charges import ChargeBasis, Usage
from keeprate.domain.errors import CatalogueError
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD, usd
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import GEMINI_API, ModelId
from tests.books import official_book

APRIL = date(2026, 4, 15)
NOVEMBER = date(2026, 11, 21)


def price_of(model: str, day: date = APRIL):
    return official_book().price_on(GEMINI_API, ModelId(model), day)


PRO = price_of("gemini-3-pro-image", NOVEMBER)
NANO = price_of("gemini-2.5-flash-image")
IMAGEN = price_of("imagen-4.0-generate-001")


def test_a_withheld_pro_image_costs_its_prompt_and_thinking() -> None:
    priced = charge_for(
        Usage(prompt_text_tokens=1119, thought_tokens=240), PRO, lane=Lane.LIVE, size=Size.ONE_K
    )
    assert priced.amount == 5_118_000
    assert priced.certain
    assert [(line.part, line.count, line.each) for line in priced.lines] == [
        ("prompt", 1119, 2_000),
        ("thinking", 240, 12_000),
    ]


def test_every_part_is_priced_by_its_own_rate() -> None:
    usage = Usage(
        prompt_text_tokens=10,
        prompt_image_tokens=560,
        prompt_video_tokens=100,
        output_text_tokens=20,
        output_image_tokens=1120,
        thought_tokens=30,
        images=1,
        search_queries=2,
    )
    priced = charge_for(usage, PRO, lane=Lane.LIVE, size=Size.ONE_K)
    assert priced.amount == (10 + 560 + 100) * 2_000 + (20 + 30) * 12_000 + 1120 * 120_000 + 2 * 14_000_000
    assert sum(line.amount for line in priced.lines) == priced.amount
    assert priced.basis is ChargeBasis.USAGE


def test_batch_takes_half_of_the_tokens_and_none_of_the_searches() -> None:
    usage = Usage(output_image_tokens=1290, images=1)
    assert charge_for(usage, NANO, lane=Lane.BATCH, size=Size.ONE_K).amount == 19_350_000
    searched = charge_for(replace(usage, search_queries=1), PRO, lane=Lane.BATCH, size=Size.ONE_K)
    assert searched.amount == 1290 * 60_000 + 14_000_000


def test_a_lane_rounds_up_once_to_the_nano_dollar() -> None:
    odd = replace(NANO, input_each=NanoUSD(1), text_output_each=NanoUSD(1))
    usage = Usage(prompt_text_tokens=1, output_text_tokens=2)
    assert charge_for(usage, odd, lane=Lane.BATCH, size=Size.ONE_K).amount == 2


def test_imagen_is_priced_by_the_image_it_returned() -> None:
    priced = charge_for(Usage(images=3), IMAGEN, lane=Lane.LIVE, size=Size.TWO_K)
    assert priced.amount == 3 * usd("0.04")
    assert priced.basis is ChargeBasis.PER_IMAGE
    assert charge_for(Usage(images=0), IMAGEN, lane=Lane.LIVE, size=Size.TWO_K).amount == 0


def test_an_image_without_image_tokens_is_priced_at_the_dearest_count_and_not_certain() -> None:
    priced = charge_for(Usage(images=2), PRO, lane=Lane.LIVE, size=Size.FOUR_K)
    assert priced.amount == 2 * 2000 * 120_000
    assert not priced.certain


def test_a_lane_that_is_not_listed_is_charged_live_and_not_certain() -> None:
    priced = charge_for(Usage(output_image_tokens=1120, images=1), PRO, lane=Lane.LIVE, size=Size.ONE_K)
    odd = replace(PRO, lanes={Lane.LIVE: PRO.lanes[Lane.LIVE]})
    served = charge_for(Usage(output_image_tokens=1120, images=1), odd, lane=Lane.PRIORITY, size=Size.ONE_K)
    assert served.amount == priced.amount
    assert priced.certain
    assert not served.certain


@pytest.mark.parametrize(
    "ask",
    [
        lambda: image_live_price(PRO, Size.HALF_K),
        lambda: image_live_price(IMAGEN, Size.FOUR_K),
        lambda: card_price(PRO, size=Size.HALF_K, lane=Lane.LIVE),
        lambda: charge_for(Usage(images=1), PRO, lane=Lane.LIVE, size=Size.HALF_K),
        lambda: charge_for(Usage(images=1), IMAGEN, lane=Lane.LIVE, size=Size.FOUR_K),
    ],
)
def test_a_size_without_a_price_is_refused_and_never_free(ask) -> None:
    with pytest.raises(CatalogueError) as caught:
        ask()
    assert caught.value.field == "size"
    assert "1K" in caught.value.remedy


def test_an_unlisted_lane_without_a_reason_is_still_refused() -> None:
    odd = replace(PRO, lanes={Lane.LIVE: PRO.lanes[Lane.LIVE]}, unlisted_lanes={})
    with pytest.raises(CatalogueError, match=r"has no batch lane$"):
        image_price(odd, size=Size.ONE_K, lane=Lane.BATCH)


tokens = st.integers(min_value=0, max_value=200_000)


@given(
    usage=st.builds(
        Usage,
        prompt_text_tokens=tokens,
        prompt_image_tokens=tokens,
        output_text_tokens=tokens,
        output_image_tokens=tokens,
        thought_tokens=tokens,
        search_queries=st.integers(0, 5),
    )
)
def test_live_charges_are_the_sum_of_their_lines_and_batch_is_never_dearer(usage: Usage) -> None:
    live = charge_for(usage, PRO, lane=Lane.LIVE, size=Size.ONE_K)
    batch = charge_for(usage, PRO, lane=Lane.BATCH, size=Size.ONE_K)
    assert live.amount == sum(line.amount for line in live.lines)
    assert 0 <= batch.amount <= live.amount
    searches = usage.search_queries * PRO.grounding_each
    assert 2 * (batch.amount - searches) - (live.amount - searches) in {0, 1}


@given(first=tokens, second=tokens)
def test_using_more_never_costs_less(first: int, second: int) -> None:
    def cost(count: int) -> int:
        return charge_for(Usage(output_image_tokens=count), PRO, lane=Lane.BATCH, size=Size.ONE_K).amount

    assert (cost(first) <= cost(second)) == (first <= second)

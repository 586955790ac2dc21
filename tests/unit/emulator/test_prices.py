"""The referee's arithmetic, against sums worked out by hand."""

import pytest

from keeprate_emulator.models import all_models
from keeprate_emulator.prices import Tokens, price_list
from keeprate_emulator.refusals import Refusal


@pytest.mark.parametrize(
    ("family", "tokens", "lane", "nano_usd"),
    [
        # 1,119 in at $2 a million and 240 thought at $12: $0.005118.
        ("pro", Tokens(prompt=1119, thoughts=240), "standard", 5_118_000),
        ("pro", Tokens(image=1120), "standard", 134_400_000),
        ("pro", Tokens(image=2000), "standard", 240_000_000),
        ("pro", Tokens(references=560), "standard", 1_120_000),
        ("pro", Tokens(image=1120), "flex", 67_200_000),
        ("pro", Tokens(image=1120), "priority", 241_920_000),
        ("nano-2-1", Tokens(prompt=10, thoughts=100, text=4, image=1120), "standard", 34_395_000),
        ("nano-2-1", Tokens(image=1680), "standard", 50_400_000),
        ("nano-2-1", Tokens(image=3780), "standard", 113_400_000),
        ("flash-3-1", Tokens(image=747), "standard", 44_820_000),
        ("flash-3-1", Tokens(image=2520), "standard", 151_200_000),
        ("lite", Tokens(prompt=4, references=1120, image=1120), "standard", 33_881_000),
        ("flash-2-5", Tokens(image=1290), "standard", 38_700_000),
        ("flash-2-5", Tokens(image=1290), "flex", 19_350_000),
    ],
)
def test_a_call_costs_its_tokens_at_their_rates(
    family: str, tokens: Tokens, lane: str, nano_usd: int
) -> None:
    assert price_list(family).of_tokens(tokens, surface="gemini-api", lane=lane) == nano_usd


@pytest.mark.parametrize(
    ("made_before", "count", "nano_usd"),
    [(0, 1, 0), (4_999, 1, 0), (5_000, 1, 14_000_000), (4_999, 2, 14_000_000), (9_000, 3, 42_000_000)],
)
def test_searches_cost_once_those_of_the_month_are_used_up(
    made_before: int, count: int, nano_usd: int
) -> None:
    assert price_list("pro").of_searches(count, made_before=made_before) == nano_usd


@pytest.mark.parametrize(
    ("family", "nano_usd"),
    [("imagen-fast", 20_000_000), ("imagen-standard", 40_000_000), ("imagen-ultra", 60_000_000)],
)
def test_imagen_costs_by_the_picture(family: str, nano_usd: int) -> None:
    assert price_list(family).per_image == nano_usd


@pytest.mark.parametrize(
    ("family", "surface", "lane"),
    [
        ("flash-3-1", "gemini-api", "flex"),
        ("nano-2-1", "gemini-api", "flex"),
        ("pro", "vertex", "priority"),
        ("pro", "gemini-api", "turbo"),
    ],
)
def test_a_lane_that_is_not_sold_is_refused(family: str, surface: str, lane: str) -> None:
    with pytest.raises(Refusal) as caught:
        price_list(family).lane(lane, surface)  # type: ignore[arg-type]
    assert caught.value.code == 400


def test_every_size_that_is_offered_has_its_tokens() -> None:
    for model in all_models().values():
        if model.family.method == "generateContent":
            sizes = model.family.sizes or ("1K",)
            assert set(sizes) == set(price_list(model.family.name).image_tokens), model.id


def test_no_lane_leaves_a_fraction_of_a_nano_dollar() -> None:
    for model in all_models().values():
        prices = price_list(model.family.name)
        assert all(rate % 10 == 0 for rate in (prices.input, prices.text, prices.image))

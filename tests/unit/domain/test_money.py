"""Money as whole nano-dollars: read exactly, told exactly, rounded up where a hold rests on it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import LARGEST, NanoUSD, display, per_million, scaled, usd


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("0.134", 134_000_000),
        ("0.0195", 19_500_000),
        ("0.000000001", 1),
        ("9223372036", 9_223_372_036_000_000_000),
    ],
)
def test_a_plain_decimal_is_exact(text: str, amount: int) -> None:
    assert usd(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        "1e3",
        "1,5",
        ".5",
        "5.",
        "0.0000000001",
        " 1",
        "1 ",
        "١",
        "NaN",
        "1\n",
        "9999999999999",
    ],
)
def test_anything_else_is_refused_by_field(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        usd(text, field="failure_cost")
    assert caught.value.field == "failure_cost"
    assert caught.value.value == text


def test_a_rate_is_a_whole_number_of_nano_dollars_a_token() -> None:
    assert per_million("0.50") == 500
    assert per_million("120") == 120_000
    with pytest.raises(InvalidValue, match="whole number of nano-dollars"):
        per_million("0.0005")


@pytest.mark.parametrize(
    ("amount", "places", "told"),
    [
        (0, None, "0"),
        (134_400_000, None, "0.1344"),
        (1_000_000_000, None, "1"),
        (10_000_000_000, None, "10"),
        (1, None, "0.000000001"),
        (134_450_000, 4, "0.1345"),
        (436_700_000_000, 2, "436.70"),
    ],
)
def test_dollars_are_told_exactly_or_rounded_half_up(amount: int, places: int | None, told: str) -> None:
    assert display(NanoUSD(amount), places=places) == told


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=LARGEST))
def test_what_is_told_reads_back_to_the_same_amount(amount: int) -> None:
    assert usd(display(NanoUSD(amount))) == amount


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**15), st.integers(1, 20), st.integers(1, 20))
def test_a_share_is_rounded_up_by_less_than_one(amount: int, numerator: int, denominator: int) -> None:
    found = scaled(NanoUSD(amount), numerator=numerator, denominator=denominator)
    assert 0 <= found * denominator - amount * numerator < denominator

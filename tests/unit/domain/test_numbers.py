"""Whole numbers handed in: what is none is refused by name, and what is outside its range."""

import pytest

from keeprate.domain.errors import InvalidValue
from keeprate.domain.numbers import whole
from keeprate.domain.purposes import Purpose
from keeprate.domain.requests import LARGEST_SEED, LARGEST_VARIANTS, ImageRequest


@pytest.mark.parametrize("value", [-1, 101, 1.5, 90.0, 89.9, True, "7", None])
def test_what_is_no_whole_number_in_range_is_refused_by_name(value: object) -> None:
    with pytest.raises(InvalidValue, match="budget_used") as refusal:
        whole(value, field="budget_used", most=100)
    assert (refusal.value.field, refusal.value.value) == ("budget_used", value)
    assert "0 to 100" in str(refusal.value.remedy)


@pytest.mark.parametrize("value", [0, 1, 100])
def test_both_ends_of_a_range_belong_to_it(value: int) -> None:
    assert whole(value, field="budget_used", most=100) == value


def test_a_range_without_an_end_says_so() -> None:
    with pytest.raises(InvalidValue) as refusal:
        whole(0, field="limit", least=1)
    assert "1 or more" in str(refusal.value.remedy)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seed", -1),
        ("seed", LARGEST_SEED + 1),
        ("seed", 99999999999999999999),
        ("seed", 1.5),
        ("variants", 1.5),
        ("variants", True),
        ("variants", LARGEST_VARIANTS + 1),
    ],
)
def test_a_number_no_route_could_serve_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidValue) as refusal:
        ImageRequest(prompt="a red fox", purpose=Purpose.DRAFT, **{field: value})  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert refusal.value.remedy


def test_every_seed_in_range_stands() -> None:
    for seed in (None, 0, LARGEST_SEED):
        assert ImageRequest(prompt="a red fox", purpose=Purpose.DRAFT, seed=seed).seed == seed

"""Numbers as typed: a part of an image cannot be bought, and nothing is rounded in silence."""

import pytest

from keeprate.cli.parsing import run
from keeprate.domain.errors import InvalidRequest, InvalidValue


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (["generate", "a lamp", "-n", "1.5"], "variants", "1.5"),
        (["generate", "a lamp", "-n", "many"], "variants", "many"),
        (["generate", "a lamp", "-n", "0"], "variants", 0),
        (["generate", "a lamp", "--seed", "-1"], "seed", -1),
        (["estimate", "--model", "gemini-3-pro-image", "--count", "2.9"], "count", "2.9"),
        (["estimate", "--model", "gemini-3-pro-image", "-n", "-3"], "count", -3),
        (["route", "--references", "-1"], "references", -1),
        (["route", "--budget-used", "89.9"], "budget_used", "89.9"),
        (["route", "--budget-used", "101"], "budget_used", 101),
        (["route", "--budget-used", "-1"], "budget_used", -1),
        (["attempts", "-n", "-1"], "limit", -1),
        (["verdict", "ATTEMPT", "accepted", "--cleanup-minutes", "1.5"], "cleanup_minutes", "1.5"),
    ],
)
def test_a_number_that_is_none_or_out_of_range_is_refused_by_name(
    words: list[str], field: str, value: object
) -> None:
    with pytest.raises(InvalidValue) as refused:
        run(words)
    assert (refused.value.field, refused.value.value) == (field, value)
    assert (refused.value.remedy or "").startswith("give a whole number")


def test_a_prompt_beside_retry_unknown_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest) as refused:
        run(["generate", "something else", "--retry-unknown", "ATTEMPT"])
    assert refused.value.field == "prompt"

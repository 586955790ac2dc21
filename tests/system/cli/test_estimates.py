"""What ten thousand images cost: the founding figures, where they hold and where they do not."""

import pytest

from tests.system.cli.conftest import Shell

FOUNDING_DAY = ("--as-of", "2026-04-15")
TEN_THOUSAND = ("estimate", "--count", "10000", *FOUNDING_DAY)


def test_the_founding_blend_by_printed_prices(shell: Shell) -> None:
    found = shell(*TEN_THOUSAND, "--mix", "six-model-blend", "--prices", "card", "--json").document
    assert (found["total_usd"], found["per_image_usd"]) == (436.70, 0.04367)
    assert found["total_by_rates_usd"] == 435.07
    assert {row["model"]: row["images"] for row in found["rows"]} == {
        "gemini-2.5-flash-image": 6500,
        "imagen-4.0-fast-generate-001": 1200,
        "imagen-4.0-generate-001": 1000,
        "gemini-3.1-flash-image-preview": 600,
        "gemini-3-pro-image-preview": 500,
        "imagen-4.0-ultra-generate-001": 200,
    }


def test_the_founding_blend_by_tokens_and_rates_shows_both(shell: Shell) -> None:
    found = shell(*TEN_THOUSAND, "--mix", "six-model-blend", "--json").document
    assert (found["total_usd"], found["total_by_card_usd"]) == (435.07, 436.70)


@pytest.mark.parametrize(
    ("model", "size", "total"),
    [
        ("gemini-3-pro-image-preview", "1K", 1340),
        ("gemini-3-pro-image", "4K", 2400),
        ("imagen-4.0-ultra-generate-001", "1K", 600),
        ("imagen-4.0-generate-001", "1K", 400),
        ("gemini-2.5-flash-image", "1K", 390),
        ("imagen-4.0-fast-generate-001", "1K", 200),
    ],
)
def test_one_model_for_everything_by_printed_prices(model: str, size: str, total: int, shell: Shell) -> None:
    asked = shell(*TEN_THOUSAND, "--model", model, "--size", size, "--prices", "card", "--json")
    assert asked.document["total_usd"] == total


def test_batch_halves_the_gemini_rows_only_and_says_why_the_founding_figures_are_off(shell: Shell) -> None:
    asked = (*TEN_THOUSAND, "--mix", "six-model-blend", "--prices", "card", "--lane", "batch")
    found = shell(*asked, "--json").document
    assert found["total_usd"] == 256.35
    assert {row["lane"] for row in found["rows"] if row["model"].startswith("imagen")} == {"live"}
    assert {row["lane"] for row in found["rows"] if row["model"].startswith("gemini")} == {"batch"}
    told = shell(*asked).out
    assert "$256.35" in told
    assert "$0.041" in told
    assert "$0.021" in told


def test_a_chain_of_one_reference_and_ten_variants(shell: Shell) -> None:
    asked = ("estimate", "--chain", "1+10", *FOUNDING_DAY, "--prices", "card")
    found = shell(*asked, "--json").document
    assert (found["total_usd"], found["with_reference_input_usd"]) == (1.379, 1.390)
    assert found["thinking_usd"] > 0
    told = shell(*asked).out
    assert "$1.379 " in told
    assert "with reference input  $1.39\n" in told
    assert "thinking, apart" in told

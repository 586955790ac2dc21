"""What many images cost: the founding figures by card, the true ones by tokens and rates."""

from datetime import date

import pytest

from keeprate.domain.errors import CatalogueError, InvalidValue, KeeprateError, ModelRetired, UnknownModel
from keeprate.domain.geometry import Size
from keeprate.domain.money import display, usd
from keeprate.domain.purposes import Lane
from keeprate.routing.estimates import Chain, Estimate, EstimateQuery, Prices, estimate
from keeprate.routing.explanations import estimates_as_json
from keeprate.routing.mixes import MIXES, SIX_MODEL_BLEND, apportioned, mix_named
from tests.books import official_book

APRIL = date(2026, 4, 15)
NOVEMBER = date(2026, 11, 21)
BLEND = "six-model-blend"


def found(day: date = APRIL, **query: object) -> Estimate:
    return estimate(EstimateQuery(**query), book=official_book(), day=day)  # type: ignore[arg-type]


def test_the_blend_by_card() -> None:
    blend = found(count=10_000, mix=BLEND, prices=Prices.CARD)
    assert blend.total == usd("436.70")
    assert blend.per_image == usd("0.04367")
    assert blend.total_by_rates == usd("435.07")


def test_the_blend_by_tokens_and_rates() -> None:
    blend = found(count=10_000, mix=BLEND)
    assert blend.total == usd("435.07")
    assert blend.per_image == usd("0.043507")
    assert blend.total_by_card == usd("436.70")


def test_batch_halves_the_gemini_rows_alone() -> None:
    batch = found(count=10_000, mix=BLEND, prices=Prices.CARD, lane=Lane.BATCH)
    assert batch.total == usd("256.35")
    assert {row.model: row.lane for row in batch.rows if row.model.startswith("imagen")} == {
        "imagen-4.0-fast-generate-001": Lane.LIVE,
        "imagen-4.0-generate-001": Lane.LIVE,
        "imagen-4.0-ultra-generate-001": Lane.LIVE,
    }
    assert sum(": its row is at the live price" in note for note in batch.notes) == 3


def test_the_notes_say_why_the_founding_figures_are_off() -> None:
    notes = " ".join(found(count=100, mix=BLEND).notes)
    assert "$0.041" in notes
    assert "$0.04367" in notes
    assert "$0.021" in notes
    assert "Imagen has no batch lane" in notes


@pytest.mark.parametrize(
    ("model", "size", "dollars"),
    [
        ("gemini-3-pro-image", Size.ONE_K, "1340"),
        ("gemini-3-pro-image", Size.TWO_K, "1340"),
        ("gemini-3-pro-image-preview", Size.FOUR_K, "2400"),
        ("imagen-4.0-ultra-generate-001", Size.ONE_K, "600"),
        ("imagen-4.0-generate-001", Size.ONE_K, "400"),
        ("gemini-2.5-flash-image", Size.ONE_K, "390"),
        ("imagen-4.0-fast-generate-001", Size.ONE_K, "200"),
    ],
)
def test_ten_thousand_images_on_one_model_by_card(model: str, size: Size, dollars: str) -> None:
    assert found(count=10_000, model=model, size=size, prices=Prices.CARD).total == usd(dollars)


def test_the_chain_of_one_and_ten() -> None:
    chain = found(chain=Chain.parse("1+10"), prices=Prices.CARD)

    assert chain.total == usd("1.379")
    assert chain.total_with_references == usd("1.390")
    assert chain.images == 11
    assert chain.thinking > 0
    assert chain.total_by_rates == usd("1.3827")


def test_several_chains_cost_several_times_one() -> None:
    one, three = found(chain=Chain.parse("1+10")), found(count=3, chain=Chain.parse("1+10"))
    assert three.total == 3 * one.total
    assert three.reference_input == 3 * one.reference_input == 3 * usd("0.0112")


def test_today_the_successors_are_priced_and_named() -> None:
    blend = found(NOVEMBER, count=10_000, mix=BLEND)

    assert display(blend.per_image, places=4) == "0.0407"
    assert {row.model for row in blend.rows} == {
        "gemini-3.1-flash-lite-image",
        "gemini-nano-banana-2.1",
        "gemini-3-pro-image",
    }
    assert any("imagen-4.0-generate-001 is priced as gemini-nano-banana-2.1" in note for note in blend.notes)


def test_a_small_mix_hands_the_odd_images_to_the_largest_remainders() -> None:
    assert dict(apportioned(SIX_MODEL_BLEND, 10)) == {
        "gemini-2.5-flash-image": 7,
        "imagen-4.0-fast-generate-001": 1,
        "imagen-4.0-generate-001": 1,
        "gemini-3.1-flash-image-preview": 1,
        "gemini-3-pro-image-preview": 0,
        "imagen-4.0-ultra-generate-001": 0,
    }
    for count in range(1, 300):
        assert sum(images for _, images in apportioned(SIX_MODEL_BLEND, count)) == count
    assert len(found(count=10, mix=BLEND).rows) == 4


def test_every_shipped_mix_adds_up_to_a_hundred() -> None:
    assert all(sum(percent for _, percent in mix.percents) == 100 for mix in MIXES.values())


@pytest.mark.parametrize(
    ("query", "error", "field"),
    [
        ({}, InvalidValue, "model"),
        ({"model": "gemini-3-pro-image", "mix": BLEND}, InvalidValue, "model"),
        ({"count": 0, "mix": BLEND}, InvalidValue, "count"),
        ({"mix": "no such mix"}, InvalidValue, "mix"),
        ({"model": "gemini-3-pro"}, UnknownModel, "model"),
        ({"model": "imagen-4.0-generate-001", "lane": Lane.BATCH}, CatalogueError, "lane"),
        ({"model": "gemini-2.5-flash-image", "size": Size.FOUR_K}, CatalogueError, "size"),
    ],
)
def test_a_bad_question_is_refused_by_field(
    query: dict[str, object], error: type[KeeprateError], field: str
) -> None:
    with pytest.raises(error) as caught:
        found(**query)
    assert caught.value.field == field


def test_a_retired_model_is_refused_with_its_successor() -> None:
    with pytest.raises(ModelRetired):
        found(NOVEMBER, model="imagen-4.0-generate-001")


@pytest.mark.parametrize("text", ["10", "0+10", "1+", "1+10+1", "a+b", "1+10000000"])
def test_a_chain_is_written_in_one_way(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Chain.parse(text)
    assert caught.value.field == "chain"


def test_a_mix_is_found_by_its_name() -> None:
    assert mix_named(BLEND) is SIX_MODEL_BLEND


def test_an_estimate_as_plain_values() -> None:
    told = estimates_as_json(found(count=10_000, mix=BLEND, prices=Prices.CARD))

    assert told["total_usd"] == "436.7"
    assert told["per_image_usd"] == "0.04367"
    assert told["total_by_rates_usd"] == "435.07"
    rows = told["rows"]
    assert isinstance(rows, list)
    assert rows[0] == {
        "model": "gemini-2.5-flash-image",
        "asked": "gemini-2.5-flash-image",
        "size": "1K",
        "lane": "live",
        "images": 6500,
        "each_usd": "0.039",
        "total_usd": "253.5",
        "by_card_usd": "0.039",
        "by_rates_usd": "0.0387",
        "reference_input_usd": "0",
        "thinking_usd": "0",
    }

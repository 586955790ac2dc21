from datetime import date

import pytest

from keeprate.catalogue.drift import ListedRates, drift
from keeprate.domain.money import NanoUSD
from keeprate.domain.routes import GEMINI_API, ModelId
from tests.books import official_book
from tests.unit.catalogue.facts import DAY, PAINTER, PAINTER_FACTS, SHOP, book_from

TODAY = date(2026, 11, 21)


def listed(**changes: int | None) -> ListedRates:
    rates = {"input_each": 1_000, "text_output_each": 2_000, "image_output_each": 10_000, **changes}
    return ListedRates(
        model=PAINTER,
        source="elsewhere",
        **{name: None if rate is None else NanoUSD(rate) for name, rate in rates.items()},
    )


def test_equal_rates_agree() -> None:
    report = drift(book_from(PAINTER_FACTS), [listed()], DAY, SHOP)
    assert (report.agreeing, report.drifts, report.unlisted) == ((PAINTER,), (), ())


@pytest.mark.parametrize("rate", ["input_each", "text_output_each", "image_output_each"])
@pytest.mark.parametrize("theirs", [999, None])
def test_each_rate_that_differs_is_listed_with_both_sides(rate: str, theirs: int | None) -> None:
    report = drift(book_from(PAINTER_FACTS), [listed(**{rate: theirs})], DAY, SHOP)
    assert report.agreeing == ()
    assert [(one.rate, one.theirs, one.their_source) for one in report.drifts] == [
        (rate, theirs, "elsewhere")
    ]
    assert report.drifts[0].our_source == "https://example.org/list"


def test_a_model_the_other_list_does_not_know_is_said_so() -> None:
    assert drift(book_from(PAINTER_FACTS), [], DAY, SHOP).unlisted == (PAINTER,)


def test_models_priced_per_image_have_no_rates_to_compare() -> None:
    report = drift(official_book(), [], date(2026, 4, 15), GEMINI_API)
    assert ModelId("imagen-4.0-generate-001") not in report.unlisted
    assert len(report.unlisted) == 3

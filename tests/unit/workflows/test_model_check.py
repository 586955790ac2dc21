from datetime import date

import pytest

from keeprate.catalogue.drift import ListedRates
from keeprate.domain.errors import ConfigError
from keeprate.domain.routes import ModelId
from keeprate.workflows import model_check
from keeprate.workflows.model_check import check_models, listed_rates
from tests.books import official_book

pytest.importorskip("genai_prices")


@pytest.mark.parametrize("day", [date(2026, 4, 15), date(2026, 9, 1), date(2026, 11, 21)])
def test_our_rates_agree_with_the_independent_list(day: date) -> None:
    report = check_models(official_book(), day)
    assert report.drifts == ()
    assert report.unlisted == ()
    assert report.agreeing


def test_rates_are_whole_nano_dollars_and_name_the_list() -> None:
    (rates,) = listed_rates([ModelId("gemini-2.5-flash-image"), ModelId("nobody-1")], date(2026, 4, 15))
    assert isinstance(rates, ListedRates)
    assert (rates.input_each, rates.text_output_each, rates.image_output_each) == (300, 2_500, 30_000)
    assert rates.source.startswith("genai-prices ")


def test_without_the_list_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_check, "get_snapshot", None)
    with pytest.raises(ConfigError) as caught:
        check_models(official_book(), date(2026, 11, 21))
    assert caught.value.remedy == "pip install 'keeprate[prices]'"

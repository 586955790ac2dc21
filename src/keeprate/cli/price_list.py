"""The independent price list that `keeprate models check` compares with: the `genai-prices` package."""

import importlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.util import find_spec
from typing import Final, Protocol, cast

from keeprate.catalogue.drift import ListedRates
from keeprate.domain.errors import ConfigError
from keeprate.domain.money import NanoUSD
from keeprate.domain.routes import ModelId

_PACKAGE: Final = "genai_prices"
# Dollars per million tokens to nano-dollars a token.
_NANO_PER_MTOK: Final = 1000


class ListedModel(Protocol):
    """A model of the package."""

    def is_match(self, model_ref: str) -> bool: ...
    def get_prices(self, request_timestamp: datetime) -> object: ...


class Vendor(Protocol):
    """A vendor of the package with its models."""

    id: str
    models: Iterable[ListedModel]


def listed_rates(models: Iterable[ModelId], day: date) -> tuple[ListedRates, ...]:
    """Return what the package says of `models` on `day`; those it does not know are left out.

    Raises:
        ConfigError: The package is not installed.
    """
    if find_spec(_PACKAGE) is None:
        raise ConfigError(
            "the price list to compare with is not installed",
            field="genai-prices",
            remedy="pip install 'keeprate[prices]'",
        )
    # Its table takes longer to load than all of ours; nobody else waits for it.
    vendors = cast("Iterable[Vendor]", importlib.import_module(f"{_PACKAGE}.data").providers)
    google = [model for vendor in vendors if vendor.id == "google" for model in vendor.models]
    at = datetime.combine(day, time(12), tzinfo=UTC)
    found: list[ListedRates] = []
    for model in models:
        listed = next((one for one in google if one.is_match(model)), None)
        if listed is not None:
            found.append(_rates(model, listed.get_prices(at)))
    return tuple(found)


def _rates(model: ModelId, prices: object) -> ListedRates:
    return ListedRates(
        model=model,
        source="genai-prices",
        input_each=_each(prices, "input_mtok"),
        text_output_each=_each(prices, "output_mtok"),
        image_output_each=_each(prices, "output_image_mtok"),
    )


def _each(prices: object, name: str) -> NanoUSD | None:
    rate: object = getattr(prices, name, None)
    return NanoUSD(int(rate * _NANO_PER_MTOK)) if isinstance(rate, Decimal) else None

"""Our token rates against the `genai-prices` package, which is compiled by others.

The package carries its list with it: nothing is fetched. It is the extra `keeprate[prices]`.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from keeprate.catalogue.book import Book
from keeprate.catalogue.drift import DriftReport, ListedRates, drift
from keeprate.domain.errors import ConfigError
from keeprate.domain.money import NanoUSD, per_million
from keeprate.domain.routes import GEMINI_API, ModelId

try:
    from genai_prices import __version__
    from genai_prices.data_snapshot import get_snapshot
except ImportError:
    get_snapshot = None
    __version__ = ""

_PROVIDER: Final = "google"


def check_models(book: Book, day: date) -> DriftReport:
    """Return how the rates of the models that live on `day` differ from the other list.

    Raises:
        ConfigError: The `genai-prices` package is not installed.
    """
    models = (card.model for card in book.models(GEMINI_API, day))
    return drift(book, listed_rates(models, day), day)


def listed_rates(models: Iterable[ModelId], day: date) -> tuple[ListedRates, ...]:
    """Return the other list's rates of `models` as of noon UTC on `day`; unknown models are left out.

    Raises:
        ConfigError: The `genai-prices` package is not installed.
    """
    if get_snapshot is None:
        raise ConfigError(
            "the independent price list is not installed",
            field="genai-prices",
            remedy="pip install 'keeprate[prices]'",
        )
    google = get_snapshot().find_provider(None, _PROVIDER, None)
    moment = datetime.combine(day, time(12), tzinfo=UTC)
    found: list[ListedRates] = []
    for model in models:
        info = google.find_model(model)
        if info is not None:
            prices = info.get_prices(moment)
            found.append(
                ListedRates(
                    model=model,
                    source=f"genai-prices {__version__}",
                    input_each=_each(prices.input_mtok),
                    text_output_each=_each(prices.output_mtok),
                    image_output_each=_each(prices.output_image_mtok),
                )
            )
    return tuple(found)


def _each(per_million_tokens: object) -> NanoUSD | None:
    """Return the rate in nano-dollars a token; None where there is none, or only a tiered one."""
    if not isinstance(per_million_tokens, Decimal):
        return None
    return per_million(f"{per_million_tokens:f}")

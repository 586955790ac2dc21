"""`keeprate models check`: our token rates against an independent price list."""

from collections.abc import Iterator
from typing import Final

from rich.console import RenderableType

from keeprate.catalogue.drift import DriftReport, drift
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Facts, Screen, money, table
from keeprate.cli.price_list import listed_rates
from keeprate.cli.shelf import shelf_for
from keeprate.domain.money import NanoUSD, display

_MILLION: Final = 1_000_000


def check(*, surface: str | None = None, everywhere: Everywhere = EVERYWHERE) -> int:
    """Compare our token rates with an independent price list (the `genai-prices` package).

    Parameters
    ----------
    surface
        gemini-api or vertex. Otherwise that of your first upstream.
    """
    shelf = shelf_for(everywhere, surface=surface)
    ids = [card.model for card in shelf.book.models(shelf.surfaces[0], shelf.day)]
    found = drift(shelf.book, listed_rates(ids, shelf.day), shelf.day, shelf.surfaces[0])
    Screen(everywhere).answer(_drift_as_json(found), *_drift_drawn(found))
    return 0


def _drift_drawn(found: DriftReport) -> Iterator[RenderableType]:
    if found.drifts:
        page = table("model", "rate", "ours", "theirs", right=frozenset({"ours", "theirs"}))
        for one in found.drifts:
            theirs = "none" if one.theirs is None else _per_million(one.theirs)
            page.add_row(str(one.model), one.rate.removesuffix("_each"), _per_million(one.ours), theirs)
        yield page
        yield "\nDollars per million tokens. Ours come from the price pages: keeprate models show MODEL"
    else:
        yield "No rate differs."
    yield Facts(
        ("agree", ", ".join(found.agreeing) or "none"),
        ("not in the other list", ", ".join(found.unlisted) or "none"),
    )


def _drift_as_json(found: DriftReport) -> dict[str, object]:
    return {
        "as_of": found.day,
        "drift": [
            {
                "model": str(one.model),
                "rate": one.rate,
                "ours_per_million_usd": display(NanoUSD(one.ours * _MILLION)),
                "theirs_per_million_usd": None
                if one.theirs is None
                else display(NanoUSD(one.theirs * _MILLION)),
                "our_source": one.our_source,
                "their_source": one.their_source,
            }
            for one in found.drifts
        ],
        "agreeing": list(found.agreeing),
        "unlisted": list(found.unlisted),
    }


def _per_million(each: NanoUSD) -> str:
    return money(NanoUSD(each * _MILLION))

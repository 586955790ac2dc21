"""The catalogue as a command's flags ask for it, without opening a ledger."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from keeprate.bootstrap import read_book, upstreams_of
from keeprate.catalogue.book import Book
from keeprate.catalogue.cards import ModelCard, PriceRow
from keeprate.catalogue.pricing import card_price, image_live_price
from keeprate.cli.flags import Everywhere
from keeprate.cli.running import settings_for
from keeprate.domain.errors import CatalogueError, InvalidValue, NoPriceOnDate, NotFound
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import GEMINI_API, VERTEX, Surface, Upstream
from keeprate.settings import GEMINI_BASE_URL, Settings

_OFFICIAL: Final = {GEMINI_API: GEMINI_BASE_URL, VERTEX: "https://aiplatform.googleapis.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The book, the day it is asked for, and the price families one can buy in."""

    book: Book
    settings: Settings
    day: date
    surfaces: tuple[Surface, ...]

    def cards(self, *, retired: bool = False) -> tuple[ModelCard, ...]:
        """Return the models of the day, by surface; with `retired` those of the past as well."""
        look = self.book.known if retired else self.book.models
        return tuple(card for surface in self.surfaces for card in look(surface, self.day))

    def upstream(self, name: str | None) -> Upstream:
        """Return the connection called `name`, or the first one; an official one need not be configured.

        Raises:
            NotFound: None is called so.
        """
        rows = upstreams_of(self.settings)
        found = rows[0] if name is None else next((one for one in rows if one.name == name), None)
        if found is None and name is not None and name in _OFFICIAL:
            surface = Surface(name)
            return Upstream(name=name, surface=surface, base_url=_OFFICIAL[surface], simulated=False)
        if found is None:
            raise NotFound(
                f"no upstream is called {name!r}",
                field="upstream",
                value=name,
                remedy="use one of: " + ", ".join(one.name for one in rows),
            )
        return Upstream(
            name=found.name, surface=found.surface, base_url=found.base_url, simulated=found.simulated
        )

    def buys_from(self, surface: Surface) -> tuple[str, ...]:
        """Return the names of the configured connections of `surface`, the first choice first."""
        return tuple(one.name for one in upstreams_of(self.settings) if one.surface == surface)

    def price(self, card: ModelCard) -> PriceRow | None:
        """Return the price you would pay on the day: that of your first connection; None before the first one."""
        return next(iter(self.prices(card)), None)

    def prices(self, card: ModelCard) -> tuple[PriceRow, ...]:
        """Return what your connections charge, each price once: a contract's, or the official one."""
        found = [
            self._price(card, upstream)
            for upstream in self.buys_from(card.surface) or (None,)
            if card.served_by(upstream)
        ]
        return tuple({price.id: price for price in found if price is not None}.values())

    def _price(self, card: ModelCard, upstream: str | None) -> PriceRow | None:
        try:
            return self.book.price_on(card.surface, card.model, self.day, upstream)
        except NoPriceOnDate:
            return None


def shelf_for(everywhere: Everywhere, *, surface: str | None = None) -> Shelf:
    """Return the book on the day asked for, of one surface or of all that are configured.

    Raises:
        InvalidValue: The book knows no such surface.
    """
    settings = settings_for(everywhere)
    book = read_book(settings)
    surfaces = tuple(dict.fromkeys(one.surface for one in upstreams_of(settings)))
    if surface is not None:
        if surface not in book.surfaces:
            raise InvalidValue(
                f"no models are known on surface {surface!r}",
                field="surface",
                value=surface,
                remedy="use one of: " + ", ".join(book.surfaces),
            )
        surfaces = (Surface(surface),)
    day = settings.as_of or datetime.now(UTC).date()
    return Shelf(book=book, settings=settings, day=day, surfaces=surfaces)


def live_price(price: PriceRow | None, size: Size) -> NanoUSD | None:
    """Return what one image of `size` costs live, or None where that is not known."""
    try:
        return None if price is None else image_live_price(price, size)
    except CatalogueError:
        return None


def printed_price(price: PriceRow | None, size: Size, lane: Lane = Lane.LIVE) -> NanoUSD | None:
    """Return the rounded price the vendor prints, or None where it prints none or has no such lane."""
    try:
        return None if price is None else card_price(price, size=size, lane=lane)
    except CatalogueError:
        return None

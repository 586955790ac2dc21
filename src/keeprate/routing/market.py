"""Everything that is for sale on a day, prepared once so that a decision costs microseconds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from typing import Final

from keeprate.catalogue.book import Book, Successor
from keeprate.catalogue.cards import ModelCard, PriceRow
from keeprate.domain.errors import NoPriceOnDate
from keeprate.domain.purposes import Thinking
from keeprate.domain.routes import ModelId, Upstream
from keeprate.routing.boards import Board, board
from keeprate.routing.listings import Listing, Shape

REMEMBERED_SHAPES: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Who does the work of a model on one upstream: itself while it lives, or its successor.

    `chain` is the way there, the model asked for first; one entry means the model itself.
    `thinking` is the level the source says to use. `shutdown_on` is the day the model asked for
    stopped answering, None where it has not.
    """

    listing: Listing
    thinking: Thinking | None
    chain: tuple[ModelId, ...]
    source: str
    shutdown_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Market:
    """The listings of a day, living and dead, and what has been worked out from them so far.

    Two markets are equal only if they are the same one. What is remembered is a pure function of
    the listings, so a market may be shared between threads and tasks.

    `acting` answers who does a model's work, one answer per upstream in the owner's order;
    `current` which (upstream, model) pairs are the newest of a line.
    """

    day: date
    listings: tuple[Listing, ...]
    acting: Callable[[ModelId], tuple[StandIn, ...]] = field(repr=False)
    current: Callable[[str], frozenset[tuple[str, ModelId]]] = field(repr=False)
    board: Callable[[Shape], Board] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Prepare the look-ups."""
        remember = lru_cache(maxsize=REMEMBERED_SHAPES)
        object.__setattr__(self, "board", remember(partial(board, self.listings, self.day)))

    @property
    def upstreams(self) -> tuple[str, ...]:
        """Return the names of the upstreams, in the owner's order."""
        return tuple(dict.fromkeys([listing.upstream.name for listing in self.listings]))

    @classmethod
    def of(cls, book: Book, upstreams: Iterable[Upstream], day: date) -> "Market":
        """Return what `book` knows to be for sale on `upstreams` on `day`, the dead included."""
        kept = tuple(upstreams)
        listings = tuple(
            Listing(
                upstream=upstream,
                card=card,
                price=_price(book, card, day, upstream),
                place=place,
                heir=_heir(book, card, day),
            )
            for place, upstream in enumerate(kept)
            for card in book.known(upstream.surface, day)
            if card.served_by(upstream.name)
        )
        remember = lru_cache(maxsize=REMEMBERED_SHAPES)
        return cls(
            day=day,
            listings=listings,
            acting=remember(partial(_acting, book, listings, kept, day)),
            current=remember(partial(_current, book, kept, day)),
        )

    def only(self, keep: Callable[[Listing], bool]) -> "Market":
        """Return this market without what `keep` does not hold for: nothing else may stand in, either."""
        acting = self.acting

        def acting_here(model: ModelId) -> tuple[StandIn, ...]:
            return tuple(one for one in acting(model) if keep(one.listing))

        kept = tuple(listing for listing in self.listings if keep(listing))
        return Market(
            day=self.day,
            listings=kept,
            acting=lru_cache(maxsize=REMEMBERED_SHAPES)(acting_here),
            current=self.current,
        )


def _price(book: Book, card: ModelCard, day: date, upstream: Upstream) -> PriceRow | None:
    try:
        return book.price_on(card.surface, card.model, day, upstream.name)
    except NoPriceOnDate:
        return None


def _heir(book: Book, card: ModelCard, day: date) -> ModelId | None:
    if card.lives_on(day):
        return None
    who = book.acting_for(card.surface, card.model, day)
    return None if who is None else who.card.model


def _current(
    book: Book, upstreams: tuple[Upstream, ...], day: date, line: str
) -> frozenset[tuple[str, ModelId]]:
    newest = [(upstream.name, book.current(line, upstream.surface, day)) for upstream in upstreams]
    return frozenset([(name, card.model) for name, card in newest if card is not None])


def _acting(
    book: Book, listings: tuple[Listing, ...], upstreams: tuple[Upstream, ...], day: date, model: ModelId
) -> tuple[StandIn, ...]:
    by_route = {(listing.upstream.name, listing.card.model): listing for listing in listings}
    found: list[StandIn] = []
    for upstream in upstreams:
        asked = book.find(upstream.surface, model, day)
        who = book.acting_for(upstream.surface, model, day)
        listing = None if who is None else by_route.get((upstream.name, who.card.model))
        if who is None or listing is None:
            continue
        found.append(
            StandIn(
                listing=listing,
                thinking=who.thinking,
                chain=(*who.chain, who.card.model),
                source=_source(who, asked),
                shutdown_on=None if asked is None or asked.lives_on(day) else asked.shutdown_on,
            )
        )
    return tuple(found)


def _source(who: Successor, asked: ModelCard | None) -> str:
    if who.said is not None:
        return who.said.provenance.source
    return (asked or who.card).provenance["identity"].source

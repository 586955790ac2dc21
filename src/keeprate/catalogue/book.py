"""The book of facts: every look-up "as of a day".

Answers change only on the days that some row names, so the book keeps one answer per stretch of days
between two of them. A look-up is a bisection and a dictionary: routing asks dozens per decision.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from keeprate.catalogue.card_assembly import card_on
from keeprate.catalogue.cards import ModelCard, PriceRow
from keeprate.catalogue.consistency import check
from keeprate.catalogue.contradictions import Contradiction, contradictions_in
from keeprate.catalogue.dossiers import Dossier, dossier
from keeprate.catalogue.price_assembly import price_row_on
from keeprate.catalogue.route_records import RouteRecord, record_of
from keeprate.catalogue.statements import Identity, Statements
from keeprate.catalogue.successors import Dying, Successor, followed, stand_in
from keeprate.domain.errors import CatalogueError, NoPriceOnDate, UnknownModel
from keeprate.domain.routes import ModelId, Surface, Upstream

FIRST_DAY: Final = date(2026, 4, 1)


class Book:
    """Facts as of a day. Immutable to its readers; answers are kept once worked out."""

    def __init__(self, statements: Statements) -> None:
        """Gather what is said of each model.

        Raises:
            CatalogueError: Two rows state one fact, or the owner's rows would change official prices.
        """
        check(statements)
        self.statements = statements
        self._dossiers: dict[tuple[Surface, ModelId], Dossier] = {}
        for identity in statements.identities:
            for surface in identity.subject.surfaces:
                self._dossiers[surface, identity.model] = dossier(statements, identity, surface)
        changes = {day for known in self._dossiers.values() for day in known.change_days()}
        self._changes = sorted({FIRST_DAY, *(day for day in changes if day > FIRST_DAY)})
        self._cards: dict[tuple[Surface, ModelId, int], ModelCard] = {}
        self._prices: dict[tuple[Surface, ModelId, str | None, int], PriceRow] = {}
        self._living: dict[tuple[Surface, int], tuple[ModelCard, ...]] = {}
        self._acting: dict[tuple[Surface, ModelId, int], Successor | None] = {}
        self._successors: dict[tuple[Surface, ModelId, int], Successor | None] = {}

    @property
    def surfaces(self) -> tuple[Surface, ...]:
        """Return every surface some model is on."""
        return tuple(dict.fromkeys(surface for surface, _ in self._dossiers))

    @property
    def change_days(self) -> tuple[date, ...]:
        """Return the days on which some answer changes, the first day of the book first."""
        return tuple(self._changes)

    def model_ids(self, surface: Surface) -> tuple[ModelId, ...]:
        """Return every id ever known on `surface`, dead and unborn ones too."""
        return tuple(model for one, model in self._dossiers if one == surface)

    def identities(self, surface: Surface) -> tuple[Identity, ...]:
        """Return the names of every model ever known on `surface`."""
        return tuple(known.identity for (one, _), known in self._dossiers.items() if one == surface)

    def models(self, surface: Surface, day: date) -> tuple[ModelCard, ...]:
        """Return the cards of the models that answer on `day`."""
        key = (surface, self._stretch(day))
        if key not in self._living:
            self._living[key] = tuple(card for card in self.known(surface, day) if card.lives_on(day))
        return self._living[key]

    def known(self, surface: Surface, day: date) -> tuple[ModelCard, ...]:
        """Return the cards of all models released by `day`, retired ones too."""
        cards = (self.find(surface, model, day) for model in self.model_ids(surface))
        return tuple(card for card in cards if card is not None)

    def find(self, surface: Surface, model: ModelId, day: date) -> ModelCard | None:
        """Return the card of an exact id, dead or alive; None if unknown or not out by `day`."""
        key = (surface, model, self._stretch(day))
        card = self._cards.get(key)
        if card is None and (surface, model) in self._dossiers:
            card = card_on(self._dossiers[surface, model], self._changes[key[2]])
            if card is not None:
                self._cards[key] = card
        return card

    def card(self, surface: Surface, model: ModelId, day: date) -> ModelCard:
        """Return the card of an exact id, dead or alive.

        Raises:
            UnknownModel: No such id on `surface`, or not out by `day`.
        """
        card = self.find(surface, model, day)
        if card is None:
            raise UnknownModel(
                f"{model} is not known on {surface} on {day}",
                field="model",
                value=model,
                remedy="`keeprate models` lists the ids",
            )
        return card

    def price_on(self, surface: Surface, model: ModelId, day: date, upstream: str | None = None) -> PriceRow:
        """Return the price in force on `day`, the contract's for `upstream` where there is one.

        Raises:
            NoPriceOnDate: No price had started by that day.
        """
        key = (surface, model, upstream, self._stretch(day))
        row = self._prices.get(key)
        if row is None:
            row = self._worked_out(key)
        if row is None:
            raise NoPriceOnDate(
                f"no price of {model} on {surface} had started by {day}",
                field="model",
                value=model,
                remedy="add a [[price]] row for it to keeprate.toml, with its source and date",
            )
        return row

    def current(self, line: str, surface: Surface, day: date) -> ModelCard | None:
        """Return the newest living model of `line`; a preview only while nothing else of it lives."""
        of_line = [card for card in self.models(surface, day) if card.line == line]
        return max(of_line, key=lambda card: (not card.is_preview, card.released_on), default=None)

    def successor(self, surface: Surface, model: ModelId, day: date) -> Successor | None:
        """Return who takes over from `model`, followed to a living one; None if nobody is named.

        A living model may have a successor too: a deprecated one does.
        """
        # Names that nobody knows are not kept: they come from callers, without end.
        if (surface, model) not in self._dossiers:
            return None
        key = (surface, model, self._stretch(day))
        if key not in self._successors:
            self._successors[key] = followed(self, surface, model, day)
        return self._successors[key]

    def acting_for(self, surface: Surface, model: ModelId, day: date) -> Successor | None:
        """Return who does the work of `model` on `day`; None if nobody is named.

        Itself while it lives under that id; the same model under another id (a preview before its
        release, the released one after its preview's); else the successor.
        """
        if (surface, model) not in self._dossiers:
            return None
        key = (surface, model, self._stretch(day))
        if key not in self._acting:
            self._acting[key] = stand_in(self, surface, model, day)
        return self._acting[key]

    def dying(self, day: date, within_days: int) -> tuple[Dying, ...]:
        """Return the living models whose announced end comes within `within_days`, soonest first."""
        horizon = day + timedelta(days=within_days)
        found = [
            Dying(
                card=card,
                last_day=card.shutdown_on - timedelta(days=1),
                days_left=(card.shutdown_on - day).days,
                successor=self.successor(surface, card.model, day),
            )
            for surface in self.surfaces
            for card in self.models(surface, day)
            if card.shutdown_on is not None and card.shutdown_on <= horizon
        ]
        return tuple(sorted(found, key=lambda one: (one.days_left, one.card.surface, one.card.model)))

    def contradictions(self) -> tuple[Contradiction, ...]:
        """Return every fact of which a disbelieved side is kept, with the side that is taken."""
        return contradictions_in(self._dossiers.values())

    def record(self, upstream: Upstream, day: date) -> RouteRecord:
        """Return the route record of a connection: what is known of it by `day`, and what is not."""
        served = tuple(
            card.model for card in self.models(upstream.surface, day) if card.served_by(upstream.name)
        )
        return record_of(self.statements.records, upstream, served, day)

    def _worked_out(self, key: tuple[Surface, ModelId, str | None, int]) -> PriceRow | None:
        surface, model, upstream, stretch = key
        known = self._dossiers.get((surface, model))
        row = None if known is None else price_row_on(known, self._changes[stretch], upstream)
        if row is not None:
            self._prices[key] = row
        return row

    def _stretch(self, day: date) -> int:
        if day < FIRST_DAY:
            raise CatalogueError(
                f"the book begins on {FIRST_DAY}; {day} is before it",
                field="as_of",
                value=str(day),
                remedy=f"ask for a day from {FIRST_DAY} on",
            )
        return bisect_right(self._changes, day) - 1


def gathered(parts: Iterable[Statements]) -> Statements:
    """Return all statements as one."""
    whole = Statements()
    for part in parts:
        whole = whole.plus(part)
    return whole

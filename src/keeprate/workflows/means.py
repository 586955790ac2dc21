"""What the verbs work with: the ports joined, handed in by `bootstrap`."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from keeprate.catalogue.book import Book
from keeprate.catalogue.cards import PriceRow
from keeprate.domain.attempts import NewAttempt
from keeprate.domain.decisions import Decision
from keeprate.domain.errors import NoPriceOnDate
from keeprate.domain.routes import ModelId
from keeprate.routing.market import Market
from keeprate.workflows.charging import PriceOf
from keeprate.workflows.kept import Keeper
from keeprate.workflows.manners import Manners
from keeprate.workflows.ports import Provider, Rng
from keeprate.workflows.till import Till

Confirm = Callable[[Decision], Awaitable[bool]]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Everything a verb may touch. `owner` is this process, `confirm` asks the person."""

    till: Till
    book: Book
    market: Callable[[], Market]
    providers: Mapping[str, Provider]
    keeper: Keeper
    rng: Rng
    day_of: Callable[[datetime], date]
    owner: str
    default_policy: str
    assume_yes: bool
    confirm: Confirm | None
    progress: Progress
    manners: Manners = field(default_factory=Manners)

    def today(self) -> date:
        """Return the day facts are looked up for: the clock's, unless another was asked for."""
        return self.day_of(self.till.clock.now())

    def price_of(self, new: NewAttempt) -> PriceOf:
        """Return the look-up of prices as served, on the surface and day of `new`."""
        day = self.day_of(new.created_at)

        def price_of(model: ModelId) -> PriceRow | None:
            try:
                return self.book.price_on(new.surface, model, day, upstream=new.route.upstream)
            except NoPriceOnDate:
                return None

        return price_of

    def provider_of(self, new: NewAttempt) -> Provider | None:
        """Return the provider of the upstream that `new` went to, if it is still configured."""
        return self.providers.get(new.route.upstream)

"""What every door works at: the open house, the caller's means, and what the terms of a key allow."""

import asyncio
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from keeprate.bootstrap import House
from keeprate.catalogue.names import resolve
from keeprate.domain.budgets import Budget
from keeprate.domain.errors import Forbidden, UnknownModel
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Purpose, word
from keeprate.domain.terms import KeyTerms
from keeprate.gateway.identity import Authenticator, Caller
from keeprate.ledger.ledger import SqlLedger
from keeprate.routing.market import Market
from keeprate.workflows.first_day import both
from keeprate.workflows.means import Means
from keeprate.workflows.options import Options

_SIZES: Final = tuple(Size)
PLAIN: Final = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The house as the doors see it."""

    house: House
    identity: Authenticator
    base_url: str = ""
    capped: set[str] = field(default_factory=set[str])
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def means(self) -> Means:
        """Return the means of the verbs, for those who may buy everything."""
        return self.house.means

    @property
    def ledger(self) -> SqlLedger:
        """Return the ledger."""
        return self.house.ledger

    def means_for(self, caller: Caller, options: Options) -> Means:
        """Return the means with the market narrowed to what the caller's terms allow for this purpose."""
        terms = caller.terms
        if not terms.models and not terms.reserved:
            return self.means
        purpose = word(Purpose, options.purpose, field="purpose")
        return replace(self.means, market=lambda: _narrowed(self.means.market(), terms, purpose))

    async def on_behalf(self, caller: Caller, user: str | None) -> Caller:
        """Return the caller for one of its end users, who has a cap of their own where the key says so.

        Raises:
            InvalidValue: The name is empty, too long or holds what does not print.
        """
        if user is None or caller.scope.key is None:
            return caller
        person = caller.for_user(user)
        cap, name = caller.terms.user_cap, person.scope.key
        if cap is not None and name is not None and name not in self.capped:
            # A cap that is there stays as its owner may have set it since.
            await self.ledger.add_budgets(
                caller.scope,
                both(
                    Budget(
                        id=f"{cap.window}-cap-{name}",
                        workspace=caller.scope.workspace,
                        key=name,
                        window=cap.window,
                        limit=cap.limit,
                    )
                ),
                self.means.till.clock.now(),
            )
            self.capped.add(name)
        return person

    def defaults(self, caller: Caller) -> Options:
        """Return the options that stand where a request of `caller` says nothing."""
        terms = caller.terms
        purpose = PLAIN.purpose if terms.purpose is None else str(terms.purpose)
        return replace(PLAIN, purpose=purpose, policy=terms.policy)

    def allowed(self, caller: Caller, options: Options) -> Options:
        """Return `options`, having checked them against the caller's terms.

        Raises:
            Forbidden: The terms do not allow the model or the size.
        """
        self._check_size(caller.terms, options)
        self._check_model(caller.terms, options)
        return options

    def _check_size(self, terms: KeyTerms, options: Options) -> None:
        size = word(Size, options.size.upper(), field="size")
        if terms.largest_size is None or _SIZES.index(size) <= _SIZES.index(terms.largest_size):
            return
        raise Forbidden(
            f"this key may ask for images up to {terms.largest_size}, not {size}",
            field="size",
            value=str(size),
            remedy=f"ask for {terms.largest_size}, or use another key",
        )

    def _check_model(self, terms: KeyTerms, options: Options) -> None:
        if options.model is None or not (terms.models or terms.reserved):
            return
        purpose = word(Purpose, options.purpose, field="purpose")
        day = self.means.today()
        surfaces = dict.fromkeys(provider.upstream.surface for provider in self.means.providers.values())
        for surface in surfaces:
            try:
                model = resolve(self.means.book, options.model, surface, day).model
            except UnknownModel:
                continue
            card = self.means.book.card(surface, model, day)
            if not terms.serves(str(model), card.line, purpose):
                raise _not_for_this_key(terms, str(model), card.line, purpose)


def _not_for_this_key(terms: KeyTerms, model: str, line: str, purpose: Purpose) -> Forbidden:
    rules = [rule for rule in terms.reserved if rule.model in {model, line}]
    meant = sorted({str(one) for rule in rules for one in rule.purposes})
    plan = "this key" if terms.plan is None else f"plan {terms.plan!r}"
    return Forbidden(
        f"{plan} does not allow {model} for {purpose}",
        field="model",
        value=model,
        remedy=f"it is there for: {', '.join(meant)}" if meant else "leave the model out, or use another key",
        facts={"plan": terms.plan},
    )


@lru_cache(maxsize=256)
def _narrowed(market: Market, terms: KeyTerms, purpose: Purpose) -> Market:
    return market.only(lambda listing: terms.serves(str(listing.card.model), listing.card.line, purpose))

"""Calls that cost nothing: counting tokens, and what was made before. Forwarded to the upstream that has it."""

from dataclasses import dataclass

from keeprate.domain.errors import ConfigError, NotFound, UnknownModel
from keeprate.domain.routes import Surface
from keeprate.gateway.desk import Desk
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.gemini.calls import query_of, version_of
from keeprate.gateway.gemini.passing import JSON_TYPE, errand_run, gathered
from keeprate.gateway.identity import Caller
from keeprate.workflows.affinity import Kind, Place, place_of
from keeprate.workflows.envelopes import Verb, model_named
from keeprate.workflows.forwarding import Errand, Forwarder
from keeprate.workflows.passages import carrying, forwarder_of
from keeprate.workflows.route import resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Errands:
    """Serves the doors of one surface that buy nothing."""

    desk: Desk
    surface: Surface

    async def count(self, request: Request, caller: Caller) -> Answer:
        """Answer with the tokens of a call, as the upstream counts them."""
        body = await gathered(request)
        market = carrying(
            self.desk.means_for(caller, self.desk.defaults(caller)).market(), Verb.GENERATE, self.surface
        )
        name = model_named(request.parts["model"])
        model = None if name is None else resolved(self.desk.means, str(name)).model
        sold = [
            listing
            for listing in market.listings
            if listing.price is not None
            and listing.card.lives_on(market.day)
            and model in {None, listing.card.model}
        ]
        if not sold:
            raise UnknownModel(
                f"{request.parts['model']} is not sold here",
                field="model",
                value=str(name),
                remedy="list the models",
            )
        forwarder = forwarder_of(self.desk.means, sold[0].upstream.name)
        errand = Errand(
            collection=f"models/{sold[0].card.model}:countTokens", version=self.version(request, forwarder)
        )
        run = await errand_run(
            forwarder, errand, method="POST", headers={"Content-Type": JSON_TYPE}, body=body.body, length=len(body.body)
        )  # fmt: skip
        return run.answer()

    async def interaction(self, request: Request, caller: Caller) -> Answer:
        """Answer with an interaction of this workspace, or forget it.

        Raises:
            NotFound: None of that name here.
        """
        name = request.parts["interaction"]
        forwarder, _ = await self.home(caller, Kind.INTERACTION, name)
        errand = Errand(
            collection=f"interactions/{name}",
            version=self.version(request, forwarder),
            query=query_of(request, frozenset({"stream", "alt"})),
        )
        return (await errand_run(forwarder, errand, method=request.method)).answer()

    async def home(self, caller: Caller, kind: Kind, name: str) -> tuple[Forwarder, Place]:
        """Return the upstream that a thing of the caller's workspace lives on.

        Raises:
            NotFound: None of that name here.
        """
        place = await place_of(self.desk.ledger, caller.scope, kind, name)
        if place is None or place.upstream not in self.desk.means.providers:
            raise NotFound(
                f"no {kind} {name!r}",
                field=str(kind),
                value=name,
                remedy="make it through this gateway first",
            )
        return forwarder_of(self.desk.means, place.upstream), place

    def version(self, request: Request, forwarder: Forwarder) -> str | None:
        """Return the version to ask for: the caller's own, where the upstream counts as the caller does."""
        return version_of(request) if forwarder.upstream.surface == self.surface else None

    def first(self) -> Forwarder:
        """Return the upstream that takes what belongs to none yet: the first of this surface, else the first.

        Raises:
            ConfigError: None takes calls as they came.
        """
        forwarders = [one for one in self.desk.means.providers.values() if isinstance(one, Forwarder)]
        own = [one for one in forwarders if one.upstream.surface == self.surface]
        if not forwarders:
            raise ConfigError("no upstream takes calls as they came", field="upstream")
        return (own or forwarders)[0]

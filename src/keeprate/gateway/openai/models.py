"""`/v1/models` in OpenAI's shape: what can be asked for here, `auto` first."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Final

import msgspec

from keeprate.catalogue.cards import ModelCard
from keeprate.domain.errors import UnknownModel
from keeprate.gateway.desk import Desk
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.identity import Caller
from keeprate.workflows.route import resolved

AUTO: Final = "auto"
Record = Mapping[str, object]


class Models:
    """Serves the list and its entries."""

    def __init__(self, desk: Desk) -> None:
        """List what is for sale at `desk`."""
        self._desk = desk

    async def listed(self, request: Request, caller: Caller) -> Answer:
        """Answer with all models this caller may use."""
        del request
        records = [self._auto(caller), *(_record(card) for card in self._cards(caller).values())]
        return Answer(body=msgspec.json.encode({"object": "list", "data": records}))

    async def one(self, request: Request, caller: Caller) -> Answer:
        """Answer with one model, by its id or any name it goes by.

        Raises:
            UnknownModel: Nothing of that name is sold to this caller.
            ModelRetired: Its day has passed.
        """
        name = request.parts["model"]
        if name == AUTO:
            return Answer(body=msgspec.json.encode(self._auto(caller)))
        card = self._cards(caller).get(resolved(self._desk.means, name).card.model)
        if card is None:
            raise UnknownModel(
                f"{name} is not sold here", field="model", value=name, remedy="list the models"
            )
        return Answer(body=msgspec.json.encode(_record(card)))

    def _cards(self, caller: Caller) -> Mapping[str, ModelCard]:
        """Return the living models with a price that this caller may use, by id."""
        market = self._desk.means_for(caller, self._desk.defaults(caller)).market()
        found = {
            listing.card.model: listing.card
            for listing in reversed(market.listings)
            if listing.price is not None and listing.card.lives_on(market.day)
        }
        return {model: found[model] for model in sorted(found)}

    def _auto(self, caller: Caller) -> Record:
        newest = max((card.released_on for card in self._cards(caller).values()), default=date(2025, 1, 1))
        return {"id": AUTO, "object": "model", "created": _seconds(newest), "owned_by": "keeprate"}


def _record(card: ModelCard) -> Record:
    return {
        "id": str(card.model),
        "object": "model",
        "created": _seconds(card.released_on),
        "owned_by": "google",
    }


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())

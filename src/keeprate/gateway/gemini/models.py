"""What can be asked for here, listed in Google's shape: the living models of the configured upstreams, and `auto`.

Wire source: https://ai.google.dev/api/models and https://cloud.google.com/vertex-ai (publishers.models), read
2026-11. Clients page until no token comes, and break on a token whose page is empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from keeprate.catalogue.cards import ModelCard, Transport
from keeprate.domain.errors import InvalidValue, UnknownModel
from keeprate.domain.routes import VERTEX, Surface
from keeprate.gateway.desk import Desk
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.identity import Caller
from keeprate.workflows.route import resolved

AUTO: Final = "auto"
_PAGE: Final = 50
_MOST: Final = 1000
_VERBS: Final = {
    Transport.GENERATE_CONTENT: (
        "generateContent",
        "streamGenerateContent",
        "countTokens",
        "batchGenerateContent",
    ),
    Transport.PREDICT: ("predict",),
}

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Serves the listings of one surface."""

    desk: Desk
    surface: Surface

    async def listed(self, request: Request, caller: Caller) -> Answer:
        """Answer with a page of models."""
        records = [self._auto(), *(self._record(card) for card in self._cards(caller))]
        size = _number(request.asked("pageSize"), "pageSize", usual=_PAGE) or _PAGE
        start = _number(request.asked("pageToken"), "pageToken", usual=0)
        end = start + min(size, _MOST)
        name = "publisherModels" if self.surface == VERTEX else "models"
        page: dict[str, object] = {name: records[start:end]}
        if end < len(records):
            page["nextPageToken"] = str(end)
        return Answer(body=msgspec.json.encode(page))

    async def one(self, request: Request, caller: Caller) -> Answer:
        """Answer with one model, by its id or any name it goes by.

        Raises:
            UnknownModel: Nothing of that name is sold here.
            ModelRetired: Its day has passed.
        """
        name = request.parts["model"]
        if name == AUTO:
            return Answer(body=msgspec.json.encode(self._auto()))
        card = resolved(self.desk.means, name).card
        if card.model not in {one.model for one in self._cards(caller)}:
            raise UnknownModel(
                f"{name} is not sold here", field="model", value=name, remedy="list the models"
            )
        return Answer(body=msgspec.json.encode(self._record(card)))

    async def tuned(self, request: Request, caller: Caller) -> Answer:
        """Answer that nothing was tuned."""
        del request, caller
        return Answer(body=b"{}")

    def _cards(self, caller: Caller) -> Sequence[ModelCard]:
        """Return the living models with a price that this caller may use, each once."""
        market = self.desk.means_for(caller, self.desk.defaults(caller)).market()
        found = {
            listing.card.model: listing.card
            for listing in reversed(market.listings)
            if listing.price is not None and listing.card.lives_on(market.day)
        }
        return [found[model] for model in sorted(found)]

    def _record(self, card: ModelCard) -> Record:
        if self.surface == VERTEX:
            return {
                "name": f"publishers/google/models/{card.model}",
                "versionId": "default",
                "openSourceCategory": "PROPRIETARY",
                "launchStage": "PUBLIC_PREVIEW" if card.is_preview else "GA",
            }
        limits = {"inputTokenLimit": card.max_prompt_tokens, "outputTokenLimit": card.max_output_tokens}
        return {
            "name": f"models/{card.model}",
            "version": "001",
            "displayName": card.market_name,
            "description": f"{card.market_name}, sizes {', '.join(card.sizes)}",
            **{name: limit for name, limit in limits.items() if limit is not None},
            "supportedGenerationMethods": list(_VERBS[card.transport]),
            "thinking": bool(card.thinking),
        }

    def _auto(self) -> Record:
        if self.surface == VERTEX:
            return {
                "name": f"publishers/google/models/{AUTO}",
                "versionId": "default",
                "launchStage": "GA",
            }
        return {
            "name": f"models/{AUTO}",
            "version": "001",
            "displayName": "The policy's choice",
            "description": "The route that costs least per image you keep, for the purpose you name",
            "supportedGenerationMethods": [
                "generateContent",
                "streamGenerateContent",
                "countTokens",
                "predict",
            ],
        }


def _number(text: str | None, field: str, *, usual: int) -> int:
    if text is None or text == "":
        return usual
    if not text.isdecimal():
        raise InvalidValue(
            f"{field} {text!r} is no whole number", field=field, value=text, remedy="leave it out"
        )
    return int(text)

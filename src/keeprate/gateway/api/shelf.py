"""Models, images by hash, and where an image came from."""

from typing import Annotated

import msgspec
from fastapi import Path, Response

from keeprate.catalogue.cards import ModelCard
from keeprate.domain.errors import NoPriceOnDate, NotFound, UnknownModel
from keeprate.domain.routes import Surface
from keeprate.domain.scopes import Scope
from keeprate.gateway.api import asked, telling, told
from keeprate.gateway.api.asking import Asks
from keeprate.gateway.desk import Desk
from keeprate.safety.images import sniff
from keeprate.workflows.whence import whence

Hash = Annotated[asked.Sha256, Path()]
# Bytes that somebody else's model made: a browser shows them as the image they are, or not at all.
_SAFE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, max-age=31536000, immutable",
}


class Shelf:
    """The endpoints that show what there is."""

    def __init__(self, desk: Desk) -> None:
        """Work at `desk`."""
        self._desk = desk

    async def models(self, caller: Asks) -> told.Models:
        """List the models that answer today on the configured surfaces, and those the caller may use of them."""
        book, day = self._desk.means.book, self._desk.means.today()
        terms = caller.terms
        cards = [
            card
            for surface in self._surfaces()
            for card in book.known(surface, day)
            if card.lives_on(day) and (not terms.models or {card.model, card.line} & terms.models)
        ]
        return told.Models(as_of=day.isoformat(), models=[self._model(card) for card in cards])

    async def model(self, model: Annotated[asked.Name, Path()], caller: Asks) -> told.Models:
        """Show a model by its id, retired ones too, on each configured surface that knows it."""
        del caller
        book, day = self._desk.means.book, self._desk.means.today()
        cards = [
            card
            for surface in self._surfaces()
            for card in book.known(surface, day)
            if model in {str(card.model), *card.preview_ids, *card.aliases}
        ]
        if not cards:
            raise UnknownModel(
                f"no model {model!r}", field="model", value=model, remedy="list them: GET /api/models"
            )
        return told.Models(as_of=day.isoformat(), models=[self._model(card) for card in cards])

    async def image(self, sha256: Hash, caller: Asks) -> Response:
        """Return the untouched bytes of an image that the caller bought, or may see."""
        await self._must_see(caller.scope, sha256)
        content = await self._desk.means.till.assets.read(caller.scope.workspace, sha256)
        kind = sniff(content)
        mime = "application/octet-stream" if kind is None else kind.mime
        return Response(content, media_type=mime, headers={**_SAFE, "etag": f'"{sha256}"'})

    async def whence(self, sha256: Hash, caller: Asks) -> told.OriginAnswer:
        """Tell where an image came from: prompt, model, price, verdicts and lineage."""
        await self._must_see(caller.scope, sha256)
        stored = self._desk.means.till.assets.find(caller.scope.workspace, sha256)
        if stored is None:
            raise _no_image(sha256)
        origin = await whence(self._desk.means, caller.scope, stored.path)
        said = None if origin.price is None else origin.price.provenance
        return told.OriginAnswer(
            sha256=origin.image_sha256,
            attempt=telling.attempt(origin.attempt),
            request=telling.document(msgspec.json.encode(origin.request, enc_hook=str)),
            price_source=None if said is None else said.source,
            price_valid_from=None if said is None else said.valid_from.isoformat(),
            price_seen_on=None if said is None else said.seen_on.isoformat(),
            verdicts=[telling.verdict(one) for one in origin.verdicts],
            lineage=[row.id for row in origin.lineage],
            other_attempts=list(origin.others),
        )

    async def _must_see(self, scope: Scope, sha256: str) -> None:
        """Refuse alike what is not there and what belongs to others."""
        if not await self._desk.ledger.attempts_of_image(scope, sha256):
            raise _no_image(sha256)

    def _surfaces(self) -> list[Surface]:
        providers = self._desk.means.providers.values()
        return list(dict.fromkeys(provider.upstream.surface for provider in providers))

    def _model(self, card: ModelCard) -> told.ModelTold:
        book, day = self._desk.means.book, self._desk.means.today()
        try:
            price = book.price_on(card.surface, card.model, day)
        except NoPriceOnDate:
            price = None
        return told.ModelTold(
            model=str(card.model),
            market_name=card.market_name,
            surface=str(card.surface),
            line=card.line,
            alive=card.lives_on(day),
            released_on=card.released_on.isoformat(),
            deprecated_on=None if card.deprecated_on is None else card.deprecated_on.isoformat(),
            shutdown_on=None if card.shutdown_on is None else card.shutdown_on.isoformat(),
            sizes=[str(size) for size in card.sizes],
            ratios=[str(ratio) for ratio in card.ratios],
            max_references=card.max_references,
            price_id=None if price is None else price.id,
            source=card.provenance["identity"].source,
        )


def _no_image(sha256: str) -> NotFound:
    return NotFound("no such image", field="sha256", value=sha256, remedy="list attempts: GET /api/attempts")

"""The three calls that buy images: parse, agree on options, buy once, answer."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from keeprate.catalogue.cards import ModelCard
from keeprate.domain.errors import UnreadableReference
from keeprate.domain.purposes import Fidelity
from keeprate.gateway.desk import Desk
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.identity import Caller
from keeprate.gateway.marks import PREFIX, Hints, hints_of, with_hints
from keeprate.gateway.openai.answers import Shown, bought
from keeprate.gateway.openai.asked import Asked, edit, generation, variation
from keeprate.gateway.openai.forms import Part, form_of
from keeprate.gateway.openai.links import Links
from keeprate.gateway.openai.sizes import fitted
from keeprate.gateway.paid_once import claimed, played
from keeprate.safety.images import ImageKind
from keeprate.workflows.asking import Asking, exact_key, fingerprint
from keeprate.workflows.generate import generate
from keeprate.workflows.kept_answers import Bought
from keeprate.workflows.materials import references_of
from keeprate.workflows.options import Options, image_request
from keeprate.workflows.ports import StoredImage
from keeprate.workflows.results import Result
from keeprate.workflows.route import decided, resolved

GENERATIONS: Final = "/v1/images/generations"
EDITS: Final = "/v1/images/edits"
VARIATIONS: Final = "/v1/images/variations"
_KINDS: Final = {"png": ImageKind.PNG, "jpeg": ImageKind.JPEG, "webp": ImageKind.WEBP}
_FIDELITY: Final = {"low": Fidelity.LOOSE, "high": Fidelity.STRICT}
# OpenAI's own default is 100; where a JPEG is only as good as its encoder, more than this adds bytes alone.
_BEST: Final = 95
_WORST: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one call is to buy, agreed with the caller's terms."""

    caller: Caller
    asked: Asked
    options: Options


class Images:
    """Serves the calls."""

    def __init__(self, desk: Desk, links: Links) -> None:
        """Work at `desk`; `links` are for answers that ask for them."""
        self._desk = desk
        self._links = links

    async def generations(self, request: Request, caller: Caller) -> Answer:
        """Buy images from words."""
        return await self._served(request, caller, generation(await request.body()), path=GENERATIONS)

    async def edits(self, request: Request, caller: Caller) -> Answer:
        """Buy images from words and up to fourteen images."""
        return await self._of_form(request, caller, edit, path=EDITS)

    async def variations(self, request: Request, caller: Caller) -> Answer:
        """Buy variations of one image."""
        return await self._of_form(request, caller, variation, path=VARIATIONS)

    async def _of_form(
        self, request: Request, caller: Caller, read: Callable[[Sequence[Part]], Asked], *, path: str
    ) -> Answer:
        return await self._served(request, caller, read(await form_of(request)), path=path)

    async def _served(self, request: Request, caller: Caller, asked: Asked, *, path: str) -> Answer:
        caller = await self._desk.on_behalf(caller, asked.user)
        hints = hints_of(request.headers, asked.hints)
        order = Order(caller=caller, asked=asked, options=self._options(caller, asked, hints))
        asking = await self._asking(request, order, hints, path=path)

        async def buy(intent: str) -> Bought:
            return await self._bought(order, intent)

        claims = self._desk.house.claims
        found = await claimed(claims, request, asking, buy)
        slices = claims.slices(caller.scope, found.answer)
        if asked.wants_links:
            body = await self._links.filled(request, caller.scope.workspace, slices)
            return played(found, body, content_type="application/json")
        streams = asked.streams and found.answer.status == 200
        return played(found, slices, content_type="text/event-stream" if streams else "application/json")

    def _options(self, caller: Caller, asked: Asked, hints: Hints) -> Options:
        """Return what to buy: hints first, then the dialect's fields, then key and policy."""
        desk, fields = self._desk, asked.fields
        base = with_hints(desk.defaults(caller), hints)
        shape = fitted(
            fields.size,
            fields.quality,
            self._cards(caller, base, asked.model),
            is_named=asked.model is not None,
            largest=caller.terms.largest_size,
        )
        thinking = None if shape.thinking is None else str(shape.thinking)
        ratio = None if shape.ratio is None else str(shape.ratio)
        fidelity = None if fields.input_fidelity is None else str(_FIDELITY[fields.input_fidelity])
        options = replace(
            base,
            model=asked.model,
            size=hints.size or str(shape.size),
            ratio=base.ratio or ratio,
            thinking=base.thinking or thinking,
            reference_fidelity=base.reference_fidelity or fidelity,
            references=asked.references,
            variants=asked.count,
        )
        return desk.allowed(caller, options)

    def _cards(self, caller: Caller, options: Options, model: str | None) -> tuple[ModelCard, ...]:
        """Return the models that may draw it: the one named, or all that live and have a price."""
        means = self._desk.means_for(caller, options)
        if model is not None:
            return (resolved(means, model).card,)
        market = means.market()
        cards = {
            listing.card.model: listing.card
            for listing in market.listings
            if listing.price is not None and listing.card.lives_on(market.day)
        }
        return tuple(cards.values())

    async def _asking(self, request: Request, order: Order, hints: Hints, *, path: str) -> Asking:
        terms, headers = order.caller.terms, request.headers
        route_hints = {name: value for name, value in headers.pairs if name.startswith(PREFIX)}
        tries = headers.get("x-stainless-retry-count") or "0"
        may_share = terms.cache if hints.cache is None else hints.cache
        return Asking(
            scope=order.caller.scope,
            fingerprint=fingerprint("POST", path, order.asked.sha256, route_hints),
            idempotency_key=headers.get("idempotency-key"),
            is_resend=tries.isdecimal() and tries.strip("0") != "",
            cache_key=await self._cache_key(order, path) if may_share else None,
            single_flight=terms.single_flight if hints.single_flight is None else hints.single_flight,
        )

    async def _cache_key(self, order: Order, path: str) -> str:
        """Return the key of an equal purchase that is answered in an equal shape."""
        means = self._desk.means_for(order.caller, order.options)
        scope, options, fields = order.caller.scope, order.options, order.asked.fields
        references = await references_of(means, scope, options)
        asked = image_request(order.asked.prompt, options, references)
        decision = (await decided(means, scope, asked, options)).decision
        shape = (
            path,
            fields.size,
            fields.quality,
            fields.output_format,
            fields.output_compression,
            fields.response_format,
            fields.stream,
        )
        return hashlib.sha256(msgspec.json.encode((exact_key(asked, decision), shape))).hexdigest()

    async def _bought(self, order: Order, intent: str) -> Bought:
        means = self._desk.means_for(order.caller, order.options)
        options = replace(order.options, intent=intent)
        try:
            result = await generate(means, order.caller.scope, order.asked.prompt, options)
        except UnreadableReference as fault:
            # The dialect's own word for it, so that the SDK's `param` names a field its user knows.
            raise UnreadableReference(
                fault.message, field="image", value=fault.value, remedy=fault.remedy
            ) from fault
        return bought(order.asked, result, await self._shown(order, result))

    async def _shown(self, order: Order, result: Result) -> tuple[Shown, ...]:
        return tuple([await self._encoded(order, image) for image in result.images])

    async def _encoded(self, order: Order, image: StoredImage) -> Shown:
        """Return an image in the format asked for; what was bought stays in the store as it came."""
        fields = order.asked.fields
        kind = None if fields.output_format is None else _KINDS[fields.output_format]
        is_it = kind is None or (image.mime == kind.mime and fields.output_compression is None)
        if kind is None or is_it:
            return Shown(image=image, source=image)
        assets, workspace = self._desk.means.till.assets, order.caller.scope.workspace
        content = await assets.read(workspace, image.sha256)
        encode = self._desk.house.decoder.encoded
        quality = min(max(fields.output_compression or _WORST, _WORST), _BEST)
        quality = _BEST if fields.output_compression is None else quality
        written = await asyncio.to_thread(encode, content, kind, quality=quality, field="output_format")
        return Shown(image=await assets.put(workspace, written), source=image)

"""Calls that are paid for: generateContent, its stream, predict and interactions, through the one relay."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from keeprate.domain.errors import InvalidValue, KeeprateError
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import Surface
from keeprate.gateway.desk import Desk
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.gemini.keeping import (
    Keeping,
    asking_for,
    content_type_of,
    delivered,
    headers_of,
    while_there,
)
from keeprate.gateway.gemini.lots import lot_of, read_batch, requests_in
from keeprate.gateway.gemini.passing import JSON_TYPE, Gathered, gathered
from keeprate.gateway.identity import Caller
from keeprate.gateway.marks import Hints, hints_of, with_hints
from keeprate.gateway.paid_once import played
from keeprate.workflows.claims import Claimed
from keeprate.workflows.envelopes import Envelope, Lot, Verb, Wanted, model_named, read_content, read_predict
from keeprate.workflows.forwarding import Errand
from keeprate.workflows.interaction_envelopes import model_in, read_interaction
from keeprate.workflows.options import Options
from keeprate.workflows.passages import as_options
from keeprate.workflows.relay import Relay, Relayed

_READ: Final[Mapping[Verb, Callable[[Envelope], Wanted]]] = {
    Verb.GENERATE: read_content,
    Verb.STREAM: read_content,
    Verb.PREDICT: read_predict,
    Verb.INTERACT: read_interaction,
    Verb.BATCH: read_batch,
}
# What the dialect has a field for is said there, or the upstream would not hear of it.
_SAID_IN_THE_BODY: Final = {
    "size": "generationConfig.imageConfig.imageSize",
    "ratio": "generationConfig.imageConfig.aspectRatio",
    "thinking": "generationConfig.thinkingConfig.thinkingLevel",
    "seed": "generationConfig.seed",
    "lane": "serviceTier",
    "video": "a fileData part",
    "system": "systemInstruction",
    "grounding": "tools",
    "continues": "contents",
}
_LANE_HEADER: Final = "x-vertex-ai-llm-shared-request-type"
_QUERY: Final = frozenset({"alt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Serves the paid doors of one surface."""

    desk: Desk
    relay: Relay
    surface: Surface

    async def verb(self, request: Request, caller: Caller, *, verb: Verb) -> Answer:
        """Answer a verb on a model."""
        body = await gathered(request)
        errand = Errand(
            collection=f"models/{{model}}:{verb}", version=version_of(request), query=query_of(request)
        )
        return await self._passed_on(request, caller, self._envelope(request, body, verb, errand))

    async def interact(self, request: Request, caller: Caller) -> Answer:
        """Answer a turn of a conversation that the upstream keeps."""
        body = await gathered(request)
        errand = Errand(collection="interactions", version=version_of(request), query=query_of(request))
        envelope = self._envelope(request, body, Verb.INTERACT, errand)
        return await self._passed_on(request, caller, replace(envelope, model=model_in(body.body)))

    def _envelope(self, request: Request, body: Gathered, verb: Verb, errand: Errand) -> Envelope:
        return Envelope(
            verb=verb,
            surface=self.surface,
            model=request.parts.get("model", ""),
            errand=errand,
            body=body.body,
            body_sha256=body.sha256,
            headers={"Content-Type": JSON_TYPE},
            lane_header=request.headers.get(_LANE_HEADER),
        )

    async def batch(self, request: Request, caller: Caller) -> Answer:
        """Hand a batch in. All it may cost is held; what it did cost is booked when its end is seen.

        Raises:
            InvalidValue: Its requests are in a file, where nobody here can quote them.
        """
        body = await gathered(request)
        collection = f"models/{{model}}:{Verb.BATCH}"
        errand = Errand(collection=collection, version=version_of(request))
        envelope = self._envelope(request, body, Verb.BATCH, errand)
        parts = requests_in(body.body)
        options = replace(self.desk.defaults(caller), lane=str(Lane.BATCH))
        means = self.desk.means_for(caller, options)
        lot = await lot_of(means, caller.scope, envelope, parts, options=options)
        return await self._passed_on(request, caller, envelope, lot)

    async def _passed_on(
        self, request: Request, caller: Caller, envelope: Envelope, lot: Lot | None = None
    ) -> Answer:
        wanted = replace(_READ[envelope.verb](envelope), lot=lot)
        options = self._options(request, caller, envelope, wanted)
        means = self.desk.means_for(caller, options)
        claims = self.desk.house.claims
        opened = await claims.open(asking_for(request, caller, envelope, wanted))
        if isinstance(opened, Claimed):
            return played(
                opened, claims.slices(caller.scope, opened.answer), content_type=content_type_of(wanted)
            )
        keeping = Keeping(opened)
        bought = replace(options, intent=opened.intent)
        relaying = asyncio.create_task(
            self._kept(keeping, self.relay.pass_on(
                means, caller.scope, envelope, wanted, options=bought, witness=keeping
            )),
            name="relaying",
        )  # fmt: skip
        relayed = await while_there(request, opened, relaying)
        return Answer(
            status=relayed.status,
            headers=headers_of(relayed),
            content_type=relayed.content_type,
            body=relayed.slices,
            length=relayed.length,
            delivered=partial(delivered, opened, relayed),
        )

    async def _kept(self, keeping: Keeping, relaying: Awaitable[Relayed]) -> Relayed:
        """Return what is passed on, having noted where nothing is."""
        try:
            relayed = await relaying
        except KeeprateError as error:
            await keeping.failed(error)
            raise
        await keeping.refused(relayed)
        return relayed

    def _options(self, request: Request, caller: Caller, envelope: Envelope, wanted: Wanted) -> Options:
        hints = hints_of(request.headers, wanted.hints)
        _refuse_what_the_body_says(hints)
        options = with_hints(self.desk.defaults(caller), hints)
        name = model_named(envelope.model)
        asked = replace(as_options(options, wanted), model=None if name is None else str(name))
        self.desk.allowed(caller, asked)
        return asked


def version_of(request: Request) -> str | None:
    """Return the API version in the path."""
    first = request.path.removeprefix("/upload").removeprefix("/download").split("/", 2)[1]
    return first if first.startswith("v1") else None


def query_of(request: Request, keep: frozenset[str] = _QUERY) -> str:
    """Return the parameters that go along: never a key, and nothing that would hide what was used."""
    return "&".join(
        f"{name}={value}"
        for name, value in request.query
        if name in keep and value.replace("_", "").isalnum()
    )


def _refuse_what_the_body_says(hints: Hints) -> None:
    for name, place in _SAID_IN_THE_BODY.items():
        if getattr(hints, name) is not None:
            raise InvalidValue(
                f"the hint {name!r} has a field of its own in this dialect",
                field=name,
                value=getattr(hints, name),
                remedy=f"say it in {place}",
            )

"""Calls that are paid for: generateContent, its stream, predict and interactions, through the one relay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from keeprate.domain.errors import InvalidValue
from keeprate.domain.routes import Surface
from keeprate.gateway.desk import Desk
from keeprate.gateway.exchange import Answer, Pairs, Request
from keeprate.gateway.gemini.passing import JSON_TYPE, Gathered, downward, gathered
from keeprate.gateway.identity import Caller
from keeprate.gateway.marks import PREFIX, Hints, Marks, header_text, hints_of, with_hints
from keeprate.workflows.envelopes import Envelope, Verb, Wanted, model_named, read_content, read_predict
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

    async def _passed_on(self, request: Request, caller: Caller, envelope: Envelope) -> Answer:
        wanted = _READ[envelope.verb](envelope)
        options = self._options(request, caller, envelope, wanted)
        means = self.desk.means_for(caller, options)
        relayed = await self.relay.pass_on(means, caller.scope, envelope, wanted, options=options)
        return Answer(
            status=relayed.status,
            headers=(*downward(relayed.headers), *marks_of_relayed(relayed)),
            content_type=relayed.content_type,
            body=relayed.slices,
            length=relayed.length,
        )

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


def marks_of_relayed(relayed: Relayed) -> Pairs:
    """Return what an answer says of itself; its cost where it came whole."""
    paid, new = relayed.paid, relayed.tried.new
    charge = None if paid is None else paid.attempt.charge
    marks = Marks(
        attempt_id=new.id,
        route=new.route,
        reason=relayed.through.decision.reason,
        quote=new.quote_expected,
        outcome=relayed.outcome,
        cost=None if charge is None else charge.amount,
        simulated=new.simulated,
    )
    told = [*marks.headers()]
    if relayed.tried.added:
        told.append((f"{PREFIX}added", ", ".join(relayed.tried.added)))
    if relayed.through.notices:
        told.append((f"{PREFIX}notice", header_text("; ".join(relayed.through.notices))))
    return told


def _refuse_what_the_body_says(hints: Hints) -> None:
    for name, place in _SAID_IN_THE_BODY.items():
        if getattr(hints, name) is not None:
            raise InvalidValue(
                f"the hint {name!r} has a field of its own in this dialect",
                field=name,
                value=getattr(hints, name),
                remedy=f"say it in {place}",
            )

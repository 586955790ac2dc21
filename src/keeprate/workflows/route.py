"""Deciding without buying: the decision, its reasons, and the call as it would be sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import msgspec

from keeprate.catalogue.names import Resolution, resolve
from keeprate.domain.decisions import Decision
from keeprate.domain.errors import UnknownModel
from keeprate.domain.numbers import whole
from keeprate.domain.purposes import ReferenceRole
from keeprate.domain.requests import ImageRequest, Reference
from keeprate.domain.scopes import Scope
from keeprate.routing.cases import Situation
from keeprate.routing.decide import decide
from keeprate.routing.explanations import as_json
from keeprate.routing.listings import Conversation
from keeprate.routing.policies import policy_named
from keeprate.workflows.means import Means
from keeprate.workflows.options import Options, image_request, lane_asked, roles_for
from keeprate.workflows.ports import Materials, ReferenceBytes

PROMPT_TO_COME = "(your prompt)"
_SHOWN_BASE64 = 64
# More than any model takes; the refusal names what each does take.
MOST_IMAGINED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteView:
    """A decision nobody has bought yet. `payload` is the body as sent, long image data cut short."""

    decision: Decision
    path: str
    payload: Mapping[str, object]
    added: tuple[str, ...]
    simulated: bool
    notices: tuple[str, ...]

    def as_json(self) -> Mapping[str, object]:
        """Return plain values, as `keeprate route --json` prints them."""
        return {
            **as_json(self.decision),
            "payload": self.payload,
            "payload_path": self.path,
            "payload_added": list(self.added),
            "simulated": self.simulated,
            "notices": list(self.notices),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision, and what is worth saying about the words it was asked in."""

    decision: Decision
    notices: tuple[str, ...]


async def decided(
    means: Means,
    scope: Scope,
    request: ImageRequest,
    options: Options,
    *,
    budget_used: int | None = None,
) -> Decided:
    """Decide `request` on today's market by the policy asked for.

    `budget_used` is whole percent from 0 to 100; None takes the tightest cap of the scope.

    Raises:
        InvalidValue: `budget_used` is none of these.
        NoEligibleRoute: Every route fails a hard need.
        UnknownModel: The pinned model is not known.
        ModelRetired: The pinned model no longer answers.
    """
    supposed = None if budget_used is None else whole(budget_used, field="budget_used", most=100)
    policy = policy_named(options.policy or means.default_policy)
    pin = None if options.model is None else resolved(means, options.model)
    situation = Situation(
        budget_used_percent=await _used(means, scope) if supposed is None else supposed,
        lane=lane_asked(options),
        pin=None if pin is None else pin.model,
        upstream=options.upstream,
        conversation=await _conversation(means, scope, request),
    )
    decision = decide(request, market=means.market(), policy=policy, situation=situation)
    return Decided(decision=decision, notices=() if pin is None else pin.notices)


async def route(
    means: Means,
    scope: Scope,
    prompt: str | None,
    options: Options,
    *,
    budget_used: int | None = None,
    reference_count: int = 0,
) -> RouteView:
    """Show what `generate` would do with the same words. Nothing is sent, held or stored.

    `reference_count` stands for that many references nobody handed over yet.
    """
    text = PROMPT_TO_COME if prompt is None else prompt
    count = whole(reference_count, field="references", most=MOST_IMAGINED)
    references = tuple(_imagined(role) for role in roles_for(options, count))
    request = image_request(text, options, references)
    found = await decided(means, scope, request, options, budget_used=budget_used)
    offer = found.decision.chosen
    provider = means.providers[offer.route.upstream]
    blank = ReferenceBytes(content=b"", mime="image/png")
    call = provider.outgoing(
        replace(request, continues=None),
        route=offer.route,
        lane=offer.lane,
        images=min(offer.images_per_attempt, request.variants),
        max_output_tokens=offer.quote.max_output_tokens,
        materials=Materials(references=(blank,) * reference_count),
    )
    return RouteView(
        decision=found.decision,
        path=call.path,
        payload=cast("Mapping[str, object]", shortened(msgspec.json.decode(call.body))),
        added=call.added,
        simulated=provider.upstream.simulated,
        notices=found.notices,
    )


def shortened(value: object) -> object:
    """Return a JSON value with every image's base64 replaced by a word of its length."""
    if isinstance(value, list):
        return [shortened(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    table = cast("dict[str, object]", value)
    return {name: _cut(name, inner) for name, inner in table.items()}


def _cut(name: str, inner: object) -> object:
    if name in {"data", "bytesBase64Encoded"} and isinstance(inner, str):
        return inner if 0 < len(inner) <= _SHOWN_BASE64 else f"<image, {len(inner)} characters>"
    return shortened(inner)


def _imagined(role: ReferenceRole) -> Reference:
    return Reference(
        sha256="0" * 64, mime="image/png", width=1024, height=1024, bytes_count=0, role=role
    )  # fmt: skip


def resolved(means: Means, name: str) -> Resolution:
    """Return what `name` means on the first upstream that knows it.

    Raises:
        UnknownModel: None does.
        ModelRetired: It no longer answers.
    """
    surfaces = dict.fromkeys(provider.upstream.surface for provider in means.providers.values())
    unknown: UnknownModel | None = None
    for surface in surfaces:
        try:
            return resolve(means.book, name, surface, means.today())
        except UnknownModel as fault:
            unknown = unknown or fault
    raise unknown or UnknownModel(
        "no upstream is configured", field="model", value=name, remedy="see: keeprate doctor"
    )


async def _used(means: Means, scope: Scope) -> int:
    simulated = all(provider.upstream.simulated for provider in means.providers.values())
    standings = await means.till.ledger.standings(scope, simulated=simulated, at=means.till.clock.now())
    return max((standing.used_percent for standing in standings), default=0)


async def _conversation(means: Means, scope: Scope, request: ImageRequest) -> Conversation | None:
    if request.continues is None:
        return None
    row = await means.till.ledger.attempt(scope, request.continues)
    earlier = msgspec.json.decode(row.new.request_json, type=ImageRequest)
    card = means.book.find(row.new.surface, row.new.route.model, means.day_of(row.new.created_at))
    before = await _conversation(means, scope, earlier)
    return Conversation(
        upstream=row.new.route.upstream,
        model=row.new.route.model,
        signed=card is not None and card.signs_thoughts,
        images=len(earlier.references) + len(row.image_sha256s) + (0 if before is None else before.images),
        text_bytes=len(earlier.prompt.encode()) + (0 if before is None else before.text_bytes),
    )

"""From an envelope to a decision, and from a decision to the parcel that is sent: the body changes as little as it can."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, cast

import msgspec

from keeprate.catalogue.cards import Transport
from keeprate.domain.attempts import AttemptKey, NewAttempt
from keeprate.domain.decisions import Decision, Step
from keeprate.domain.errors import ConfigError, InvalidValue, NotFound
from keeprate.domain.money import NanoUSD
from keeprate.domain.needs import Needs, needs_of
from keeprate.domain.purposes import ReferenceRole, Thinking
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import ModelId, Surface
from keeprate.domain.scopes import Scope
from keeprate.routing.cases import Situation
from keeprate.routing.decide import decide
from keeprate.routing.explanations import as_json
from keeprate.routing.listings import Conversation
from keeprate.routing.market import Market
from keeprate.routing.policies import policy_named
from keeprate.routing.quotes import quote_for
from keeprate.workflows.affinity import Kind, Place, place_of
from keeprate.workflows.envelopes import Envelope, Lot, Verb, Wanted, model_named, spliced
from keeprate.workflows.forwarding import Errand, Forwarder, Parcel
from keeprate.workflows.means import Means
from keeprate.workflows.options import Options, image_request, lane_asked
from keeprate.workflows.route import resolved

# By verb: the member that holds the configuration, the bound on output tokens in it, and the thinking level.
_CONFIG: Final = {
    Verb.GENERATE: ("generationConfig", "maxOutputTokens", "thinkingLevel"),
    Verb.STREAM: ("generationConfig", "maxOutputTokens", "thinkingLevel"),
    Verb.INTERACT: ("generation_config", "max_output_tokens", "thinking_level"),
}
_SILENT: Final = frozenset({Thinking.NONE, Thinking.FIXED})
_SHORTEST_TIMEOUT_S: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the ledger says of the scope that asks: how far its tightest cap is used, if it has any."""

    used_percent: int
    is_capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A decided envelope: everything that its attempts have in common."""

    scope: Scope
    envelope: Envelope
    wanted: Wanted
    request: ImageRequest
    request_json: str
    decision: Decision
    decision_json: str
    notices: tuple[str, ...]
    intent: str
    is_capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt at a passage, ready to be bought. `added` names the fields the caller had not set."""

    new: NewAttempt
    parcel: Parcel
    forwarder: Forwarder
    added: tuple[str, ...]


async def passage(
    means: Means, scope: Scope, envelope: Envelope, wanted: Wanted, *, options: Options, standing: Standing
) -> Passage:
    """Decide an envelope. A pinned model, a conversation and a file each narrow the choice.

    `options` are those of `as_options`.

    Raises:
        KeeprateError: No route may serve it; nothing was sent.
    """
    request = image_request(wanted.prompt, options)
    name = model_named(envelope.model)
    pin = None if name is None else resolved(means, str(name))
    home = await _home(means, scope, wanted)
    model = (
        pin.model if pin is not None else None if home is None or home.model is None else ModelId(home.model)
    )
    market = carrying(means.market(), envelope.verb, envelope.surface)
    upstream = options.upstream if home is None else home.upstream
    situation = Situation(
        budget_used_percent=standing.used_percent,
        lane=lane_asked(options),
        pin=model,
        upstream=upstream,
        conversation=_conversation(market, wanted, model, upstream),
    )
    policy = policy_named(options.policy or means.default_policy)
    decision = decide(_needs(request, wanted), market=market, policy=policy, situation=situation)
    if wanted.count > decision.chosen.images_per_attempt:
        raise _too_many(wanted.count, decision.chosen.images_per_attempt)
    return Passage(
        scope=scope,
        envelope=envelope,
        wanted=wanted,
        request=request,
        request_json=msgspec.json.encode(request).decode(),
        decision=decision,
        decision_json=msgspec.json.encode(as_json(decision)).decode(),
        notices=() if pin is None else pin.notices,
        intent=options.intent or means.rng.token(),
        is_capped=standing.is_capped,
    )


def as_options(options: Options, wanted: Wanted) -> Options:
    """Return `options` with what the call itself says in place: its own fields go before hints beside it."""
    return replace(
        options,
        size=wanted.size or options.size,
        ratio=wanted.ratio or options.ratio,
        thinking=wanted.thinking or options.thinking,
        seed=options.seed if wanted.seed is None else wanted.seed,
        lane=options.lane if wanted.lane is None else str(wanted.lane),
        grounding=wanted.grounding,
        video=None,
        system=None,
        continues=None,
        variants=wanted.count,
    )


def prepared(means: Means, through: Passage, step: Step, *, place: tuple[int, int]) -> Try:
    """Return the attempt at `step`, with its hold. `place` is the step's index and the number of the try.

    Raises:
        ConfigError: The upstream takes no calls as they came.
    """
    route, lane = step.offer.route, step.offer.lane
    forwarder = forwarder_of(means, route.upstream)
    images = min(through.wanted.count, step.offer.images_per_attempt)
    quote = quote_for(step.offer, images)
    beyond = _beyond_the_quote(means, through, step, quote.max_output_tokens)
    single = Lot(low=quote.low, expected=quote.expected, worst=NanoUSD(quote.worst + beyond))
    lot = through.wanted.lot or single
    changes = _changes(through, step, quote.max_output_tokens)
    address = forwarder.address(_errand(through.envelope, forwarder, route.model))
    key = AttemptKey(
        workspace=through.scope.workspace, intent=f"{through.intent}#0", step=place[0], attempt_no=place[1]
    )
    new = NewAttempt(
        id=key.id,
        key=key,
        api_key=through.scope.key,
        owner=means.owner,
        route=route,
        surface=step.offer.surface,
        lane=lane,
        purpose=through.request.purpose,
        simulated=forwarder.upstream.simulated,
        prompt=through.request.prompt,
        request_json=through.request_json,
        decision_json=through.decision_json,
        payload_sha256=_payload_sha256(through.envelope, address, changes),
        quote_low=lot.low,
        quote_expected=lot.expected,
        hold=lot.worst,
        price_id=quote.price_id,
        created_at=means.till.clock.now(),
    )
    body = spliced(through.envelope.body, changes) if changes else through.envelope.body
    parcel = Parcel(
        upstream=forwarder.upstream,
        method="POST",
        address=address,
        headers=through.envelope.headers,
        body=body,
        length=len(body),
        lane=lane,
        timeout_s=_timeout_s(means, step),
    )
    added = tuple(".".join(path) for path, value in changes.items() if value is not None and len(path) > 1)
    return Try(new=new, parcel=parcel, forwarder=forwarder, added=added)


def forwarder_of(means: Means, upstream: str) -> Forwarder:
    """Return the upstream as one that takes calls as they came.

    Raises:
        ConfigError: It does not.
    """
    forwarder = means.providers[upstream]
    # A protocol's own check looks at every member, each time; here it is one of two kinds.
    if hasattr(forwarder, "forward"):
        return cast("Forwarder", forwarder)
    raise ConfigError(
        f"upstream {upstream!r} takes no calls as they came",
        field="upstream",
        value=upstream,
        remedy="use another upstream, or the doors of another dialect",
    )


@lru_cache(maxsize=64)
def carrying(market: Market, verb: Verb, surface: Surface) -> Market:
    """Return the market of those routes that take the verb as it came.

    Where upstreams of the caller's own surface are configured, a call stays on them: the surfaces differ in
    fields, and nothing is translated.
    """
    transport = Transport.PREDICT if verb is Verb.PREDICT else Transport.GENERATE_CONTENT
    fitting = market.only(lambda listing: listing.card.transport is transport)
    if any(listing.card.surface == surface for listing in fitting.listings):
        return fitting.only(lambda listing: listing.card.surface == surface)
    return fitting


def _needs(request: ImageRequest, wanted: Wanted) -> Needs:
    return replace(
        needs_of(request),
        # More than any model takes is one too many all the same.
        roles=(ReferenceRole.OBJECT,) * min(wanted.images, 1000),
        video=wanted.video,
        grounding=wanted.grounding,
        system=wanted.system,
        continues=wanted.continues,
        prompt_bytes=wanted.text_bytes,
    )


def _conversation(
    market: Market, wanted: Wanted, model: ModelId | None, upstream: str | None
) -> Conversation | None:
    """Return the conversation that goes on, where it is clear with whom."""
    if not wanted.continues or model is None:
        return None
    sellers = [
        listing.upstream.name
        for listing in market.listings
        if listing.card.model == model and upstream in {None, listing.upstream.name}
    ]
    if not sellers:
        return None
    return Conversation(
        upstream=sellers[0], model=model, signed=bool(wanted.signatures), images=wanted.earlier_images
    )


async def _home(means: Means, scope: Scope, wanted: Wanted) -> Place | None:
    """Return where this call must go because something in it lives there.

    Raises:
        NotFound: A file or an interaction that this workspace does not have.
    """
    names = [(Kind.FILE, name) for name in wanted.files]
    names += [(Kind.INTERACTION, name) for name in (wanted.previous,) if name is not None]
    found: Place | None = None
    for kind, name in names:
        place = await place_of(means.till.ledger, scope, kind, name)
        if place is None or place.upstream not in means.providers:
            raise NotFound(
                f"no {kind} {name!r} in this workspace",
                field=str(kind),
                value=name,
                remedy=f"make the {kind} through this gateway first",
            )
        found = place if found is None or kind is Kind.INTERACTION else found
    if found is None and wanted.signatures and len(means.providers) > 1:
        found = await place_of(means.till.ledger, scope, Kind.SIGNATURE, wanted.signatures[-1])
    return found


def _errand(envelope: Envelope, forwarder: Forwarder, model: ModelId) -> Errand:
    asked = envelope.errand
    version = asked.version if forwarder.upstream.surface == envelope.surface else None
    return replace(asked, version=version, collection=asked.collection.replace("{model}", str(model)))


def _changes(through: Passage, step: Step, limit: int | None) -> dict[tuple[str, ...], object]:
    """Return what the body must have that it has not, and what it must not have: each change is one."""
    wanted, envelope = through.wanted, through.envelope
    changes: dict[tuple[str, ...], object] = {}
    if wanted.hints is not None:
        changes["keeprate",] = None
    names = _CONFIG.get(envelope.verb)
    if names is None:
        return changes
    config, limit_name, level_name = names
    if through.is_capped and limit is not None and wanted.output_limit is None:
        changes[wanted.config_name or config, limit_name] = limit
    level = step.offer.route.thinking
    if step.offer.successor_of is not None and wanted.thinking is None and level not in _SILENT:
        path = (level_name,) if envelope.verb is Verb.INTERACT else ("thinkingConfig", level_name)
        changes[(wanted.config_name or config, *path)] = level.upper()
    if envelope.verb is Verb.INTERACT and envelope.model.removeprefix("models/") != str(
        step.offer.route.model
    ):
        changes["model",] = str(step.offer.route.model)
    return changes


def _beyond_the_quote(means: Means, through: Passage, step: Step, limit: int | None) -> int:
    """Return the money that this call may cost beyond its quote: a bound of the caller's own, earlier images."""
    wanted, route = through.wanted, step.offer.route
    day = means.today()
    price = means.book.price_on(step.offer.surface, route.model, day, upstream=route.upstream)
    tokens = 0 if limit is None or wanted.output_limit is None else max(0, wanted.output_limit - limit)
    # In a conversation whose maker is not known, what was drawn before is counted in no quote.
    images = wanted.earlier_images if model_named(through.envelope.model) is None else 0
    each = max(price.reference_tokens, price.reference_tokens_high) * price.input_each
    return tokens * price.text_output_each + images * each


def _payload_sha256(envelope: Envelope, address: str, changes: Mapping[tuple[str, ...], object]) -> str:
    """Return the hash of what is sent. The body's own was taken while it was read."""
    changed = sorted((".".join(path), str(value)) for path, value in changes.items())
    text = msgspec.json.encode([address, envelope.body_sha256, changed])
    return hashlib.sha256(text).hexdigest()


def _timeout_s(means: Means, step: Step) -> int:
    """Return how long an answer may take. Slow images are normal, and cutting a paid answer short loses it."""
    card = means.book.card(step.offer.surface, step.offer.route.model, means.today())
    return max(_SHORTEST_TIMEOUT_S, card.timeout_s.get(step.offer.route.size, 0))


def _too_many(count: int, most: int) -> InvalidValue:
    return InvalidValue(
        f"{count} images were asked for in one call, which gives at most {most}",
        field="parameters.sampleCount",
        value=count,
        remedy="make several calls",
    )

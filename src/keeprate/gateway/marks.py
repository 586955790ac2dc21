"""What Keeprate adds to other people's dialects: `x-keeprate-*` on answers, hints on requests.

A hint is a field of Keeprate's own that the dialect has no word for. It comes as a member of a `keeprate`
object in the body (`extra_body` of OpenAI's client), or as a header: `X-Keeprate-Purpose: hero`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

import msgspec

from keeprate.domain.decisions import Decision
from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.outcomes import Outcome
from keeprate.domain.routes import Route
from keeprate.gateway.exchange import Headers, Pairs
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result

PREFIX: Final = "x-keeprate-"
# Look-alikes of ASCII signs that our sentences use; a header field carries ASCII only.
_PLAIN: Final = str.maketrans(
    {"×": "x", "–": "-", "—": "-", "÷": "/", "…": "...", "“": '"', "”": '"', "’": "'"}
)


class Hints(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a caller may say beside the dialect's own fields. None leaves it to key, purpose or policy.

    The words are those of `keeprate generate`. Places on this machine's disk are none of them.
    `cache` and `single_flight` ask that an equal request's answer may be shared.
    """

    purpose: str | None = None
    size: str | None = None
    ratio: str | None = None
    policy: str | None = None
    upstream: str | None = None
    text: str | None = None
    layout: str | None = None
    reference_fidelity: str | None = None
    asset: str | None = None
    failure_cost: str | None = None
    review: str | None = None
    deadline: str | None = None
    lane: str | None = None
    video: str | None = None
    system: str | None = None
    thinking: str | None = None
    continues: str | None = None
    seed: int | None = None
    grounding: bool | None = None
    yes: bool | None = None
    cache: bool | None = None
    single_flight: bool | None = None
    may_cost_more: bool | None = None


_NOT_OPTIONS: Final = frozenset({"cache", "single_flight", "may_cost_more"})


def hints_of(headers: Headers, member: object = None) -> Hints:
    """Return the hints of a request; the `keeprate` object `member` of its body wins over header fields.

    Raises:
        InvalidValue: A hint that is not known, or holds what it cannot hold.
    """
    asked: dict[str, object] = {
        name.removeprefix(PREFIX).replace("-", "_"): value
        for name, value in headers.pairs
        if name.startswith(PREFIX)
    }
    if member is not None and not isinstance(member, Mapping):
        raise InvalidValue("keeprate must be an object", field="keeprate", remedy='send {"purpose": "hero"}')
    asked |= cast("Mapping[str, object]", member or {})
    try:
        return msgspec.convert(asked, Hints, strict=False)
    except msgspec.ValidationError as fault:
        raise InvalidValue(
            f"a hint to Keeprate does not fit: {fault}",
            field="keeprate",
            value=sorted(asked),
            remedy="use one of: " + ", ".join(Hints.__struct_fields__),
        ) from fault


def with_hints(options: Options, hints: Hints) -> Options:
    """Return `options` with every hint that was given in place."""
    given = {
        name: value
        for name in Hints.__struct_fields__
        if name not in _NOT_OPTIONS and (value := getattr(hints, name)) is not None
    }
    return replace(options, **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What an answer says of itself. A stream's head is sent before the end is known: it has the first ones only."""

    attempt_id: str | None = None
    route: Route | None = None
    reason: str | None = None
    quote: NanoUSD | None = None
    outcome: Outcome | None = None
    cost: NanoUSD | None = None
    simulated: bool = False

    def headers(self) -> Pairs:
        """Return the header fields."""
        told = {
            "attempt": self.attempt_id,
            "route": None if self.route is None else str(self.route),
            "reason": self.reason,
            "quote-usd": None if self.quote is None else display(self.quote),
            "outcome": None if self.outcome is None else str(self.outcome.kind),
            "cost-usd": None if self.cost is None else display(self.cost),
            "simulated": "true" if self.simulated else None,
        }
        return [(f"{PREFIX}{name}", header_text(value)) for name, value in told.items() if value is not None]


def marks_of_decision(decision: Decision) -> Marks:
    """Return what is known before anything is bought."""
    return Marks(route=decision.chosen.route, reason=decision.reason, quote=decision.quote.expected)


def marks_of(result: Result) -> Marks:
    """Return what a finished request says of itself: what it cost, and where its image came from."""
    last = result.attempts[-1] if result.attempts else None
    first = result.images[0].sha256 if result.images else None
    told = next((row for row in reversed(result.attempts) if first in row.image_sha256s), last)
    return replace(
        marks_of_decision(result.decision),
        attempt_id=None if told is None else told.id,
        route=result.decision.chosen.route if told is None else told.new.route,
        outcome=result.outcome,
        cost=result.charge,
        simulated=result.simulated,
    )


def header_text(text: str) -> str:
    """Return `text` as one header field can carry it: one line of ASCII."""
    ascii_only = text.translate(_PLAIN).encode("ascii", "replace").decode()
    return " ".join(ascii_only.split())

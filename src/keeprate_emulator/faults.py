"""What the emulator was told to do wrong, and to which calls.

A rule is `{"match": {...}, "times": N, "skip": N, "probability": p, "fault": {"kind": ..., ...}}`; the first rule
that matches and has turns left applies. Kinds, by what happens to the call:

not accepted, not billed    error, proxy_error, drop_before_accept
accepted, no picture        finish_reason, block_reason, text_only, thought_only, no_candidates, no_content, rai_filtered
accepted, odd picture       serve_model, mislabelled, wrong_size, many_images, draft_first
accepted, odd delivery      no_usage, empty_body, truncated_json, lost_middle, cut_body, drop_after_accept, stream_error
accepted, nothing wrong     latency
as given                    recorded: `code`, `headers` and `body` word for word; accepted when the code is 200 or absent

`latency_ms` (waited before the answer) and `usage` (tokens to report and bill) may stand beside any kind.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from keeprate_emulator.calls import Call
from keeprate_emulator.luck import Luck
from keeprate_emulator.prices import Tokens
from keeprate_emulator.refusals import invalid

Kind = Literal[
    "error", "proxy_error", "drop_before_accept",
    "finish_reason", "block_reason", "text_only", "thought_only", "no_candidates", "no_content", "rai_filtered",
    "serve_model", "mislabelled", "wrong_size", "many_images", "draft_first",
    "no_usage", "empty_body", "truncated_json", "lost_middle", "cut_body", "drop_after_accept", "stream_error",
    "latency", "recorded",
]  # fmt: skip
Cause = Literal[
    "", "limit_zero", "per_minute", "per_day", "spend_window", "failed_precondition", "api_key_invalid"
]


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls a rule is for; an empty text matches all."""

    model: str = ""
    surface: str = ""
    method: str = ""
    prompt_contains: str = ""

    def fits(self, call: Call, prompt: str) -> bool:
        """Return whether the call is one of those."""
        return (
            self.model in {"", call.model_id}
            and self.surface in {"", call.surface}
            and self.method in {"", call.method}
            and self.prompt_contains in prompt
        )


class UsageOverride(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tokens to report and bill in place of the usual ones."""

    prompt: int | None = None
    references: int | None = None
    thoughts: int | None = None
    text: int | None = None
    image: int | None = None

    def applied(self, usual: Tokens) -> Tokens:
        """Return the usual tokens with these in their place."""
        return Tokens(
            prompt=_first(self.prompt, usual.prompt),
            references=_first(self.references, usual.references),
            thoughts=_first(self.thoughts, usual.thoughts),
            text=_first(self.text, usual.text),
            image=_first(self.image, usual.image),
        )


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to do wrong. Which members matter depends on `kind`; reference: docs/reference/emulator.md."""

    kind: Kind
    reason: str = ""
    message: str = ""
    code: int = 0
    cause: Cause = ""
    retry_after_s: int = 0
    model: str = ""
    size: str = ""
    width: int = 0
    height: int = 0
    images: int = 0
    keep: float = 0.5
    billed: bool = False
    body: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    latency_ms: int = 0
    usage: UsageOverride | None = None

    def __post_init__(self) -> None:
        needed = {"error": self.code, "proxy_error": self.code, "stream_error": self.code}
        needed |= {"finish_reason": self.reason, "block_reason": self.reason, "serve_model": self.model}
        needed |= {"wrong_size": self.size or (self.width and self.height)}
        if not needed.get(self.kind, True):
            raise ValueError(f"fault '{self.kind}' lacks its code, reason, model or size")

    @property
    def name(self) -> str:
        """What the bill calls it: the kind, empty when nothing goes wrong."""
        return "" if self == NO_FAULT else self.kind

    @property
    def refuses(self) -> bool:
        """Return whether the call is turned away at the door."""
        turned_away = self.kind == "recorded" and self.code not in {0, 200}
        return turned_away or self.kind in {"error", "proxy_error", "drop_before_accept"}


NO_FAULT = Fault(kind="latency")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault with its occasions. Without `times` it applies for good."""

    fault: Fault
    match: Match = Match()
    times: int | None = None
    skip: int = 0
    probability: float = 1.0


@dataclass(slots=True)
class _Standing:
    """A rule and how often it fitted a call and was applied."""

    rule: Rule
    fitted: int = 0
    applied: int = 0


class FaultBook:
    """The rules in force."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []

    def add(self, rules: tuple[Rule, ...]) -> None:
        """Put rules behind those already in force."""
        self._standing += [_Standing(rule) for rule in rules]

    def clear(self) -> None:
        """Do nothing wrong from now on."""
        self._standing.clear()

    def fault_for(self, call: Call, prompt: str, luck: Luck) -> Fault:
        """Return what goes wrong with this call, and use up a turn of its rule."""
        for place, standing in enumerate(self._standing):
            rule = standing.rule
            spent = rule.times is not None and standing.applied >= rule.times
            if spent or not rule.match.fits(call, prompt):
                continue
            standing.fitted += 1
            if standing.fitted <= rule.skip:
                continue
            if rule.probability < 1 and luck.dice(f"fault {place}").random() >= rule.probability:
                continue
            standing.applied += 1
            return rule.fault
        return NO_FAULT

    def listing(self) -> list[dict[str, object]]:
        """Return the rules with how often each was applied."""
        return [
            {"rule": msgspec.to_builtins(standing.rule), "applied": standing.applied}
            for standing in self._standing
        ]


def rules_from(body: bytes) -> tuple[Rule, ...]:
    """Read a list of rules, or one.

    Raises:
        Refusal: 400 naming what is wrong with them.
    """
    try:
        found = msgspec.json.decode(body, type=tuple[Rule, ...] | Rule)
    except msgspec.DecodeError as fault:
        raise invalid(f"Not a list of fault rules: {fault}") from fault
    return (found,) if isinstance(found, Rule) else found


def _first(wanted: int | None, usual: int) -> int:
    return usual if wanted is None else wanted

"""What the API says. Money is US dollars as exact text, moments are ISO 8601 in UTC."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Usd = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]{1,9})?$", examples=["0.0360765"])]


class Told(BaseModel):
    """An answer's shape."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(BaseModel):
    """An error after RFC 9457, with the members that Keeprate adds."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    field: str | None = None
    value: JsonValue = None
    remedy: str | None = None
    facts: Mapping[str, JsonValue] = {}


class QuoteTold(Told):
    """What it costs at least, probably and at most, for all images wanted."""

    low_usd: Usd
    expected_usd: Usd
    worst_usd: Usd


class QuoteAnswer(Told):
    """A quote, and the route it is for."""

    quote: QuoteTold
    route: str
    model: str
    upstream: str
    lane: str
    reason: str
    attempts: int
    simulated: bool
    options: list[dict[str, JsonValue]]
    notices: list[str]


class RouteAnswer(Told):
    """A decision with every reason, and the call as it would be sent; long image data is cut short."""

    model: str
    surface: str
    upstream: str
    size: str
    lane: str
    thinking: str
    policy: str
    policy_version: JsonValue
    reason: str
    signals: list[dict[str, JsonValue]]
    steps: list[dict[str, JsonValue]]
    rejected: list[dict[str, JsonValue]]
    quote: QuoteTold
    attempts: int
    successor_of: str | None
    founding_model: str | None
    options: list[dict[str, JsonValue]]
    payload: dict[str, JsonValue]
    payload_path: str
    payload_added: list[str]
    simulated: bool
    notices: list[str]


class ImageTold(Told):
    """An image that was bought; its bytes are at `url`."""

    sha256: str
    url: str
    mime: str
    width: int
    height: int
    bytes: int


class AttemptTold(Told):
    """A row of the ledger."""

    attempt_id: str
    state: str
    outcome: str | None
    raw_reason: str | None
    message: str | None
    model: str
    served_model: str | None
    model_version: str | None
    upstream: str
    surface: str
    size: str
    thinking: str
    lane: str
    purpose: str
    hold_usd: Usd
    held_usd: Usd
    charge_usd: Usd | None
    charge_basis: str | None
    charge_certain: bool | None
    price_id: str | None
    overrun_usd: Usd
    images: list[str]
    simulated: bool
    intent: str
    created_at: str
    sent_at: str | None
    settled_at: str | None
    prompt: str
    paid_for_nothing: bool


class AttemptAnswer(AttemptTold):
    """A row of the ledger with what was asked, what was decided, and the hash of what was sent."""

    key: str | None
    request: dict[str, JsonValue]
    decision: dict[str, JsonValue]
    payload_sha256: str
    reply_sha256: str | None


class Attempts(Told):
    """Rows of the ledger, newest first."""

    attempts: list[AttemptTold]


class ResultAnswer(Told):
    """A finished purchase. `held_usd` stays reserved for attempts whose outcome nobody knows."""

    outcome: str
    reason: str
    text: str | None
    charge_usd: Usd
    held_usd: Usd
    quote: QuoteTold
    model: str
    upstream: str
    attempt_id: str | None
    images: list[ImageTold]
    attempts: list[AttemptTold]
    decision: dict[str, JsonValue]
    simulated: bool
    partial: bool
    notices: list[str]


class VerdictTold(Told):
    """A judgement on an image; the latest counts."""

    attempt_id: str
    image: str
    kind: Literal["accepted", "rejected"]
    reason: str | None
    cleanup_minutes: int
    judge: str
    judged_at: str


class Verdicts(Told):
    """Judgements, oldest first."""

    verdicts: list[VerdictTold]


class BudgetTold(Told):
    """A cap and where it stands."""

    id: str
    key: str | None
    window: str
    limit_usd: Usd
    spent_usd: Usd
    held_usd: Usd
    remaining_usd: Usd
    used_percent: int
    resets_at: str | None
    simulated: bool


class Budgets(Told):
    """Caps, real money first. `stopped` says why nothing is bought, where that is so."""

    budgets: list[BudgetTold]
    stopped: str | None


class KeyTold(Told):
    """What may be told of a key."""

    id: str
    name: str
    workspace: str
    prefix: str
    scopes: list[str]
    plan: str | None
    models: list[str]
    reserved: dict[str, list[str]]
    largest_size: str | None
    per_minute: int | None
    policy: str | None
    purpose: str | None
    user_cap_usd: Usd | None
    user_cap_window: str | None
    cache: bool
    single_flight: bool
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    suspended_at: str | None
    suspended_why: str | None


class KeyMade(KeyTold):
    """A key just made: `key` is shown this once."""

    key: str


class Keys(Told):
    """The keys of the workspace, revoked ones too."""

    keys: list[KeyTold]


class Plans(Told):
    """The plans a key can be made on, by name."""

    plans: dict[str, dict[str, JsonValue]]


class AlarmTold(Told):
    """Something a person should look into."""

    id: str
    kind: str
    key: str | None
    message: str
    raised_at: str


class Alarms(Told):
    """Alarms, newest first."""

    alarms: list[AlarmTold]


class ModelTold(Told):
    """A model on a surface, with what an image costs as of the day."""

    model: str
    market_name: str
    surface: str
    line: str
    alive: bool
    released_on: str
    deprecated_on: str | None
    shutdown_on: str | None
    sizes: list[str]
    ratios: list[str]
    max_references: int
    price_id: str | None
    source: str


class Models(Told):
    """Models by surface."""

    as_of: str
    models: list[ModelTold]


class ReportRowTold(Told):
    """A group of attempts and what its kept images cost. What it was not grouped by is null."""

    purpose: str | None
    route: str | None
    day: str | None
    outcome: str | None
    attempts: int
    images: int
    accepted: int
    rejected: int
    spent_usd: Usd
    held_usd: Usd
    overrun_usd: Usd
    cleanup_minutes: int
    cleanup_usd: Usd
    cost_per_accepted_usd: Usd | None


class Report(Told):
    """Sums over the ledger, the dearest group first."""

    simulated: bool
    rows: list[ReportRowTold]


class OriginAnswer(Told):
    """Where an image came from."""

    sha256: str
    attempt: AttemptTold
    request: dict[str, JsonValue]
    price_source: str | None
    price_valid_from: str | None
    price_seen_on: str | None
    verdicts: list[VerdictTold]
    lineage: list[str]
    other_attempts: list[str]

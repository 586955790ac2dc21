"""One upstream call and its one ledger row."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from keeprate.domain.charges import Charge
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import AttemptState, Outcome
from keeprate.domain.purposes import Lane, Purpose
from keeprate.domain.routes import Route, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptKey:
    """What makes an attempt the same one: a replay with this key finds the row it made.

    `intent` is one thing a caller wants once (an idempotency key or a fresh random id), `step` the
    cascade's place, `attempt_no` the try on that step (n images, retries), counted from 0.
    """

    workspace: str
    intent: str
    step: int
    attempt_no: int

    @property
    def id(self) -> str:
        """Return the id of the attempt with this key: 128 bits of its hash."""
        parts = (self.workspace, self.intent, str(self.step), str(self.attempt_no))
        # Lengths keep ("a", "bc") and ("ab", "c") apart.
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return "att_" + hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttempt:
    """All that is written before anything is sent.

    `id` is derived from the key. `hold` is the quote's worst. `payload_sha256` is the hash of the
    bytes to be sent. `decision_json` keeps the decision for replay and explanation.
    `price_id` is the dated price the hold rests on. `follows` names the unknown attempt that a caller
    chose to try again.
    """

    id: str
    key: AttemptKey
    api_key: str | None
    owner: str
    route: Route
    surface: Surface
    lane: Lane
    purpose: Purpose
    simulated: bool
    prompt: str
    request_json: str
    decision_json: str
    payload_sha256: str
    quote_low: NanoUSD
    quote_expected: NanoUSD
    hold: NanoUSD
    price_id: str
    created_at: datetime
    follows: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a sent attempt ended, for the one compare-and-set that closes its row.

    `reply_sha256` names the spooled reply; `image_sha256s` the stored images, first one first.
    """

    outcome: Outcome
    charge: Charge
    reply_sha256: str | None
    image_sha256s: tuple[str, ...]
    model_version: str | None
    response_id: str | None
    settled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A ledger row as read back."""

    new: NewAttempt
    state: AttemptState
    held: NanoUSD
    outcome: Outcome | None
    charge: Charge | None
    overrun: NanoUSD
    sent_at: datetime | None
    settled_at: datetime | None
    reply_sha256: str | None
    image_sha256s: tuple[str, ...]
    model_version: str | None
    response_id: str | None
    reconciled_by: str | None = None

    @property
    def id(self) -> str:
        """Return the attempt's id."""
        return self.new.id

    @property
    def follows(self) -> str | None:
        """Return the unknown attempt that this one was bought in place of, if any."""
        return self.new.follows

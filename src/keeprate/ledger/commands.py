"""What may be asked of the ledger's writer, as values."""

from dataclasses import dataclass
from datetime import datetime

from keeprate.domain.attempts import NewAttempt, Settlement
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Intend:
    """Write an intent and hold its money."""

    new: NewAttempt

    @property
    def attempt_id(self) -> str:
        """Return the id the row will have, or has."""
        return self.new.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Note that bytes are about to leave, by `owner`."""

    attempt_id: str
    owner: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Close an attempt that cost nothing; only its owner knows that."""

    attempt_id: str
    owner: str
    outcome: Outcome
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Close an attempt with what it cost. Whoever has the answer may: the truth is welcome late."""

    attempt_id: str
    settlement: Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkUnknown:
    """Note that a sent attempt may have been paid."""

    attempt_id: str
    outcome: Outcome
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Book what the bill says of an unknown, guessed or reconciled charge in `workspace`; None is "not billed"."""

    workspace: str
    attempt_id: str
    billed: NanoUSD | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """Take an open attempt over from a dead owner."""

    attempt_id: str
    dead: str
    owner: str


Command = Intend | Sent | Free | Settle | MarkUnknown | Reconcile | Adopt

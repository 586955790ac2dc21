"""How an attempt ended: a closed set, never silent."""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    IMAGE = "image"
    TEXT_ONLY = "text_only"
    BLOCKED = "blocked"
    EMPTY = "empty"
    FAILED = "failed"
    UNKNOWN = "unknown"


class AttemptState(StrEnum):
    """Where an attempt stands. The last six are outcomes; `FREED` never reached the upstream."""

    INTENT = "intent"
    SENT = "sent"
    IMAGE = "image"
    TEXT_ONLY = "text_only"
    BLOCKED = "blocked"
    EMPTY = "empty"
    FAILED = "failed"
    UNKNOWN = "unknown"
    FREED = "freed"

    @property
    def is_settled(self) -> bool:
        """Return whether money no longer moves by itself (`unknown` waits for `reconcile`)."""
        return self not in {AttemptState.INTENT, AttemptState.SENT, AttemptState.UNKNOWN}


class FailureClass(StrEnum):
    """What a failed send means for money: the three cases a retry must tell apart."""

    NOT_SENT = "not_sent"  # no byte of the request left: free, may be tried again
    REFUSED_FREE = "refused_free"  # the upstream answered that it did not serve: free
    UNKNOWN = "unknown"  # it may have been paid: never re-sent by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended.

    `raw_reason` is the upstream's own word (a finishReason, blockReason or error status), verbatim.
    `message` is its sentence, if it gave one. `text` is what the model said instead of drawing.
    """

    kind: OutcomeKind
    raw_reason: str | None = None
    message: str | None = None
    text: str | None = None

    def __str__(self) -> str:
        """Return "blocked(IMAGE_SAFETY)"."""
        return f"{self.kind}({self.raw_reason})" if self.raw_reason else str(self.kind)

"""Judgements on images."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class VerdictKind(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One judgement. A later one on the same image replaces it and the history stays.

    `cleanup_minutes` is hand work the image needed, whole minutes. `judge` names who judged.
    """

    workspace: str
    attempt_id: str
    image_sha256: str
    kind: VerdictKind
    reason: str | None
    cleanup_minutes: int
    judge: str
    judged_at: datetime

"""What a kept file says of itself: where it came from, what it cost, what was thought of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

PROVENANCE_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceVerdict:
    """A verdict as it stood when the file was written."""

    kind: str
    reason: str | None
    cleanup_minutes: int
    judge: str
    judged_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The story of one image, as plain words that outlive the ledger.

    `image_sha256` is the hash of the bytes as the upstream sent them. `prompt` is None where the owner
    opted out; its hash stays. `model` was asked for, `served_model` answered. Money is exact US dollars
    as text; `charge_usd` is None while it is unknown. `references` are hashes of the images handed
    along, `continues` the attempt whose conversation went on, `retries` the unknown attempt that this
    one was bought in place of.
    """

    attempt_id: str
    workspace: str
    image_sha256: str
    mime: str
    width: int
    height: int
    prompt: str | None
    prompt_sha256: str
    purpose: str
    model: str
    served_model: str | None
    route: str
    upstream: str
    surface: str
    size: str
    lane: str
    price_id: str | None
    quote_low_usd: str
    quote_expected_usd: str
    quote_worst_usd: str
    charge_usd: str | None
    charge_basis: str | None
    outcome: str
    simulated: bool
    created_at: datetime
    settled_at: datetime | None
    reason: str | None = None
    references: tuple[str, ...] = ()
    continues: str | None = None
    retries: str | None = None
    verdicts: tuple[ProvenanceVerdict, ...] = ()
    version: int = PROVENANCE_VERSION

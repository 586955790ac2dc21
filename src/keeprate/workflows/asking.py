"""One request as it is remembered: who asked, what exactly, and which ways to an answer that exists are open."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from keeprate.domain.attempts import Attempt
from keeprate.domain.decisions import Decision
from keeprate.domain.errors import IdempotencyMismatch, InvalidValue
from keeprate.domain.requests import ImageRequest
from keeprate.domain.scopes import Scope
from keeprate.workflows.claim_store import Claim, ClaimKind, Unanswered

INTENT: Final = "ask-"
KEPT_FOR: Final = timedelta(days=7)
LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One request as claims see it.

    `fingerprint` is that of what was asked (`fingerprint`). `is_resend` says that the client marked it
    as a try after the first. `cache_key` and `single_flight` are set where the request or its key asks
    for them.
    """

    scope: Scope
    fingerprint: str
    idempotency_key: str | None = None
    is_resend: bool = False
    cache_key: str | None = None
    single_flight: bool = False

    @property
    def caller(self) -> str:
        """Return the id of the API key, empty for the owner."""
        return self.scope.key or ""

    @property
    def prefix(self) -> str:
        """Return what the intents of this and all equal requests begin with."""
        return f"{INTENT}{self.fingerprint}-"

    @property
    def equals(self) -> tuple[str, str, str]:
        """Return what this and all equal requests of one caller have in common."""
        return (self.scope.workspace, self.caller, self.fingerprint)


def fingerprint(method: str, path: str, body_sha256: str, headers: Mapping[str, str]) -> str:
    """Return 128 bits of the hash of a request. `headers` are those that change the answer, in any order."""
    named = sorted((name.lower(), value.strip()) for name, value in headers.items())
    text = msgspec.json.encode([method.upper(), path, body_sha256, named])
    return hashlib.sha256(text).hexdigest()[:32]


def canonical_json(body: bytes) -> bytes:
    """Return JSON with its members in order: two ways to write the same request are one.

    Raises:
        msgspec.DecodeError: Not JSON.
    """
    return msgspec.json.encode(msgspec.json.decode(body), order="deterministic")


def exact_key(request: ImageRequest, decision: Decision) -> str:
    """Return the key under which an equal request on the same route finds the same answer.

    References are in it by their hash; model, size, ratio, thinking, lane and every parameter too.
    """
    chosen = decision.chosen
    asked = (request, chosen.route, chosen.surface, chosen.lane)
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


def claim_of(row: Attempt, now: datetime) -> Claim | None:
    """Return the claim of the client that `row` was bought for and that left; None where no client asked."""
    intent = row.new.key.intent.rpartition("#")[0] or row.new.key.intent
    if not intent.startswith(INTENT):
        return None
    return Claim(
        workspace=row.new.key.workspace,
        id=intent,
        caller=row.new.api_key or "",
        kind=ClaimKind.LEFT,
        name=intent,
        fingerprint=intent.removeprefix(INTENT).partition("-")[0],
        owner="",
        created_at=now,
    )


def fresh_claim(
    asking: Asking, kind: ClaimKind, name: str | None, *, owner: str, token: str, now: datetime
) -> Claim:
    """Return a claim not yet written. One of a client that left is named by its intent."""
    known = kind is ClaimKind.LEFT and name is not None
    intent = name if known and name is not None else asking.prefix + token
    return Claim(
        workspace=asking.scope.workspace,
        id=intent,
        caller=asking.caller,
        kind=kind,
        name=name or intent,
        fingerprint=asking.fingerprint,
        owner=owner,
        created_at=now,
    )


def clean_claim(owner: str, now: datetime) -> Claim:
    """Return the note of a process that ended with nobody owed an answer."""
    return Claim(
        workspace="",
        id=owner,
        caller="",
        kind=ClaimKind.CLEAN,
        name=owner,
        fingerprint="",
        owner=owner,
        created_at=now,
    )


def unanswered_since(asking: Asking, since: datetime) -> Unanswered:
    """Return how to find what equal requests of the same caller bought and nobody was told of."""
    return Unanswered(
        workspace=asking.scope.workspace, caller=asking.caller, prefix=asking.prefix, since=since
    )


def is_over(claim: Claim, arrived: datetime) -> bool:
    """Return whether a claim answers no more: a key after its days, a flight for whoever came after its end."""
    if claim.kind is ClaimKind.FLIGHT:
        return claim.kept_at is not None and claim.kept_at < arrived
    return claim.created_at <= arrived - KEPT_FOR


def hidden(key: str) -> str:
    """Return the name of an idempotency key: its hash, for a caller may put anything into it.

    Raises:
        InvalidValue: Empty or too long.
    """
    if not 0 < len(key) <= LONGEST_KEY:
        raise InvalidValue(
            f"an Idempotency-Key has 1 to {LONGEST_KEY} characters, not {len(key)}",
            field="Idempotency-Key",
            remedy="use a fresh UUID for each thing you want once",
        )
    return hashlib.sha256(key.encode()).hexdigest()


def mismatch(asking: Asking) -> IdempotencyMismatch:
    return IdempotencyMismatch(
        "this Idempotency-Key was used for another request",
        field="Idempotency-Key",
        value=asking.idempotency_key,
        remedy="use a new key for a new request, or send the first one unchanged",
    )

"""What is remembered of requests, as the workflows need it. `keeprate.records` fits this shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class ClaimKind(StrEnum):
    """Why a request is remembered."""

    KEYED = "keyed"  # it came with an idempotency key
    FLIGHT = "flight"  # it asked to share one call with its equals
    LEFT = "left"  # its client left before the last byte
    CLEAN = "clean"  # no request: a process that ended with every client answered


class ClaimState(StrEnum):
    OPEN = "open"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One request that can be answered again.

    `id` is the intent it buys under. `name` is unique among the claims of a caller and kind.
    `caller` is the API key's id, empty for the owner. `owner` is the process that buys, empty where
    nobody does. `taken` tells that somebody came for the answer of a client that left.
    """

    workspace: str
    id: str
    caller: str
    kind: ClaimKind
    name: str
    fingerprint: str
    owner: str
    created_at: datetime
    state: ClaimState = ClaimState.OPEN
    answer: bytes | None = None
    kept_at: datetime | None = None
    taken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """Which intents to look for: those of a caller that begin with `prefix` and were made after `since`."""

    workspace: str
    caller: str
    prefix: str
    since: datetime


class ClaimStore(Protocol):
    """Every change is one durable commit when it returns."""

    async def begin(self, claim: Claim) -> Claim | None:
        """Write a claim and return None, or return the one its caller, kind and name already have."""
        ...

    async def renew(self, old: Claim, new: Claim) -> Claim | None:
        """Put `new` in the place of `old` and return None, or return what has come to stand there."""
        ...

    async def keep(self, claim: Claim, answer: bytes, at: datetime) -> None:
        """Keep the answer of a claim."""
        ...

    async def release(self, claim: Claim) -> None:
        """Note that nobody buys for an open claim any more; its id stays its intent."""
        ...

    async def drop(self, claim: Claim) -> None:
        """Forget a claim for which nothing was bought."""
        ...

    async def adopt(self, claim: Claim, owner: str) -> bool:
        """Let `owner` buy for an open claim in place of whom `claim` names; of several one succeeds."""
        ...

    async def take(self, claim: Claim) -> Claim | None:
        """Take the answer of a client that left; of several who try, one gets it."""
        ...

    async def give_back(self, claim: Claim) -> None:
        """Leave a taken answer to the next."""
        ...

    async def find(self, workspace: str, claim_id: str) -> Claim | None:
        """Return a claim as it stands."""
        ...

    async def left(self) -> Sequence[Claim]:
        """Return the claims of clients that left and nobody came back for, oldest first, answers left out."""
        ...

    async def unanswered(self, asked: "Unanswered") -> Sequence[tuple[str, str]]:
        """Return intents that may have lost their client, oldest first, each with its process.

        That is every one with an attempt under way or unknown, and those settled by a process that did
        not end clean.
        """
        ...

    async def sweep(self, before: datetime) -> int:
        """Forget claims made before `before`; return how many."""
        ...

    async def cached(self, workspace: str, key: str, at: datetime) -> bytes | None:
        """Return a cached answer and note that it was used."""
        ...

    async def cache(
        self, workspace: str, key: str, answer: bytes, *, size: int, limit: int, at: datetime
    ) -> None:
        """Cache an answer of `size` bytes, images counted, and forget the least used beyond `limit`."""
        ...

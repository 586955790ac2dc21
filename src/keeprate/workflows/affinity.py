"""What stays with the upstream that made it: uploaded files, interactions, batches, signed conversations.

Kept as small facts of the workspace, so a name of another workspace is as unknown as one that never was.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from keeprate.domain.scopes import Scope


class Kind(StrEnum):
    """What is remembered, and the word it is kept under."""

    FILE = "file"
    UPLOAD = "upload"
    INTERACTION = "interaction"
    BATCH = "batch"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a thing lives. `model` is the one that made it; `address` what else is needed to reach it."""

    upstream: str
    model: str | None = None
    address: str | None = None
    attempt_id: str | None = None


class Memory(Protocol):
    """Small facts of a workspace. The ledger keeps them."""

    async def fact(self, scope: Scope, name: str) -> str | None:
        """Return a fact, or None."""
        ...

    async def set_fact(self, scope: Scope, name: str, value: str) -> None:
        """Remember a fact."""
        ...


async def remember(memory: Memory, scope: Scope, kind: Kind, name: str, place: Place) -> None:
    """Note where a thing lives."""
    await memory.set_fact(scope, _key(kind, name), msgspec.json.encode(place).decode())


async def place_of(memory: Memory, scope: Scope, kind: Kind, name: str) -> Place | None:
    """Return where a thing of this workspace lives, or None."""
    noted = await memory.fact(scope, _key(kind, name))
    return None if noted is None else msgspec.json.decode(noted, type=Place)


def _key(kind: Kind, name: str) -> str:
    # Hashed: an upload's name opens it without a key, and signatures are long.
    return f"{kind}:{hashlib.sha256(name.encode()).hexdigest()[:40]}"

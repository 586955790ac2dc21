"""Who asks, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    BUYER = "buyer"
    REVIEWER = "reviewer"
    READER = "reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A workspace, the key that speaks for it (None for the owner at the machine) and its roles."""

    workspace: str = "default"
    key: str | None = None
    roles: frozenset[Role] = frozenset({Role.OWNER})


LOCAL_OWNER = Scope()

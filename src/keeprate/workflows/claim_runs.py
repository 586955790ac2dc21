"""Purchases of this process that somebody may wait for."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum

from keeprate.workflows.asking import Asking
from keeprate.workflows.claim_store import Claim
from keeprate.workflows.kept_answers import Bought


class How(StrEnum):
    """Where an answer came from. Only `BOUGHT` cost something now."""

    BOUGHT = "bought"
    REPLAYED = "replayed"
    JOINED = "joined"
    ORPHAN = "orphan"
    CACHED = "cached"


@dataclass(slots=True, kw_only=True)
class Run:
    """A purchase of this process, until its client has the answer. `is_written` says that a row tells of it."""

    asking: Asking
    claim: Claim
    how: How
    done: "asyncio.Future[Bought]"
    is_written: bool
    has_left: bool = False
    is_taken: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

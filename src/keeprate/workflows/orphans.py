"""Answers whose clients left before the last byte, of this and all other processes."""

from datetime import datetime, timedelta
from typing import Final

from keeprate.workflows.claim_store import Claim, ClaimStore
from keeprate.workflows.ports import Clock

# How old what is known of other processes' orphans may be: who re-sends waits about as long.
FRESH: Final = timedelta(seconds=1)

Equals = tuple[str, str, str]


class Orphans:
    """What waits to be claimed, looked up at most once a second however many ask."""

    def __init__(self, store: ClaimStore, clock: Clock) -> None:
        """Know of none yet."""
        self._store = store
        self._clock = clock
        self._waiting: dict[Equals, list[Claim]] = {}
        self._looked_at: datetime | None = None

    def add(self, claim: Claim) -> None:
        """Offer an answer to the next who asks the same."""
        self._waiting.setdefault((claim.workspace, claim.caller, claim.fingerprint), []).append(claim)

    async def taken(self, equals: Equals) -> Claim | None:
        """Return the oldest answer that waits for such a request, now its own, or None."""
        await self._look()
        waiting = self._waiting.get(equals, [])
        while waiting:
            taken = await self._store.take(waiting.pop(0))
            if taken is not None:
                return taken
        return None

    async def _look(self) -> None:
        now = self._clock.now()
        if self._looked_at is not None and timedelta() <= now - self._looked_at < FRESH:
            return
        self._looked_at = now
        found = await self._store.left()
        self._waiting = {}
        for claim in found:
            self.add(claim)

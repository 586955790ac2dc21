"""Clocks for tests: one that does not wait, and one that goes where it is told."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

# How much faster time runs while somebody waits: quick for a test, slow enough for calls to get on.
HURRY: Final = 100


@dataclass(slots=True)
class ImpatientClock:
    """The machine's time, run ahead by the waits: hardly anybody waits, and each wait is written down.

    Those who wait together wait at the same time, as they do in the world.
    """

    slept: list[float] = field(default_factory=list[float])
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the moment, in UTC, as if everybody had waited."""
        return datetime.now(UTC) + self.ahead

    async def sleep(self, seconds: float) -> None:
        """Write the wait down and go on."""
        self.slept.append(seconds)
        ends = self.now() + timedelta(seconds=seconds)
        await asyncio.sleep(seconds / HURRY)
        self.ahead = max(self.ahead, ends - datetime.now(UTC))


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is moved; a wait moves it."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self.moment

    def move(self, span: timedelta) -> None:
        """Go forward, or back."""
        self.moment += span

    async def sleep(self, seconds: float) -> None:
        """Go forward by the wait, at once."""
        self.move(timedelta(seconds=seconds))

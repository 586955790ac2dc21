"""Clocks for tests: one that does not wait, and one that goes where it is told."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class ImpatientClock:
    """The machine's time and the waits on top: nobody waits, each wait in seconds is written down."""

    slept: list[float] = field(default_factory=list[float])
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the moment, in UTC, as if everybody had waited."""
        return datetime.now(UTC) + self.ahead

    async def sleep(self, seconds: float) -> None:
        """Write the wait down and go on."""
        self.slept.append(seconds)
        self.ahead += timedelta(seconds=seconds)
        await asyncio.sleep(0)


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

"""Clocks for tests: one that does not wait, and one that goes where it is told."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class ImpatientClock:
    """The machine's time, but nobody waits: what would have been slept is written down in seconds."""

    slept: list[float] = field(default_factory=list[float])

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Write the wait down and go on."""
        self.slept.append(seconds)


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

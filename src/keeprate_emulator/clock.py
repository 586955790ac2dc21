"""The emulator's day, which can be set, beside the machine's own time, which stamps the bill."""

from datetime import UTC, date, datetime


class Clock:
    """Says which day it is for lifecycles."""

    def __init__(self, day: date | None) -> None:
        self._set = day

    @property
    def day(self) -> date:
        """The day that was set, else today."""
        return self._set or datetime.now(UTC).date()

    def set(self, day: date | None) -> None:
        """Fix the day, or let it run again with None."""
        self._set = day


def stamp() -> str:
    """Return the machine's time in RFC 3339, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

"""Moments as whole microseconds, and the windows in which a cap counts. All in UTC."""

from datetime import UTC, datetime, timedelta
from typing import Final

from keeprate.domain.budgets import Window

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
FOREVER_US: Final = 2**63 - 1


def micros(at: datetime) -> int:
    """Return the microseconds from 1970 to `at`, exactly."""
    return (at - EPOCH) // MICROSECOND


def moment(us: int) -> datetime:
    """Return the moment `us` microseconds after 1970, aware, in UTC."""
    return EPOCH + timedelta(microseconds=us)


def window_start(window: Window, at_us: int) -> int:
    """Return when the window that holds `at_us` began."""
    match window:
        case Window.HOUR:
            return at_us - at_us % HOUR_US
        case Window.DAY:
            return at_us - at_us % DAY_US
        case Window.MONTH:
            first = moment(at_us).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
            return micros(first)
        case Window.TOTAL:
            return 0


def window_end(window: Window, starts_us: int) -> int:
    """Return when the window that began at `starts_us` ends; a total never does."""
    match window:
        case Window.HOUR:
            return starts_us + HOUR_US
        case Window.DAY:
            return starts_us + DAY_US
        case Window.MONTH:
            # 32 days after the first lies in the next month, whatever the month.
            return window_start(window, starts_us + 32 * DAY_US)
        case Window.TOTAL:
            return FOREVER_US

"""Caps on money, and where they stand."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keeprate.domain.money import NanoUSD


class Window(StrEnum):
    """How long a cap counts before it starts again, in UTC. TOTAL never does."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    TOTAL = "total"

    @property
    def span(self) -> str:
        """Return how a sentence names it, behind an amount: "a day"."""
        return "in all" if self is Window.TOTAL else f"{'an' if self is Window.HOUR else 'a'} {self}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A cap. `key` None caps the whole workspace. Simulated attempts have caps of their own."""

    id: str
    workspace: str
    key: str | None
    window: Window
    limit: NanoUSD
    simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A budget's window at a moment: spent + held never passes the limit by a hold."""

    budget: Budget
    starts_at: datetime
    resets_at: datetime | None
    spent: NanoUSD
    held: NanoUSD

    @property
    def remaining(self) -> NanoUSD:
        """Return what may still be held, never below zero."""
        return NanoUSD(max(0, self.budget.limit - self.spent - self.held))

    @property
    def used_percent(self) -> int:
        """Return spent + held as whole percent of the limit, rounded down: 90 is reached, not nearly."""
        if self.budget.limit == 0:
            return 100
        return 100 * (self.spent + self.held) // self.budget.limit

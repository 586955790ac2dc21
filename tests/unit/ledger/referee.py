"""A second, slower opinion on the money: it keeps every attempt in a list and adds up when asked.

It shares no code with the ledger but the names of things, and keeps its own bill of what the upstream
accepted. `Expected` is what it says a command must answer.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from keeprate.domain.budgets import Budget, Window


class Expected(StrEnum):
    DONE = "done"
    CONFLICT = "Conflict"
    NOT_FOUND = "NotFound"
    NO_MONEY = "BudgetExceeded"
    STOPPED = "SpendingStopped"


@dataclass(slots=True, kw_only=True)
class Seen:
    """An attempt as the referee saw it: `billed` is what the upstream charged, once it took the call."""

    hold: int
    key: str | None
    simulated: bool
    booked: datetime
    owner: str
    state: str = "intent"
    spent: int = 0
    closings: int = 0
    corrections: int = 0
    is_word: bool = False
    billed: int | None = None

    @property
    def held(self) -> int:
        return self.hold if self.state in {"intent", "sent", "unknown"} else 0


@dataclass(slots=True)
class Referee:
    caps: dict[str, Budget] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    latest: dict[bool, datetime] = field(default_factory=dict)
    braked: set[bool] = field(default_factory=set)

    def used(self, cap: Budget, at: datetime) -> tuple[int, int]:
        """Return what is spent and held in the window of `cap` at `at`."""
        counted = [
            one
            for one in self.seen.values()
            if one.simulated == cap.simulated
            and cap.key in {None, one.key}
            and span(cap.window, one.booked) == span(cap.window, at)
        ]
        return sum(one.spent for one in counted), sum(one.held for one in counted)

    def intend(self, name: str, one: Seen) -> Expected:
        if name in self.seen:
            return Expected.DONE
        if one.simulated in self.braked:
            return Expected.STOPPED
        one.booked = max(one.booked, self.latest.get(one.simulated, one.booked))
        for cap in self.caps.values():
            binds = cap.simulated == one.simulated and cap.key in {None, one.key}
            if binds and sum(self.used(cap, one.booked)) + one.hold > cap.limit:
                return Expected.NO_MONEY
        self.latest[one.simulated] = one.booked
        self.seen[name] = one
        return Expected.DONE

    def move(self, name: str, to: str, *, owner: str | None = None, came_from: tuple[str, ...]) -> Expected:
        one = self.seen.get(name)
        if one is None:
            return Expected.NOT_FOUND
        if one.state not in came_from or owner not in {None, one.owner}:
            return Expected.CONFLICT
        one.state = to
        return Expected.DONE

    def close(self, name: str, charge: int) -> None:
        one = self.seen[name]
        one.spent, one.closings = charge, one.closings + 1
        if charge > one.hold:
            self.braked.add(one.simulated)

    def correct(self, name: str, charge: int) -> None:
        one = self.seen[name]
        if charge > max(one.hold, one.spent):
            self.braked.add(one.simulated)
        one.spent, one.corrections = charge, one.corrections + 1


def span(window: Window, at: datetime) -> str:
    match window:
        case Window.HOUR:
            return f"{at:%Y-%m-%d %H}"
        case Window.DAY:
            return f"{at:%Y-%m-%d}"
        case Window.MONTH:
            return f"{at:%Y-%m}"
        case Window.TOTAL:
            return ""

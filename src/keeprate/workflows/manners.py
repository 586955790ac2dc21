"""How soon, how often and for how much an upstream may be asked. Pure: the moment is always handed in.

Three machines. A *gate* per model of an upstream closes when the upstream says when to come back, or when it
keeps failing, and then lets one call through a second to look. A *retry budget* per upstream keeps second
tries below a tenth of first ones. A *spend window* per upstream keeps within a limit on money per ten minutes.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from keeprate.domain.attempts import NewAttempt
from keeprate.domain.money import NanoUSD, usd
from keeprate.domain.outcomes import FailureClass
from keeprate.domain.routes import Route
from keeprate.workflows.ports import SendFailure

# What a project may spend in any ten minutes, by its usage tier; the service answers 429 beyond it.
# Source: https://ai.google.dev/gemini-api/docs/rate-limits, page dated 2026-08-18, read 2026-11-21.
SPEND_TIERS_USD: Final[Mapping[str, str]] = MappingProxyType(
    {"tier-1": "10", "tier-2": "50", "tier-3": "200"}
)
SPEND_WINDOW: Final = timedelta(minutes=10)
_NO_LIMITS: Final[Mapping[str, NanoUSD]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The figures. A gate closes after `failures` in a row, or after failing for `failing_for`.

    `fewest_retries` are allowed in a `retry_window` however few first tries there were, so that one
    person's single call may be tried again. `rest` is how long a model stays closed whose quota of the
    day or credit is used up: waiting does not help, so nobody waits for it.
    """

    failures: int = 20
    failing_for: timedelta = timedelta(seconds=5)
    probe_every: timedelta = timedelta(seconds=1)
    rest: timedelta = timedelta(seconds=60)
    retry_percent: int = 10
    fewest_retries: int = 10
    retry_window: timedelta = timedelta(seconds=60)


class Gate:
    """The way to one model of one upstream: open, closed until a moment, or open to one call a second."""

    def __init__(self, rules: Rules) -> None:
        """Begin open."""
        self._rules = rules
        self._closed_until: datetime | None = None
        self._failures = 0
        self._failing_since: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """Return how long to wait before asking; nothing where the way is free."""
        if self._closed_until is None or now >= self._closed_until:
            return timedelta()
        return self._closed_until - now

    def enter(self, now: datetime) -> None:
        """Note that a call goes through. Through a gate that was closed, the next one goes a second later."""
        if self._closed_until is not None:
            self._closed_until = max(self._closed_until, now + self._rules.probe_every)

    def succeeded(self, now: datetime) -> None:
        """Note that the upstream served."""
        self._failures = 0
        self._failing_since = None
        # A call that left before the gate closed says nothing of what came after.
        told_to_wait = self._closed_until is not None and self._closed_until - now > self._rules.probe_every
        if not told_to_wait:
            self._closed_until = None

    def failed(self, now: datetime) -> None:
        """Note that the upstream did not serve."""
        self._failures += 1
        self._failing_since = self._failing_since or now
        lasted = self._failures > 1 and now - self._failing_since >= self._rules.failing_for
        if self._failures >= self._rules.failures or lasted or self._closed_until is not None:
            self.close(now + self._rules.probe_every)

    def close(self, until: datetime) -> None:
        """Let nothing through before `until`; an earlier moment than the one in force changes nothing."""
        self._closed_until = until if self._closed_until is None else max(self._closed_until, until)


class RetryBudget:
    """How many second tries an upstream may get, for the first ones it got lately."""

    def __init__(self, rules: Rules) -> None:
        """Begin with none of either."""
        self._rules = rules
        self._firsts: deque[datetime] = deque()
        self._retries: deque[datetime] = deque()

    def first(self, now: datetime) -> None:
        """Note a first try."""
        self._firsts.append(now)

    def allows(self, now: datetime) -> bool:
        """Return whether one more retry fits, and count it if so."""
        for seen in (self._firsts, self._retries):
            while seen and now - seen[0] >= self._rules.retry_window:
                seen.popleft()
        share = len(self._firsts) * self._rules.retry_percent // 100
        if len(self._retries) >= max(share, self._rules.fewest_retries):
            return False
        self._retries.append(now)
        return True


@dataclass(slots=True)
class _Spent:
    at: datetime
    amount: int


class SpendWindow:
    """Money sent out in the last ten minutes: holds until the charges are known."""

    def __init__(self, limit: NanoUSD) -> None:
        """Begin with nothing spent."""
        self._limit = limit
        self._spent: dict[str, _Spent] = {}

    def wait(self, hold: NanoUSD, now: datetime) -> timedelta:
        """Return how long until `hold` fits; a hold above the whole limit fits an empty window."""
        self._spent = {key: one for key, one in self._spent.items() if now - one.at < SPEND_WINDOW}
        over = sum(one.amount for one in self._spent.values()) + hold - self._limit
        for one in sorted(self._spent.values(), key=lambda one: one.at):
            if over <= 0:
                break
            over -= one.amount
            if over <= 0 or one is self._latest():
                return one.at + SPEND_WINDOW - now
        return timedelta()

    def sent(self, attempt_id: str, hold: NanoUSD, now: datetime) -> None:
        """Count a hold."""
        self._spent[attempt_id] = _Spent(at=now, amount=hold)

    def settled(self, attempt_id: str, charge: NanoUSD) -> None:
        """Count what it came to instead."""
        if attempt_id in self._spent:
            self._spent[attempt_id].amount = charge

    def _latest(self) -> _Spent:
        return max(self._spent.values(), key=lambda one: one.at)


def spend_limit(text: str) -> NanoUSD:
    """Return what a limit on spending per ten minutes means: dollars, or a usage tier of Google's.

    Raises:
        InvalidValue: Neither.
    """
    return usd(SPEND_TIERS_USD.get(text, text), field="upstream.spend_window")


class Manners:
    """The machines of every upstream that this process speaks to."""

    def __init__(
        self, *, spend_limits: Mapping[str, NanoUSD] = _NO_LIMITS, rules: Rules | None = None
    ) -> None:
        """Keep each upstream in `spend_limits` within its nano-dollars per ten minutes."""
        self._rules = rules or Rules()
        self._gates: dict[tuple[str, str], Gate] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._windows = {name: SpendWindow(limit) for name, limit in spend_limits.items()}

    def wait(self, route: Route, hold: NanoUSD, now: datetime) -> timedelta:
        """Return how long to wait before a call on `route`; nothing where it may leave."""
        window = self._windows.get(route.upstream)
        money = timedelta() if window is None else window.wait(hold, now)
        return max(self._gate(route).wait(now), money)

    def leaves(self, new: NewAttempt, now: datetime, *, is_retry: bool) -> None:
        """Note that a call is about to leave. No wait may lie between asking for one and this."""
        self._gate(new.route).enter(now)
        if not is_retry:
            self._budget(new.route.upstream).first(now)
        window = self._windows.get(new.route.upstream)
        if window is not None:
            window.sent(new.id, new.hold, now)

    def may_retry(self, upstream: str, now: datetime) -> bool:
        """Return whether one more retry fits the upstream's budget, and count it if so."""
        return self._budget(upstream).allows(now)

    def stayed(self, new: NewAttempt) -> None:
        """Note that a call did not leave after all."""
        window = self._windows.get(new.route.upstream)
        if window is not None:
            window.settled(new.id, NanoUSD(0))

    def ended(self, new: NewAttempt, failure: SendFailure | None, charge: NanoUSD, now: datetime) -> None:
        """Note how a call ended. `charge` is what it came to, or may come to."""
        window = self._windows.get(new.route.upstream)
        if window is not None:
            window.settled(new.id, charge)
        gate = self._gate(new.route)
        if failure is None:
            gate.succeeded(now)
        elif failure.http_status == 429 and failure.is_final:
            gate.close(now + self._rules.rest)
        elif failure.retry_after_s is not None:
            gate.failed(now)
            gate.close(now + timedelta(seconds=failure.retry_after_s))
        elif not failure.is_final or failure.failure is FailureClass.UNKNOWN:
            gate.failed(now)

    def _gate(self, route: Route) -> Gate:
        return self._gates.setdefault((route.upstream, route.model), Gate(self._rules))

    def _budget(self, upstream: str) -> RetryBudget:
        return self._budgets.setdefault(upstream, RetryBudget(self._rules))

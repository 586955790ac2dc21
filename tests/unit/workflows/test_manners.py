"""The machines that say how soon, how often and for how much an upstream may be asked."""

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.testing.answers import busy, lost, unreachable
from keeprate.testing.builders import NOON
from keeprate.workflows.manners import (
    SPEND_WINDOW,
    Gate,
    Manners,
    RetryBudget,
    Rules,
    SpendWindow,
    spend_limit,
)
from keeprate.workflows.ports import SendFailure
from keeprate.workflows.retry import next_wait
from tests.ledger_ground import CENT, new_attempt
from tests.trust_counts import count, record

NOTHING = NanoUSD(0)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def refusal(status: int, retry_after_s: float | None = None, *, is_final: bool = False) -> SendFailure:
    return SendFailure(
        FailureClass.REFUSED_FREE,
        Outcome(kind=OutcomeKind.FAILED, raw_reason="RESOURCE_EXHAUSTED (burst)"),
        http_status=status,
        retry_after_s=retry_after_s,
        is_final=is_final,
    )


def test_a_gate_closes_after_twenty_failures_in_a_row() -> None:
    gate = Gate(Rules())
    for number in range(19):
        gate.failed(at(number * 0.01))
        assert not gate.wait(at(number * 0.01))
    gate.failed(at(0.2))
    assert gate.wait(at(0.2)) == timedelta(seconds=1)


def test_a_gate_closes_after_five_seconds_of_failing_however_few_asked() -> None:
    gate = Gate(Rules())
    gate.failed(at(0))
    gate.failed(at(4.9))
    assert not gate.wait(at(4.9))
    gate.failed(at(5))
    assert gate.wait(at(5.5)) == timedelta(seconds=0.5)


def test_one_success_between_failures_keeps_a_gate_open() -> None:
    gate = Gate(Rules())
    for number in range(100):
        gate.failed(at(number))
        gate.succeeded(at(number + 0.5))
    assert not gate.wait(at(100))


def test_a_closed_gate_lets_one_call_a_second_through_until_one_succeeds() -> None:
    gate = Gate(Rules())
    gate.close(at(0.5))
    passed: list[float] = []
    for tick in range(100):
        now = at(tick / 10)
        if not gate.wait(now):
            gate.enter(now)
            passed.append(tick / 10)
            gate.failed(now + timedelta(seconds=0.05))
    assert len(passed) <= 10
    assert min(b - a for a, b in pairwise(passed)) >= 1
    gate.succeeded(at(passed[-1] + 0.1))
    assert not gate.wait(at(passed[-1] + 0.1))


def test_what_an_upstream_said_of_when_to_come_back_outlasts_an_older_success() -> None:
    manners, new = Manners(), new_attempt("a")
    manners.ended(new, refusal(429, 30), NOTHING, at(0))
    manners.ended(new, None, NOTHING, at(1))
    assert manners.wait(new.route, NOTHING, at(1)) == timedelta(seconds=29)
    assert not manners.wait(new.route, NOTHING, at(30))


@pytest.mark.parametrize(
    ("failure", "rest"),
    [
        (refusal(429, is_final=True), 60),
        (refusal(503, 7), 7),
        (refusal(400, is_final=True), 0),
        (refusal(404, is_final=True), 0),
        (unreachable(), 0),
        (lost(), 0),
        (busy(), 0),
    ],
)
def test_each_failure_closes_the_way_for_as_long_as_it_says(failure: SendFailure, rest: int) -> None:
    manners, new = Manners(), new_attempt("a")
    wait = failure.retry_after_s or rest
    manners.ended(new, failure, NOTHING, at(0))
    assert manners.wait(new.route, NOTHING, at(0)) == timedelta(seconds=wait)
    elsewhere = replace(new.route, upstream="another")
    assert not manners.wait(elsewhere, NOTHING, at(0))


def test_a_lone_call_may_be_tried_again_and_a_crowd_only_for_a_tenth() -> None:
    budget = RetryBudget(Rules())
    budget.first(at(0))
    assert [budget.allows(at(1)) for _ in range(11)] == [True] * 10 + [False]
    for _ in range(300):
        budget.first(at(2))
    assert sum(budget.allows(at(3)) for _ in range(300)) == 20
    assert budget.allows(at(70))


def test_a_spend_window_keeps_within_its_limit_and_says_when_there_is_room() -> None:
    window = SpendWindow(NanoUSD(100 * CENT))
    for number in range(10):
        assert not window.wait(NanoUSD(10 * CENT), at(number))
        window.sent(f"a{number}", NanoUSD(10 * CENT), at(number))
    assert window.wait(NanoUSD(10 * CENT), at(10)) == SPEND_WINDOW - timedelta(seconds=10)
    assert window.wait(NanoUSD(15 * CENT), at(10)) == SPEND_WINDOW - timedelta(seconds=9)
    window.settled("a3", NanoUSD(0))
    assert not window.wait(NanoUSD(10 * CENT), at(10))
    assert not window.wait(NanoUSD(100 * CENT), at(0) + SPEND_WINDOW + timedelta(seconds=10))


def test_a_call_dearer_than_the_limit_waits_for_an_empty_window_and_no_longer() -> None:
    window = SpendWindow(NanoUSD(10 * CENT))
    assert not window.wait(NanoUSD(15 * CENT), at(0))
    window.sent("a", NanoUSD(15 * CENT), at(0))
    assert window.wait(NanoUSD(15 * CENT), at(1)) == SPEND_WINDOW - timedelta(seconds=1)
    assert not window.wait(NanoUSD(15 * CENT), at(0) + SPEND_WINDOW)


def test_at_any_ten_minutes_of_mixed_traffic_no_more_than_the_limit_left() -> None:
    draw, limit = random.Random(4), 10 * 100 * CENT
    manners = Manners(spend_limits={"gemini": NanoUSD(limit)})
    sent: list[tuple[datetime, int]] = []
    now = NOON
    for number in range(4000):
        now += timedelta(seconds=draw.random() * 2)
        hold = NanoUSD(draw.randrange(2, 25) * CENT)
        new = new_attempt(f"a{number}", hold=hold)
        if manners.wait(new.route, hold, now):
            continue
        manners.leaves(new, now, is_retry=False)
        sent.append((now, hold))
        manners.ended(new, None, hold, now)
        recent = sum(amount for moment, amount in sent if now - moment < SPEND_WINDOW)
        assert recent <= limit
    assert sum(amount for _, amount in sent) > 5 * limit


class Storm:
    """An upstream that answers 429 with `Retry-After` for a while, in a time of its own, a tick at a time."""

    def __init__(self, *, seconds: int, retry_after_s: int, rate: int, seed: int) -> None:
        self.ends, self.retry_after_s, self.rate = seconds, retry_after_s, rate
        self.draw = random.Random(seed)
        self.manners = Manners()
        self.firsts = self.retries = self.violations = self.served_late = self.dropped = 0
        self.told_until = 0.0
        # (when it comes to the gate, its tries so far, the moment it was first asked for)
        self.waiting: list[tuple[float, int, float]] = []
        self.answering: list[tuple[float, int, float, bool]] = []
        self.served: Counter[int] = Counter()

    def run(self, *, after: int) -> None:
        for tick in range((self.ends + after) * 20):
            now = tick / 20
            for _ in range(self.rate // 20):
                self.waiting.append((now + self.draw.random() / 20, 0, now))
            self._answer(now)
            due = sorted(one for one in self.waiting if one[0] <= now)
            self.waiting = [one for one in self.waiting if one[0] > now]
            for _, tries, asked in due:
                self._ask(now, tries, asked)

    def _ask(self, now: float, tries: int, asked: float) -> None:
        new = new_attempt("storm")
        wait = self.manners.wait(new.route, NOTHING, at(now)).total_seconds()
        if wait:
            if now + wait - asked > 60:
                self.dropped += 1
            else:
                self.waiting.append((now + wait + self.draw.random(), tries, asked))
            return
        self.manners.leaves(new, at(now), is_retry=tries > 0)
        self.violations += now < self.told_until
        self.firsts += tries == 0
        self.retries += tries > 0
        self.answering.append((now + 0.1, tries, asked, now >= self.ends))

    def _answer(self, now: float) -> None:
        due = [one for one in self.answering if one[0] <= now]
        self.answering = [one for one in self.answering if one[0] > now]
        for _, tries, asked, good in due:
            new = new_attempt("storm")
            if good:
                self.manners.ended(new, None, NOTHING, at(now))
                self.served[int(now)] += 1
                continue
            failure = refusal(429, self.retry_after_s)
            self.told_until = max(self.told_until, now + self.retry_after_s)
            self.manners.ended(new, failure, NOTHING, at(now))
            wait = next_wait(failure, tries=tries + 1, jitter=self.draw.random())
            if wait is not None and self.manners.may_retry("gemini", at(now)):
                self.waiting.append((now + wait, tries + 1, asked))


@pytest.mark.trust
def test_a_storm_of_429_is_weathered() -> None:
    storms = count("storms", 1, 20)
    worst_share = worst_recovery = 0.0
    violations = 0
    for seed in range(storms):
        storm = Storm(seconds=60, retry_after_s=1 + seed % 10, rate=200, seed=seed)
        storm.run(after=20)
        worst_share = max(worst_share, storm.retries / storm.firsts)
        violations += storm.violations
        late = [storm.served[second] / 200 for second in range(70, 79)]
        worst_recovery = max(worst_recovery, 1 - min(late))
    record(
        "429 storm, 200 asked a second for 60 s: retries of first tries, Retry-After violated, served 10 s after",
        f"{worst_share:.1%}, {violations}, ≥ {1 - worst_recovery:.0%} ({storms} storms)",
        "≤ 10 %, 0, ≥ 95 %",
        met=worst_share <= 0.1 and violations == 0 and worst_recovery <= 0.05 and storms >= 20,
    )
    assert worst_share <= 0.1
    assert violations == 0
    assert worst_recovery <= 0.05


def test_a_spend_limit_is_written_in_dollars_or_as_a_tier() -> None:
    assert [spend_limit(text) for text in ("10", "tier-1", "0.5")] == [10**10, 10**10, 5 * 10**8]
    with pytest.raises(InvalidValue):
        spend_limit("tier-9")

"""Which failures are tried again, and how long that waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.workflows.ports import SendFailure
from keeprate.workflows.retry import MOST_TRIES, next_wait


def failed(
    failure: FailureClass = FailureClass.REFUSED_FREE, *, wait: float | None = None, final: bool = False
) -> SendFailure:
    outcome = Outcome(kind=OutcomeKind.FAILED, raw_reason="UNAVAILABLE")
    return SendFailure(failure, outcome, http_status=503, retry_after_s=wait, is_final=final)


@given(tries=some.integers(1, 10), jitter=some.floats(0, 1), wait=some.none() | some.floats(0, 100))
def test_what_may_have_been_paid_is_never_sent_again(tries: int, jitter: float, wait: float | None) -> None:
    assert next_wait(failed(FailureClass.UNKNOWN, wait=wait), tries=tries, jitter=jitter) is None


@pytest.mark.parametrize("failure", [FailureClass.NOT_SENT, FailureClass.REFUSED_FREE])
def test_what_was_free_is_tried_again_a_few_times(failure: FailureClass) -> None:
    waits = [next_wait(failed(failure), tries=tries, jitter=1.0) for tries in range(1, MOST_TRIES + 1)]
    assert waits == [1.0, 2.0, 4.0, None]


def test_a_final_refusal_is_not_tried_again() -> None:
    assert next_wait(failed(final=True), tries=1, jitter=0.5) is None


@given(jitter=some.floats(0, 1), asked=some.floats(0, 500))
def test_the_wait_is_never_shorter_than_asked(jitter: float, asked: float) -> None:
    wait = next_wait(failed(wait=asked), tries=1, jitter=jitter)
    assert wait is not None
    assert wait >= asked


def test_callers_that_failed_together_come_back_apart() -> None:
    waits = {next_wait(failed(), tries=3, jitter=jitter / 10) for jitter in range(10)}
    assert len(waits) == 10


def test_nobody_waits_past_the_deadline_or_for_a_quarter_of_an_hour() -> None:
    assert next_wait(failed(wait=39.0), tries=1, jitter=0.0, remaining_s=30.0) is None
    assert next_wait(failed(wait=39.0), tries=1, jitter=0.0, remaining_s=60.0) == 39.0
    assert next_wait(failed(wait=900.0), tries=1, jitter=0.0) is None

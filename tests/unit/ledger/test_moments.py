"""Windows tile time: every moment lies in exactly one of each kind."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeprate.domain.budgets import Window
from keeprate.ledger.moments import DAY_US, micros, moment, window_end, window_start

MOMENTS = st.integers(0, 230 * 365 * DAY_US).map(moment)


@given(MOMENTS)
def test_a_moment_reads_back_to_the_microsecond(at: datetime) -> None:
    assert moment(micros(at)) == at


@given(MOMENTS, st.sampled_from(Window))
def test_a_window_holds_its_moment_and_the_next_begins_where_it_ends(at: datetime, window: Window) -> None:
    starts, at_us = window_start(window, micros(at)), micros(at)
    ends = window_end(window, starts)
    assert starts <= at_us < ends
    assert window_start(window, starts) == starts
    if window is not Window.TOTAL:
        assert window_start(window, ends) == ends
        assert window_start(window, ends - 1) == starts


@pytest.mark.parametrize(
    ("window", "starts", "ends"),
    [
        (Window.HOUR, datetime(2028, 2, 29, 23, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (Window.DAY, datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (Window.MONTH, datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_windows_follow_the_calendar_in_utc(window: Window, starts: datetime, ends: datetime) -> None:
    at_us = micros(datetime(2028, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC))
    assert window_start(window, at_us) == micros(starts)
    assert window_end(window, micros(starts)) == micros(ends)


def test_clocks_that_change_in_summer_change_nothing() -> None:
    summer = datetime.fromisoformat("2026-03-29T03:30:00+02:00")
    assert moment(window_start(Window.DAY, micros(summer))) == datetime(2026, 3, 29, tzinfo=UTC)

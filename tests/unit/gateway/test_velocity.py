"""A key that is suddenly used from elsewhere, and much more often, looks stolen; a busy day does not."""

from keeprate.gateway.velocity import LEAST_A_MINUTE, NEW_FOR_S, Velocity

HOUR = 3600.0


def used(
    velocity: Velocity, *, a_minute: float, minutes: float, start: float = 0.0, address: str = "10.0.0.1"
) -> float:
    """Use a key evenly; return the moment after."""
    count = int(a_minute * minutes)
    for number in range(count):
        assert velocity.saw("key", address, start + number * 60 / a_minute) is None
    return start + minutes * 60


def first_alarm(
    velocity: Velocity, *, a_minute: float, start: float, most: int = 5000
) -> tuple[int, float] | None:
    """Use the key from elsewhere until an alarm; return the number of requests and the seconds it took."""
    for number in range(most):
        at = start + number * 60 / a_minute
        if velocity.saw("key", "203.0.113.9", at) is not None:
            return number + 1, at - start
    return None


def test_a_thief_at_twenty_times_the_rate_is_noticed_within_a_minute() -> None:
    velocity = Velocity()
    now = used(velocity, a_minute=3, minutes=60)
    alarm = first_alarm(velocity, a_minute=200, start=now)
    assert alarm is not None
    requests, seconds = alarm
    assert requests <= 62
    assert seconds <= 60


def test_a_key_that_was_hardly_used_needs_few_requests_to_alarm() -> None:
    velocity = Velocity()
    now = used(velocity, a_minute=0.1, minutes=60)
    alarm = first_alarm(velocity, a_minute=600, start=now)
    assert alarm is not None
    assert alarm[0] == LEAST_A_MINUTE


def test_a_busy_day_at_home_is_no_alarm() -> None:
    velocity = Velocity()
    now = used(velocity, a_minute=1, minutes=60)
    used(velocity, a_minute=600, minutes=2, start=now)


def test_a_new_place_at_the_usual_pace_is_no_alarm_and_soon_known() -> None:
    velocity = Velocity()
    now = used(velocity, a_minute=2, minutes=60)
    now = used(velocity, a_minute=2, minutes=NEW_FOR_S / 60 + 1, start=now, address="10.0.0.2")
    used(velocity, a_minute=600, minutes=1, start=now, address="10.0.0.2")


def test_where_a_new_key_is_used_first_is_where_it_lives() -> None:
    velocity = Velocity()
    used(velocity, a_minute=600, minutes=1)
    assert velocity.usual_rate("another", 0.0) == 0.0


def test_an_alarm_says_what_was_usual() -> None:
    velocity = Velocity()
    now = used(velocity, a_minute=1, minutes=60)
    said = [velocity.saw("key", "203.0.113.9", now + number * 0.1) for number in range(40)]
    why = next(one for one in said if one is not None)
    assert "203.0.113.9" in why
    assert "1.0 a minute were usual" in why

"""An upstream that is down, one that is slow, and a storm: what callers get, and what the upstreams see."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keeprate.domain.errors import DeadlinePassed, KeeprateError, Throttled
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.library.front import Keeprate
from keeprate.workflows.manners import Rules
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.homes import settings_at
from tests.trust_counts import count, record

pytestmark = [pytest.mark.anyio, pytest.mark.trust]

TWO = """
[[upstream]]
name = "first"
surface = "gemini-api"
base_url = "{first}"
simulated = true

[[upstream]]
name = "second"
surface = "gemini-api"
base_url = "{second}"
simulated = true
"""


@contextmanager
def emulators(folder: Path, *names: str) -> Iterator[tuple[EmulatorProcess, ...]]:
    started: list[EmulatorProcess] = []
    try:
        for name in names:
            started.append(start_emulator(folder / name, "--draw", "fast"))
        yield tuple(started)
    finally:
        for emulator in started:
            emulator.stop()


def applied(emulator: EmulatorProcess) -> int:
    """Return how many calls met the fault that was put in force."""
    return sum(rule["applied"] for rule in emulator.get("/_emulator/faults").json["rules"])


async def test_a_dead_upstream_is_left_alone_and_another_serves_for_no_more_money(tmp_path: Path) -> None:
    calls = count("breaker_calls", 150, 2000)
    home = tmp_path / "home"
    home.mkdir()
    with emulators(tmp_path, "first", "second") as (first, second):
        first.fault("error", code=503)
        (home / "keeprate.toml").write_text(TWO.format(first=first.url, second=second.url))
        async with Keeprate(settings=settings_at(home)) as keeprate:
            gate, began = asyncio.Semaphore(16), time.monotonic()

            async def one() -> Result:
                async with gate:
                    return await keeprate.generate("a lamp")

            results = await asyncio.gather(*(one() for _ in range(calls)))
            took = time.monotonic() - began
            rows = await keeprate.attempts(limit=10 * calls)
        asked, served = applied(first), second.bill_summary()["accepted_calls"]
    failed = [row for row in rows if row.state is AttemptState.FAILED]
    quoted = {
        row.new.route.model: row.new.quote_expected for row in rows if row.new.route.upstream == "first"
    }
    dearer = [
        row
        for row in rows
        if row.new.route.upstream == "second" and row.new.quote_expected > max(quoted.values())
    ]
    probes = asked - Rules().failures - 16
    assert {result.outcome.kind for result in results} <= {OutcomeKind.IMAGE}
    assert served == calls
    assert dearer == []
    assert len(failed) == asked
    assert probes <= took + 1
    record(
        "one upstream 100 % 503: calls it saw before and after its gate closed, dearer fallbacks",
        f"{asked} of {calls} in {took:.0f} s (20 + 16 under way + one a second), {len(dearer)}",
        "opens ≤ 20 failures, ≤ 1 probe/s, 0",
        met=probes <= took + 1 and not dearer and calls >= 2000,
    )


async def test_no_answer_comes_past_its_deadline(tmp_path: Path) -> None:
    calls = count("deadline_calls", 30, 300)
    seconds, latest, passed = 2, 0.0, 0
    with emulators(tmp_path, "slow") as (slow,):
        slow.faults({"probability": 0.3, "fault": {"kind": "latency", "latency_ms": 4000}})
        async with Keeprate(settings=settings_at(tmp_path / "home", slow.url)) as keeprate:
            gate = asyncio.Semaphore(8)

            async def one(number: int) -> None:
                nonlocal latest, passed
                async with gate:
                    began = time.monotonic()
                    try:
                        wish = Options(deadline=f"{seconds}s", lane="live", intent=f"i{number}")
                        await keeprate.generate("a lamp", options=wish)
                    except DeadlinePassed as refusal:
                        passed += "attempt_id" in refusal.facts
                    latest = max(latest, time.monotonic() - began)

            await asyncio.gather(*(one(number) for number in range(calls)))
        # The call went on, was booked, and is there for whoever asks again.
        async with Keeprate(settings=settings_at(tmp_path / "home", slow.url)) as keeprate:
            rows = await keeprate.attempts(limit=1000)
            slow.clear_faults()
            again = await keeprate.generate(
                "a lamp", options=Options(deadline=f"{seconds}s", lane="live", intent="i0")
            )
        assert slow.bill_summary()["accepted_calls"] == calls
    assert again.outcome.kind is OutcomeKind.IMAGE
    assert {row.state for row in rows} == {AttemptState.IMAGE}
    assert 0 < passed < calls
    assert latest <= seconds * 1.1
    record(
        "30 % of calls slower than the deadline: latest answer, calls lost",
        f"{latest / seconds:.0%} of the deadline, 0 of {calls}",
        "≤ 110 %, 0",
        met=latest <= seconds * 1.1 and calls >= 300,
    )


@pytest.mark.parametrize("cause", ["per_day", "limit_zero"])
async def test_a_quota_that_waiting_does_not_fill_is_asked_once(tmp_path: Path, cause: str) -> None:
    with emulators(tmp_path, "empty") as (empty,):
        empty.fault("error", code=429, cause=cause)
        async with Keeprate(settings=settings_at(tmp_path / "home", empty.url)) as keeprate:
            result = await keeprate.generate("a lamp", options=Options(model="gemini-3-pro-image"))
            assert result.outcome.kind is OutcomeKind.FAILED
            assert len(result.attempts) == 1
            began = time.monotonic()
            with pytest.raises(Throttled) as refusal:
                await keeprate.generate(
                    "a lamp", options=Options(model="gemini-3-pro-image", deadline="20s", lane="live")
                )
            assert time.monotonic() - began < 1
            assert refusal.value.retry_after_s is not None
            assert 20 < refusal.value.retry_after_s <= 60
        assert applied(empty) == 1


async def test_a_storm_of_429_is_waited_out_as_long_as_it_says(tmp_path: Path) -> None:
    calls = 40
    with emulators(tmp_path, "busy") as (busy,):
        busy.fault("error", code=429, cause="per_minute", retry_after_s=1, times=12)
        async with Keeprate(settings=settings_at(tmp_path / "home", busy.url)) as keeprate:

            async def one() -> str:
                try:
                    return str((await keeprate.generate("a lamp")).outcome.kind)
                except KeeprateError as error:
                    return error.code

            ends = await asyncio.gather(*(one() for _ in range(calls)))
            rows = sorted(
                await keeprate.attempts(limit=1000), key=lambda row: row.sent_at or row.new.created_at
            )
        accepted = busy.bill_summary()["accepted_calls"]
    assert accepted == ends.count("image") >= calls - 12
    refused = [row for row in rows if row.state is AttemptState.FAILED]
    for row in refused:
        # Who left before the upstream spoke could not know; nobody else came in the second after.
        assert row.settled_at is not None
        early = [
            other
            for other in rows
            if other.sent_at is not None and 0 < (other.sent_at - row.settled_at).total_seconds() < 0.95
        ]
        assert not early, (row.settled_at, [other.sent_at for other in early])

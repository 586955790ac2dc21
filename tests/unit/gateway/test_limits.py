"""What a process takes on at once, by count, by weight and by how late its loop runs."""

import asyncio
import time
from pathlib import Path

import pytest

from keeprate.domain.errors import Overloaded
from keeprate.gateway.limits import Bulkhead, Limits, limits_of

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024


async def test_requests_are_let_in_up_to_their_number_and_again_as_they_leave() -> None:
    bulkhead = Bulkhead(Limits(requests=3))
    weights = [bulkhead.enter(0) for _ in range(3)]
    with pytest.raises(Overloaded) as refusal:
        bulkhead.enter(0)
    assert (refusal.value.http_status, refusal.value.retry_after_s) == (503, 1.0)
    bulkhead.leave(weights.pop())
    bulkhead.enter(0)
    assert bulkhead.requests == 3


async def test_bytes_are_let_in_up_to_their_sum_and_the_heaviest_alone() -> None:
    bulkhead = Bulkhead(Limits(body_bytes=64 * MIB, each=MIB))
    alone = bulkhead.enter(96 * MIB)
    with pytest.raises(Overloaded):
        bulkhead.enter(0)
    bulkhead.leave(alone)
    weights = [bulkhead.enter(10 * MIB) for _ in range(3)]
    with pytest.raises(Overloaded):
        bulkhead.enter(MIB)
    for weight in weights:
        bulkhead.leave(weight)
    assert (bulkhead.requests, bulkhead.bytes) == (0, 0)


async def test_a_loop_that_runs_late_takes_nothing_new_until_it_has_caught_up() -> None:
    bulkhead = Bulkhead(Limits(lag_s=0.05, few=1))
    weight = bulkhead.enter(0)
    for _ in range(4):
        await asyncio.sleep(0.025)
        time.sleep(0.3)  # noqa: ASYNC251 (the loop is to be held up)
    await asyncio.sleep(0.001)
    began = time.perf_counter()
    with pytest.raises(Overloaded):
        bulkhead.enter(0)
    assert time.perf_counter() - began < 0.05
    bulkhead.leave(weight)
    await asyncio.sleep(1)
    assert bulkhead.lag_s < 0.05
    bulkhead.enter(0)


async def test_a_few_are_let_in_however_late_the_loop_runs() -> None:
    bulkhead = Bulkhead(Limits(few=4))
    for _ in range(4):
        bulkhead.enter(0)
        bulkhead.lag_s = 9.0
    with pytest.raises(Overloaded):
        bulkhead.enter(0)


async def test_a_single_pause_is_no_strain() -> None:
    bulkhead = Bulkhead(Limits())
    bulkhead.enter(0)
    await asyncio.sleep(0.05)
    time.sleep(0.15)  # noqa: ASYNC251 (one collection of garbage, say)
    await asyncio.sleep(0.05)
    bulkhead.enter(0)


@pytest.mark.parametrize(
    ("told", "expected"),
    [("536870912\n", 256 * MIB), ("max\n", 768 * MIB), ("99999999999\n", 768 * MIB), (None, 768 * MIB)],
)
def test_limits_fit_the_container(tmp_path: Path, told: str | None, expected: int) -> None:
    file = tmp_path / "memory.max"
    if told is not None:
        file.write_text(told)
    assert limits_of(file).body_bytes == expected

"""A pipe is a few slices wide, and a client at its end can never stop the paid call behind it."""

import asyncio

import pytest

from keeprate.domain.errors import UpstreamUnknown
from keeprate.workflows.pipes import WIDTH, Pipe

pytestmark = pytest.mark.anyio


async def test_what_goes_in_comes_out_in_order() -> None:
    pipe = Pipe()

    async def fill() -> None:
        for number in range(100):
            await pipe.put(b"%d," % number)
        pipe.end([b"last"])

    filling = asyncio.create_task(fill())
    got = b"".join([data async for data in pipe.slices()])
    await filling
    assert got == b"".join(b"%d," % number for number in range(100)) + b"last"


async def test_it_holds_a_few_slices_and_no_more() -> None:
    pipe, put = Pipe(), 0

    async def fill() -> None:
        nonlocal put
        while True:
            await pipe.put(b"x")
            put += 1

    filling = asyncio.create_task(fill())
    await asyncio.sleep(0.05)
    filling.cancel()
    assert put == WIDTH


async def test_a_reader_that_leaves_lets_everything_through() -> None:
    pipe = Pipe()
    reader = pipe.slices()
    await pipe.put(b"x")
    assert await anext(reader) == b"x"
    await reader.aclose()
    assert pipe.is_left
    for _ in range(10 * WIDTH):
        await pipe.put(b"x")


async def test_a_reader_that_takes_nothing_has_left() -> None:
    pipe = Pipe(patience_s=0.05)
    for _ in range(WIDTH + 5):
        await pipe.put(b"x")
    assert pipe.is_left


async def test_a_fault_comes_out_after_what_went_in() -> None:
    pipe = Pipe()
    await pipe.put(b"x")
    pipe.fail(UpstreamUnknown("lost"))
    reader = pipe.slices()
    assert await anext(reader) == b"x"
    with pytest.raises(UpstreamUnknown):
        await anext(reader)

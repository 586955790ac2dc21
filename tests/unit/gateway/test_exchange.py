"""Requests are read within bounds; answers stop when nobody takes them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from keeprate.domain.errors import TooLarge
from keeprate.gateway.exchange import Answer, AsgiScope, ClientLeft, End, Message, Reply, Request

pytestmark = pytest.mark.anyio


def request(*messages: Message, headers: dict[str, str] | None = None, method: str = "POST") -> Request:
    waiting = list(messages)

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope: AsgiScope = {
        "type": "http", "method": method, "path": "/x", "query_string": b"a=1&b=&a=2", "headers": raw,
        "client": ("127.0.0.1", 1),
    }  # fmt: skip
    return Request(scope, receive, request_id="req_1")


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class Wire:
    """What was sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.ends: list[End] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    async def delivered(self, end: End) -> None:
        self.ends.append(end)


async def test_a_body_comes_whole_or_in_pieces() -> None:
    assert await request(part(b"ab", more=True), part(b"", more=True), part(b"c")).body() == b"abc"
    asked = request(part(b"ab", more=True), part(b"c"))
    assert [piece async for piece in asked.chunks()] == [b"ab", b"c"]
    assert asked.asked("a") == "1"
    assert asked.asked("z") is None


async def test_a_body_that_is_announced_too_large_is_not_read() -> None:
    asked = request(part(b"abc"), headers={"content-length": "4"})
    asked.body_limit = 3
    with pytest.raises(TooLarge):
        await asked.body()


async def test_a_body_that_grows_too_large_is_not_read_on() -> None:
    asked = request(part(b"ab", more=True), part(b"cd", more=True), part(b"e"))
    asked.body_limit = 3
    with pytest.raises(TooLarge):
        await asked.body()


async def test_a_client_that_leaves_while_sending_is_noticed() -> None:
    asked = request(part(b"ab", more=True), {"type": "http.disconnect"})
    with pytest.raises(ClientLeft):
        await asked.body()
    await asked.gone()


async def test_a_whole_answer_carries_its_length_and_the_request_id() -> None:
    wire, asked = Wire(), request(part(b""))
    reply = Reply(asked, wire.send)
    await reply.send(Answer(body=b"hello", headers=(("X-One", "1"),), delivered=wire.delivered))
    start, body = wire.messages
    assert (b"content-length", b"5") in start["headers"]  # type: ignore[operator]
    assert (b"x-request-id", b"req_1") in start["headers"]  # type: ignore[operator]
    assert body["body"] == b"hello"
    assert (wire.ends, reply.finished, reply.sent_bytes) == ([End.SERVED], True, 5)


async def test_a_head_request_gets_the_fields_and_no_body() -> None:
    wire = Wire()
    await Reply(request(part(b""), method="HEAD"), wire.send).send(Answer(body=b"hello"))
    assert wire.messages[1]["body"] == b""


async def test_a_stream_goes_out_piece_by_piece() -> None:
    wire, asked = Wire(), request(part(b""))
    await asked.body()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    await Reply(asked, wire.send).send(Answer(body=pieces(), delivered=wire.delivered))
    assert [message.get("body") for message in wire.messages[1:]] == [b"a", b"b", b""]
    assert wire.ends == [End.SERVED]


async def test_a_stream_that_nobody_takes_is_closed_and_told_so() -> None:
    wire, asked = Wire(), request(part(b""), {"type": "http.disconnect"})
    await asked.body()
    closed: list[bool] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            for _ in range(1000):
                await asyncio.sleep(0)
                yield b"a"
        finally:
            closed.append(True)

    await Reply(asked, wire.send).send(Answer(body=pieces(), delivered=wire.delivered))
    assert (wire.ends, closed) == ([End.LEFT], [True])
    assert len(wire.messages) < 10


async def test_a_stream_that_breaks_is_told_as_left() -> None:
    wire, asked = Wire(), request(part(b""))
    await asked.body()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        await Reply(asked, wire.send).send(Answer(body=pieces(), delivered=wire.delivered))
    assert wire.ends == [End.LEFT]

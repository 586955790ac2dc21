"""What every provider owes the till, as checks that a plug-in's own tests can run.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    async def test_it_keeps_the_contract(check, tmp_path):
        async with paid_session() as http:
            await check(Case(connect=lambda url: my_provider(url, http), route=..., folder=tmp_path))

Each check raises AssertionError with a sentence. They need no service: a server of their own on
loopback says what real ones say on their worst days.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keeprate.domain.outcomes import FailureClass, OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import Route
from keeprate.testing.builders import REQUEST
from keeprate.workflows.ports import Materials, Outgoing, Provider, Reply, SendFailure

NOWHERE: Final = "http://127.0.0.1:9"
GARBAGE: Final = (b"", b"<html>busy</html>", b"{", b'{"a": ', b"\xff\xfe", b"[]", b"{}", b"null")
# What a proxy says in a service's name, and a service that broke off: both may hide a paid picture.
_BAD_GATEWAY: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\n{}"
_CUT_SHORT: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A provider to check: how to connect it to an address, a route it sells, and a folder to write in."""

    connect: Callable[[str], Provider]
    route: Route
    folder: Path
    request: ImageRequest = REQUEST


@dataclass(slots=True)
class OneReply:
    """A spool of one reply; fits the port `SpoolFile`. `ended` tells how: complete, abandoned or None."""

    path: Path
    ended: str | None = field(default=None)

    def __post_init__(self) -> None:
        """Begin empty."""
        self.path.write_bytes(b"")

    def write(self, data: bytes) -> None:
        """Append bytes."""
        with self.path.open("ab") as file:
            file.write(data)

    def complete(self, *, content_type: str, served_tier: str | None, request_id: str | None) -> Reply:
        """Return what was written as a reply."""
        self.ended = "complete"
        return Reply(
            body_path=self.path,
            sha256=hashlib.sha256(self.path.read_bytes()).hexdigest(),
            content_type=content_type,
            served_tier=served_tier,
            request_id=request_id,
        )

    def abandon(self) -> None:
        """Note that nothing more comes."""
        self.ended = "abandoned"


async def the_call_is_a_pure_function_of_the_request(case: Case) -> None:
    """Equal requests make equal bytes, or a replay would not know its own call."""
    provider = case.connect(NOWHERE)
    first, again = _call(provider, case), _call(provider, case)
    assert (first.path, first.body) == (again.path, again.body), "the same request made two different calls"
    assert first.path.startswith("/"), f"{first.path!r} does not begin below the base URL"
    assert first.timeout_s > 0, "a call needs a time limit"


async def a_closed_door_is_not_sent(case: Case) -> None:
    """Where nobody listens nothing left, so it may be tried again."""
    failure = await _failure(case, NOWHERE)
    assert failure.failure is FailureClass.NOT_SENT, f"nothing left, and it says {failure.failure}"


async def a_proxys_word_is_unknown(case: Case) -> None:
    """A 502 does not say whether the service behind it served, and billed."""
    async with _saying(_BAD_GATEWAY) as server:
        failure = await _failure(case, server.url)
    assert failure.failure is FailureClass.UNKNOWN, f"a 502 may hide a paid picture, and is {failure.failure}"
    assert server.calls == 1, f"one call was asked for and {server.calls} were made"


async def a_reply_cut_short_is_unknown_and_never_sent_again(case: Case) -> None:
    """What came may have been paid for; the provider does not try again by itself."""
    for said in (_CUT_SHORT, b""):
        async with _saying(said) as server:
            failure = await _failure(case, server.url)
        assert failure.failure is FailureClass.UNKNOWN, f"a lost reply is {failure.failure}"
        assert server.calls == 1, f"one call was asked for and {server.calls} were made"


async def bytes_that_are_no_answer_are_no_image(case: Case) -> None:
    """Whatever comes with status 200 gets an outcome with a reason; nothing raises, nothing is silent."""
    provider = case.connect(NOWHERE)
    for number, garbage in enumerate(GARBAGE):
        spooled = OneReply(case.folder / f"garbage-{number}")
        spooled.write(garbage)
        reply = spooled.complete(content_type="application/json", served_tier=None, request_id=None)
        answer = provider.understand(reply, case.route)
        assert answer.outcome.kind is not OutcomeKind.IMAGE, f"{garbage!r} was taken for an image"
        assert answer.outcome.raw_reason, f"{garbage!r} ended as {answer.outcome.kind} without a reason"
        assert answer.images == (), f"{garbage!r} brought images"


Check = Callable[[Case], Awaitable[None]]
CHECKS: Final[tuple[Check, ...]] = (
    the_call_is_a_pure_function_of_the_request,
    a_closed_door_is_not_sent,
    a_proxys_word_is_unknown,
    a_reply_cut_short_is_unknown_and_never_sent_again,
    bytes_that_are_no_answer_are_no_image,
)


def _call(provider: Provider, case: Case) -> Outgoing:
    return provider.outgoing(
        case.request,
        route=case.route,
        lane=Lane.LIVE,
        images=1,
        max_output_tokens=None,
        materials=Materials(),
    )


async def _failure(case: Case, url: str) -> SendFailure:
    provider = case.connect(url)
    into = OneReply(case.folder / "reply")
    try:
        await provider.send(_call(provider, case), attempt_id="att_contract", into=into)
    except SendFailure as failure:
        assert into.ended == "abandoned", "the reply's file was left open: call into.abandon()"
        return failure
    message = "a call that brought no whole answer ended as if it had"
    raise AssertionError(message)


@dataclass(slots=True)
class _Server:
    url: str = ""
    calls: int = 0


@asynccontextmanager
async def _saying(said: bytes) -> AsyncGenerator[_Server]:
    """Serve `said` to each call that came whole, then hang up."""
    counter = _Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, _, length = head.partition(b"content-length:")
        await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
        counter.calls += 1
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    counter.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield counter

"""A request and its answer, whatever dialect they speak: raw ASGI with streaming both ways.

ASGI source: <https://asgi.readthedocs.io/en/latest/specs/www.html>, read 2026-11-21.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, cast
from urllib.parse import parse_qsl

from keeprate.domain.errors import TooLarge

Message = MutableMapping[str, object]
AsgiScope = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[AsgiScope, Receive, Send], Awaitable[None]]
Pairs = Sequence[tuple[str, str]]

# Fourteen references of a few megabytes as base64; uploads of files have a limit of their own.
BODY_LIMIT: Final = 96 * 1024 * 1024


class ClientLeft(Exception):
    """The client closed the connection before its request was whole."""


class Headers:
    """Header fields by lower-case name, as they came."""

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep the fields in their order."""
        self.pairs: Pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw]
        self._first = dict(reversed(self.pairs))

    def get(self, name: str) -> str | None:
        """Return the first value of `name` (lower case), or None."""
        return self._first.get(name)

    def all(self, name: str) -> list[str]:
        """Return every value of `name`."""
        return [value for one, value in self.pairs if one == name]

    def __contains__(self, name: str) -> bool:
        """Return whether there is such a field."""
        return name in self._first


class Request:
    """What somebody asks. The body is read once, whole (`body`) or as it comes (`chunks`)."""

    def __init__(self, scope: AsgiScope, receive: Receive, *, request_id: str) -> None:
        """Read what ASGI tells of the request line and the header fields."""
        self.scope = scope
        self.id = request_id
        self.method = str(scope["method"]).upper()
        self.path = str(scope["path"])
        self.query_string = cast("bytes", scope.get("query_string") or b"").decode("latin-1")
        self.query: Pairs = parse_qsl(self.query_string, keep_blank_values=True)
        self.headers = Headers(cast("Sequence[tuple[bytes, bytes]]", scope["headers"]))
        self.parts: Mapping[str, str] = {}
        self.body_limit = BODY_LIMIT
        client = cast("tuple[str, int] | None", scope.get("client"))
        self.address = None if client is None else client[0]
        self._receive = receive
        self._received = 0
        self._read_all = False
        self._left = False

    def asked(self, name: str) -> str | None:
        """Return the first value of a query parameter, or None."""
        return next((value for one, value in self.query if one == name), None)

    @property
    def length(self) -> int | None:
        """Return the length the client announces, or None where it announces none."""
        told = self.headers.get("content-length")
        return int(told) if told is not None and told.isdecimal() else None

    async def receive(self) -> Message:
        """Return the next message from the client, counting its body.

        Raises:
            TooLarge: The body passes `body_limit`.
        """
        if (self.length or 0) > self.body_limit:
            raise self._too_large()
        message = await self._receive()
        self._received += len(cast("bytes", message.get("body") or b""))
        if self._received > self.body_limit:
            raise self._too_large()
        return message

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes: the client waits while nobody takes the next piece.

        Raises:
            TooLarge: It passes `body_limit`.
            ClientLeft: It ended early.
        """
        while not self._read_all:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                self._left = True
                raise ClientLeft
            self._read_all = not message.get("more_body", False)
            piece = cast("bytes", message.get("body") or b"")
            if piece:
                yield piece

    async def body(self) -> bytes:
        """Return the whole body.

        Raises:
            TooLarge: It passes `body_limit`.
            ClientLeft: It ended early.
        """
        pieces = [piece async for piece in self.chunks()]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def gone(self) -> None:
        """Return when the client has left. Only for a request whose body was read."""
        while not self._left:
            message = await self.receive()
            self._left = message["type"] == "http.disconnect"

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"the body is larger than {self.body_limit} bytes",
            field="body",
            value=self.length,
            remedy="send smaller references, or upload them as files first",
        )


class End(StrEnum):
    """How a delivery ended: the client was there for the last byte, or had left."""

    SERVED = "served"
    LEFT = "left"


Stream = AsyncIterator[bytes]
Delivered = Callable[[End], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back. `body` is whole, or a stream that is asked for its next piece as the client takes them.

    `length` announces a stream's length where it is known. `delivered` is told, once, whether the client
    was there for the last byte; a stream is closed before.
    """

    status: int = 200
    headers: Pairs = ()
    content_type: str | None = "application/json"
    body: bytes | Stream = b""
    length: int | None = None
    delivered: Delivered | None = None

    def with_headers(self, more: Pairs) -> "Answer":
        """Return this answer with further header fields."""
        return replace(self, headers=(*self.headers, *more))


class Reply:
    """Sends one answer, counting what left. `started` tells that its status is on the wire, `finished` that all is."""

    def __init__(self, request: Request, send: Send) -> None:
        """Send nothing yet."""
        self.started = False
        self.finished = False
        self.status = 0
        self.sent_bytes = 0
        self._request = request
        self._send = send

    async def watched(self, message: Message) -> None:
        """Pass a message of an inner ASGI application on, noting what left."""
        if message["type"] == "http.response.start":
            self.started = True
            self.status = cast("int", message["status"])
            fields = cast("Sequence[tuple[bytes, bytes]]", message.get("headers") or ())
            message["headers"] = [*fields, (b"x-request-id", self._request.id.encode())]
        elif message["type"] == "http.response.body":
            self.sent_bytes += len(cast("bytes", message.get("body") or b""))
            self.finished = not message.get("more_body", False)
        await self._send(message)

    async def send(self, answer: Answer) -> None:
        """Send `answer` to its end, or until the client leaves."""
        length = len(answer.body) if isinstance(answer.body, bytes) else answer.length
        end = End.LEFT
        try:
            await self.watched(
                {"type": "http.response.start", "status": answer.status, "headers": _fields(answer, length)}
            )
            if isinstance(answer.body, bytes):
                body = b"" if self._request.method == "HEAD" else answer.body
                await self.watched({"type": "http.response.body", "body": body})
                end = End.SERVED
            else:
                end = await self._stream(answer.body)
        finally:
            if answer.delivered is not None:
                await asyncio.shield(answer.delivered(end))

    async def _stream(self, stream: Stream) -> End:
        gone = asyncio.create_task(self._request.gone(), name="client-watch")
        try:
            async for piece in stream:
                if gone.done():
                    return End.LEFT
                await self.watched({"type": "http.response.body", "body": piece, "more_body": True})
            if gone.done():
                return End.LEFT
            await self.watched({"type": "http.response.body", "body": b""})
            return End.SERVED
        finally:
            gone.cancel()
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()


def _fields(answer: Answer, length: int | None) -> list[tuple[bytes, bytes]]:
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.content_type is not None:
        pairs.append((b"content-type", answer.content_type.encode("latin-1")))
    if length is not None:
        pairs.append((b"content-length", str(length).encode()))
    return pairs

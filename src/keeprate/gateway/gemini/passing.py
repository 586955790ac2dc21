"""What passes between a caller and an upstream besides the body: which headers go down, what goes up."""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from keeprate.domain.errors import KeeprateError, Unreachable, UpstreamError
from keeprate.domain.outcomes import FailureClass
from keeprate.domain.purposes import Lane
from keeprate.gateway.exchange import Answer, Pairs, Request
from keeprate.workflows.forwarding import Body, Errand, Forwarder, Incoming, Parcel
from keeprate.workflows.ports import SendFailure

# Of one connection, of another host, or ours to say.
_STAY: Final = frozenset(
    {
        "alt-svc", "connection", "content-encoding", "content-length", "content-type", "date", "keep-alive", "server",
        "set-cookie", "strict-transport-security", "te", "trailer", "transfer-encoding", "upgrade", "via",
        "www-authenticate", "x-request-id", "access-control-allow-origin",
    }
)  # fmt: skip
ERRAND_TIMEOUT_S: Final = 600
JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A body, read once. Its hash was taken while it came."""

    body: bytes | memoryview
    sha256: str


async def gathered(request: Request) -> Gathered:
    """Return the body of a request, held once however it came in pieces.

    Raises:
        TooLarge: It passes the door's limit.
        ClientLeft: It ended early.
    """
    digest = hashlib.sha256()
    first: bytes | None = None
    whole: bytearray | None = None
    async for piece in request.chunks():
        digest.update(piece)
        if first is None:
            first = piece
            continue
        if whole is None:
            whole = bytearray(first)
        whole += piece
    body = memoryview(whole) if whole is not None else first or b""
    return Gathered(body=body, sha256=digest.hexdigest())


def downward(headers: Mapping[str, str]) -> Pairs:
    """Return the upstream's header fields that are the caller's to see."""
    return [
        (name, value)
        for name, value in headers.items()
        if name.lower() not in _STAY and not name.lower().startswith("x-keeprate-")
    ]


async def errand_run(
    forwarder: Forwarder,
    errand: Errand,
    *,
    method: str,
    headers: Mapping[str, str] | None = None,
    body: Body = b"",
    length: int = 0,
) -> "Run":
    """Send a call that costs nothing and return its answer as it begins.

    Raises:
        Unreachable: Nothing was sent.
        UpstreamError: No answer came.
    """
    parcel = Parcel(
        upstream=forwarder.upstream,
        method=method,
        address=forwarder.address(errand),
        headers=headers or {},
        body=body,
        length=length,
        lane=Lane.LIVE,
        timeout_s=ERRAND_TIMEOUT_S,
    )
    stack = AsyncExitStack()
    try:
        incoming = await stack.enter_async_context(forwarder.forward(parcel))
    except SendFailure as failure:
        raise no_answer(failure) from failure
    return Run(incoming, stack)


class Run:
    """An errand's answer on its way. It is taken once: whole, or as it comes."""

    def __init__(self, incoming: Incoming, stack: AsyncExitStack) -> None:
        """Keep the connection open until the answer was taken."""
        self.status = incoming.status
        self.headers = incoming.headers
        self._incoming = incoming
        self._stack = stack

    async def whole(self) -> bytes:
        """Return all of the body.

        Raises:
            UpstreamError: The connection was lost.
        """
        async with self._stack:
            try:
                return b"".join([data async for data in self._incoming.slices])
            except SendFailure as failure:
                raise no_answer(failure) from failure

    def answer(self, *, headers: Pairs = ()) -> Answer:
        """Return the answer as it comes, with the upstream's status and header fields."""
        told = self.headers.get("Content-Length", "")
        return Answer(
            status=self.status,
            headers=(*downward(self.headers), *headers),
            content_type=self.headers.get("Content-Type"),
            body=self._slices(),
            length=int(told) if told.isdecimal() else None,
        )

    async def _slices(self) -> AsyncGenerator[bytes]:
        async with self._stack:
            try:
                async for data in self._incoming.slices:
                    yield data
            except SendFailure as failure:
                raise no_answer(failure) from failure


def no_answer(failure: SendFailure) -> KeeprateError:
    """Return what a caller is told where a call that costs nothing brought no answer."""
    why = failure.outcome.message or failure.outcome.raw_reason
    if failure.failure is FailureClass.NOT_SENT:
        return Unreachable(f"the upstream cannot be reached: {why}", remedy="try again")
    return UpstreamError(f"the upstream gave no answer: {why}", remedy="try again")

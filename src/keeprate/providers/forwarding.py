"""A call passed on as it came, once, and its answer while it comes.

The same line between sent and not sent as in `sending.py`, on the same kind of session.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from keeprate.providers.sending import (
    CONNECT_TIMEOUT_S,
    LARGEST_REPLY,
    LOST,
    NOTHING_SENT,
    SLICE,
    lost,
    not_sent,
    unknown,
)
from keeprate.safety.failpoints import failpoint
from keeprate.workflows.forwarding import Body, Incoming, Parcel


@asynccontextmanager
async def forwarded(
    http: aiohttp.ClientSession, parcel: Parcel, headers: Mapping[str, str]
) -> AsyncGenerator[Incoming]:
    """Send `parcel` once and give whatever comes back. Redirects are not followed: they would take the key along.

    Raises:
        SendFailure: Nothing was sent, or the connection was lost before an answer began.
    """
    failpoint("providers.send.before_connect")
    try:
        response = await http.request(
            parcel.method,
            parcel.upstream.base_url.rstrip("/") + parcel.address,
            data=None if parcel.method in {"GET", "DELETE"} else _in_pieces(parcel.body),
            headers={"Content-Length": str(parcel.length), **headers} if parcel.length else headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=parcel.timeout_s, connect=CONNECT_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S
            ),
        )
    except NOTHING_SENT as fault:
        raise not_sent(fault) from fault
    except LOST as fault:
        raise lost(fault) from fault
    async with response:
        failpoint("providers.send.after_headers")
        yield Incoming(status=response.status, headers=response.headers, slices=_slices(response))


async def _slices(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes]:
    count = 0
    try:
        async for data in response.content.iter_chunked(SLICE):
            count += len(data)
            if count > LARGEST_REPLY:
                raise unknown("reply_too_large", f"more than {LARGEST_REPLY} bytes came")
            yield data
            failpoint("providers.send.after_chunk")
    except LOST as fault:
        raise lost(fault) from fault
    failpoint("providers.send.after_last_chunk")
    framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if count == 0 and not framed:
        # Its end is the connection's end, so nothing tells an empty reply from a lost one.
        raise unknown("connection_lost", "the connection closed before a reply came")


def _in_pieces(body: Body) -> bytes | AsyncIterator[bytes] | None:
    """Return the body as aiohttp takes it without a copy: a large one goes out a slice at a time."""
    if isinstance(body, AsyncIterator):
        return body
    if len(body) <= SLICE:
        return bytes(body) or None
    return _cut(memoryview(body))


async def _cut(view: memoryview) -> AsyncGenerator[bytes]:
    for at in range(0, len(view), SLICE):
        yield bytes(view[at : at + SLICE])

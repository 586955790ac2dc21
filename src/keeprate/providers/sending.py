"""One POST, sent once: which failures prove that nothing left, and which may hide a paid picture.

Nothing was sent when aiohttp failed to *get* a connection: name, connect, TLS, certificate, or their
timeout (its connector raises these, and only its connector). From the first written byte on, every failure
is `unknown`. A reused connection would blur that line: a server may close an idle one just as we write. So
the session opens a connection for each call and reuses none. aiohttp re-sends by itself only idempotent
methods on a reused connection; a POST never (aiohttp 3.14 client.py, `IDEMPOTENT_METHODS`).
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

import aiohttp

from keeprate.domain.errors import ConfigError, StorageError
from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.domain.routes import Upstream
from keeprate.safety.failpoints import failpoint
from keeprate.workflows.ports import Outgoing, Reply, SendFailure, SpoolFile

CONNECT_TIMEOUT_S: Final = 10.0
# A body larger than any set of pictures is not read to its end: a disk is finite.
LARGEST_REPLY: Final = 512 * 1024 * 1024
_LARGEST_REFUSAL: Final = 256 * 1024
SLICE: Final = 64 * 1024

# A name that does not resolve or a port that refuses may do so only now; a certificate stays wrong.
NOTHING_SENT: Final = (
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientConnectorError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.InvalidURL,
)
LOST: Final = (aiohttp.ClientError, TimeoutError, OSError)

# (status, headers, start of the body) → what a surface's refusal means for money
Refusal = Callable[[int, Mapping[str, str], bytes], SendFailure]


def paid_session() -> aiohttp.ClientSession:
    """Return a session fit for calls that cost money: no reuse, no cookies, no limit of its own."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        # A picture does not get smaller by gzip, and an unpacked reply could outgrow any limit.
        headers={"Accept-Encoding": "identity"},
        read_bufsize=2 * SLICE,
    )


def checked_address(upstream: Upstream) -> Upstream:
    """Return `upstream` if its base URL leads nowhere but to its host.

    Raises:
        ConfigError: Not a plain http or https address.
    """
    plain = upstream.base_url.startswith(("https://", "http://"))
    if not plain or any(mark in upstream.base_url for mark in "?#@\\ "):
        raise ConfigError(
            f"the base URL of upstream {upstream.name!r} is not a plain http or https address",
            field="base_url",
            value=upstream.base_url,
            remedy="write it like https://generativelanguage.googleapis.com, without user, query or fragment",
        )
    return upstream


def checked_session(http: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Return `http` if a failure on it can be told to be before or after sending.

    Raises:
        ConfigError: It may reuse connections.
    """
    if http.connector is None or not http.connector.force_close:
        raise ConfigError(
            "paid calls need a session that reuses no connection",
            field="http",
            remedy="open it with keeprate.providers.table.paid_session()",
        )
    return http


async def send_once(
    http: aiohttp.ClientSession,
    call: Outgoing,
    *,
    headers: Mapping[str, str],
    into: SpoolFile,
    refusal: Refusal,
) -> Reply:
    """POST the call and spool the reply as it comes. Redirects are not followed: they would take the key along.

    `refusal` reads the surface's answers other than 200.

    Raises:
        SendFailure: Anything but a complete 200. What came of a 200 is kept, marked incomplete.
    """
    try:
        failpoint("providers.send.before_connect")
        try:
            async with _posted(http, call, headers) as response:
                failpoint("providers.send.after_headers")
                if response.status != 200:
                    raise refusal(response.status, response.headers, await start_of(response))
                await _spool(response, into)
                served = response.headers
        except asyncio.CancelledError:
            _abandon(into)
            raise
        return await _complete(served, into)
    except SendFailure:
        _abandon(into)
        raise
    except NOTHING_SENT as fault:
        _abandon(into)
        raise not_sent(fault) from fault
    except LOST as fault:
        _abandon(into)
        raise lost(fault) from fault


async def _complete(served: Mapping[str, str], into: SpoolFile) -> Reply:
    """Flush the spool off the loop. Once begun it runs to its end, also when the caller leaves."""
    try:
        return await asyncio.to_thread(
            into.complete,
            content_type=served.get("Content-Type", ""),
            served_tier=served.get("x-gemini-service-tier"),
            request_id=served.get("x-request-id") or served.get("x-goog-request-id"),
        )
    except (OSError, StorageError) as fault:
        raise unknown("spool_failed", str(fault)) from fault


def _abandon(into: SpoolFile) -> None:
    # A disk that fails here must not hide what the call's own failure means for money.
    with suppress(OSError, StorageError):
        into.abandon()


def _posted(
    http: aiohttp.ClientSession, call: Outgoing, headers: Mapping[str, str]
) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    return http.post(
        call.upstream.base_url.rstrip("/") + call.path,
        data=call.body,
        headers={"Content-Type": "application/json", **headers},
        allow_redirects=False,
        timeout=aiohttp.ClientTimeout(
            total=call.timeout_s, connect=CONNECT_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S
        ),
    )


async def _spool(response: aiohttp.ClientResponse, into: SpoolFile) -> None:
    count = 0
    async for data in response.content.iter_chunked(SLICE):
        count += len(data)
        if count > LARGEST_REPLY:
            raise unknown("reply_too_large", f"more than {LARGEST_REPLY} bytes came")
        try:
            into.write(data)
        except (OSError, StorageError) as fault:
            raise unknown("spool_failed", str(fault)) from fault
        failpoint("providers.send.after_chunk")
    failpoint("providers.send.after_last_chunk")
    framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if count == 0 and not framed:
        # Its end is the connection's end, so nothing tells an empty reply from a lost one.
        raise unknown("connection_lost", "the connection closed before a reply came")


async def start_of(response: aiohttp.ClientResponse) -> bytes:
    """Return the first part of a refusal. Its status is known, so a body cut short changes nothing."""
    body = bytearray()
    try:
        async for data in response.content.iter_chunked(SLICE):
            body += data
            if len(body) >= _LARGEST_REFUSAL:
                break
    except LOST:
        return bytes(body)
    return bytes(body)


def not_sent(fault: Exception) -> SendFailure:
    reason = _hindrance(fault)
    final = isinstance(fault, aiohttp.ClientConnectorCertificateError | aiohttp.InvalidURL)
    return SendFailure(
        FailureClass.NOT_SENT,
        Outcome(kind=OutcomeKind.FAILED, raw_reason=reason, message=_why_not_sent(fault, reason)),
        http_status=None,
        retry_after_s=None,
        is_final=final,
    )


def unknown(reason: str, message: str | None) -> SendFailure:
    return SendFailure(
        FailureClass.UNKNOWN,
        Outcome(kind=OutcomeKind.UNKNOWN, raw_reason=reason, message=message),
        http_status=None,
        retry_after_s=None,
        is_final=False,
    )


def _hindrance(fault: Exception) -> str:
    match fault:
        case aiohttp.ConnectionTimeoutError():
            return "connect_timeout"
        case aiohttp.ClientConnectorDNSError():
            return "name_not_found"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ServerFingerprintMismatch():
            return "certificate"
        case aiohttp.ClientSSLError():
            return "tls"
        case aiohttp.InvalidURL():
            return "bad_address"
        case _:
            return "cannot_connect"


def _why_not_sent(fault: Exception, reason: str) -> str:
    """Return the hindrance in words; those of the HTTP library are for its own developers."""
    where = getattr(fault, "host", None) or "the upstream's address"
    return {
        "connect_timeout": f"{where} did not answer the connection within {CONNECT_TIMEOUT_S:g} s",
        "name_not_found": f"no host is called {where}",
        "certificate": f"the certificate of {where} is not one to trust",
        "tls": f"no encrypted connection to {where} could be agreed on",
        "bad_address": "the upstream's base_url is no address",
    }.get(reason, f"{where} takes no connection")


def lost(fault: Exception) -> SendFailure:
    """Return what a call is that broke off once a byte had left."""
    match fault:
        case TimeoutError():
            return unknown("timeout", "no whole answer came within the time allowed")
        case aiohttp.ClientPayloadError():
            return unknown("truncated", "the answer broke off before its end")
        case _:
            return unknown("connection_lost", "the connection was lost before a whole answer came")

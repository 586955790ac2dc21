"""How an answer's bytes reach the caller, or fail to."""

import asyncio
import json
from collections.abc import Mapping

from aiohttp import web

from keeprate_emulator.faults import Fault
from keeprate_emulator.refusals import Refusal
from keeprate_emulator.turned_away import proxy_page, refusal_for
from keeprate_emulator.wire import encoded

_JSON = {"Content-Type": "application/json; charset=UTF-8"}


async def turned_away(request: web.Request, fault: Fault, model_id: str) -> web.StreamResponse:
    """Answer a call that is not accepted (or, with `billed`, that looks so)."""
    await waited(fault)
    if fault.kind == "drop_before_accept":
        return hung_up(request)
    if fault.kind == "recorded":
        return _recorded(fault)
    if fault.kind == "proxy_error":
        return web.Response(status=fault.code, body=proxy_page(fault.code), content_type="text/html")
    refusal = refusal_for(fault, model_id)
    headers = {"Retry-After": str(fault.retry_after_s)} if fault.retry_after_s else None
    return refused(refusal, headers)


def refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error answer as Google lays it out: indented JSON."""
    return web.Response(
        status=refusal.code,
        body=json.dumps(refusal.body(), indent=2).encode() + b"\n",
        headers={**_JSON, **(headers or {})},
    )


async def waited(fault: Fault) -> None:
    """Sleep as long as the fault says."""
    if fault.latency_ms:
        await asyncio.sleep(fault.latency_ms / 1000)


def hung_up(request: web.Request) -> web.Response:
    """Close the connection without a byte."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def whole(
    request: web.Request, body: Mapping[str, object], fault: Fault, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Deliver one document, damaged as the fault says."""
    if fault.kind == "recorded":
        return _recorded(fault)
    content = _damaged(encoded(body), fault)
    if fault.kind == "cut_body":
        return await _cut(request, content, fault.keep, headers)
    return web.Response(body=content, headers={**_JSON, **headers})


async def streamed(
    request: web.Request,
    documents: list[dict[str, object]],
    fault: Fault,
    *,
    sse: bool,
    headers: Mapping[str, str],
) -> web.StreamResponse:
    """Deliver the documents of a stream: events with `alt=sse`, else one JSON array.

    Each event is `data: ` and a document on one line, then CR LF CR LF; the end of the body is the end of the
    stream, with no closing event. The vendor's client is no event-stream parser: a comment would break it.
    """
    if fault.kind == "recorded":
        return _recorded(fault)
    content = _events(documents, fault) if sse else b"[" + b",\r\n".join(map(encoded, documents)) + b"]"
    content = _damaged(content, fault)
    kind = "text/event-stream" if sse else "application/json; charset=UTF-8"
    if fault.kind == "cut_body":
        return await _cut(request, content, fault.keep, {**headers, "Content-Type": kind})
    response = web.StreamResponse(headers={"Content-Type": kind, **headers})
    await response.prepare(request)
    for event in content.splitlines(keepends=True) if sse else [content]:
        await response.write(event)
    await response.write_eof()
    return response


def _recorded(fault: Fault) -> web.Response:
    return web.Response(
        status=fault.code or 200, body=fault.body.encode(), headers={**_JSON, **fault.headers}
    )


def _events(documents: list[dict[str, object]], fault: Fault) -> bytes:
    if fault.kind == "stream_error":
        # The error must be the first member, and it takes the place of the last chunk.
        documents = [*documents[:-1], refusal_for(fault, "").body()]
    return b"".join(b"data: " + encoded(document) + b"\r\n\r\n" for document in documents)


def _damaged(content: bytes, fault: Fault) -> bytes:
    kept = int(len(content) * fault.keep)
    if fault.kind == "empty_body":
        return b""
    if fault.kind == "truncated_json":
        return content[:kept]
    if fault.kind == "lost_middle":
        # An odd number, so that base64 inside cannot stay whole by accident.
        return content[:kept] + content[kept + 1021 :]
    return content


async def _cut(
    request: web.Request, content: bytes, keep: float, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Promise the whole length, send a part, and close the connection."""
    response = web.StreamResponse(headers={**_JSON, **headers})
    response.content_length = len(content)
    await response.prepare(request)
    await response.write(content[: max(1, int(len(content) * keep))])
    if request.transport is not None:
        request.transport.close()
    return response

"""Every recorded answer, bought over HTTP by the whole provider, and a reply cut at many places."""

import asyncio
import json
import tracemalloc
from pathlib import Path

import aiohttp
import pybase64
import pytest

from keeprate.catalogue.cards import Transport
from keeprate.domain.outcomes import FailureClass, OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import Upstream
from keeprate.providers.credentials import ApiKey
from keeprate.providers.gemini import client as gemini
from keeprate.providers.google.provider import GoogleProvider
from keeprate.providers.shapes import CallShape, ConnectOptions
from keeprate.providers.table import paid_session
from keeprate.providers.vertex import client as vertex
from keeprate.workflows.ports import Answer, Reply, SendFailure
from tests.contract_server import ContractServer, Sample, contract_server, sample, samples
from tests.trust_counts import count, record
from tests.unit.providers.build import ask, upstream
from tests.unit.providers.raw_server import raw_server, says
from tests.unit.providers.spooling import OneFile

pytestmark = pytest.mark.anyio


async def test_every_recorded_answer_is_typed_over_http(tmp_path: Path) -> None:
    shown = samples("replies")
    typed = 0
    async with contract_server() as server, paid_session() as http:
        for entry in shown:
            server.show("replies", entry.name)
            answer = await _bought(entry, server, http, tmp_path)
            expect = entry.content["expect"]
            assert answer.outcome.kind == expect["outcome"], entry.name
            assert answer.outcome.raw_reason == expect.get("raw_reason"), entry.name
            assert len(answer.images) == expect["images"], entry.name
            typed += 1
        assert len(server.received) == len(shown)
    record("recorded answer shapes typed", typed, "40 or more, all", met=typed == len(shown) >= 40)


async def test_every_recorded_refusal_is_classed_over_http(tmp_path: Path) -> None:
    shown = samples("refusals")
    async with contract_server() as server, paid_session() as http:
        for entry in shown:
            server.show("refusals", entry.name)
            with pytest.raises(SendFailure) as caught:
                await _bought(entry, server, http, tmp_path)
            assert caught.value.failure == entry.content["expect"]["failure"], entry.name
            assert caught.value.outcome.raw_reason == entry.content["expect"]["raw_reason"], entry.name
        assert len(server.received) == len(shown)


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_a_reply_cut_anywhere_is_never_taken_for_whole(tmp_path: Path, framing: str) -> None:
    whole = _framed(sample("replies", "image").body, framing)
    # A chunked reply whose pieces are all there but for its closing line break is whole in all that matters.
    places = range(
        0,
        len(whole) - (2 if framing == "chunked" else 0),
        max(1, len(whole) // count(f"cut-{framing}", 40, 400)),
    )
    for place in places:
        async with raw_server(says(whole[:place])) as server, paid_session() as http:
            provider = gemini.connect(upstream(server.url), ApiKey("k"), http, _options())
            outcome = await _outcome_of(provider, tmp_path)
            assert outcome == FailureClass.UNKNOWN, place
            assert server.requests == 1, place
    record(f"cut replies taken for whole ({framing})", 0, "0", met=True)


async def test_a_large_picture_is_understood_in_little_more_than_its_own_memory(tmp_path: Path) -> None:
    size = 6_000_000
    document = json.loads(sample("replies", "image").body)
    blob = document["candidates"][0]["content"]["parts"][0]["inlineData"]
    blob["data"] = pybase64.b64encode(bytes(size)).decode()
    spooled = OneFile(tmp_path)
    spooled.write(json.dumps(document).encode())
    reply = spooled.complete(content_type="application/json", served_tier=None, request_id=None)
    async with paid_session() as http:
        provider = gemini.connect(upstream(), ApiKey("k"), http, _options())
        tracemalloc.start()
        answer = provider.understand(reply, ask().route)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert len(answer.images[0].content) == size
    record(
        "heap to understand a picture, in pictures",
        round(peak / size, 2),
        "1.1 or less",
        met=peak <= 1.1 * size,
    )
    assert peak <= 1.1 * size


def _options(transport: Transport = Transport.GENERATE_CONTENT) -> ConnectOptions:
    return ConnectOptions(shape_of=lambda route: CallShape(transport=transport))


async def _bought(entry: Sample, server: ContractServer, http: aiohttp.ClientSession, folder: Path) -> Answer:
    on_vertex = entry.content["surface"] == "vertex"
    place: Upstream = upstream(server.url, vertex=on_vertex)
    options = _options(Transport(entry.content.get("method", "generateContent")))
    provider = (vertex if on_vertex else gemini).connect(place, ApiKey("k"), http, options)
    reply = await _sent(provider, folder)
    return await asyncio.to_thread(provider.understand, reply, ask().route)


async def _sent(provider: GoogleProvider, folder: Path) -> Reply:
    asked = ask()
    call = provider.outgoing(
        asked.request,
        route=asked.route,
        lane=Lane.LIVE,
        images=1,
        max_output_tokens=None,
        materials=asked.materials,
    )
    return await provider.send(call, attempt_id="a-1", into=OneFile(folder))


async def _outcome_of(provider: GoogleProvider, folder: Path) -> FailureClass | OutcomeKind:
    """Return the class of the failure; a reply that reads as `unknown` counts as that class."""
    try:
        reply = await _sent(provider, folder)
    except SendFailure as failure:
        return failure.failure
    kind = provider.understand(reply, ask().route).outcome.kind
    return FailureClass.UNKNOWN if kind is OutcomeKind.UNKNOWN else kind


def _framed(body: bytes, framing: str) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    if framing == "length":
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    if framing == "close":
        return head + b"\r\n" + body
    return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"

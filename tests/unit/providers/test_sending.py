"""One call over real sockets: which failures prove that nothing left, and which may hide a paid picture."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from keeprate.domain.errors import ConfigError
from keeprate.domain.outcomes import FailureClass, OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.providers.credentials import ApiKey
from keeprate.providers.gemini.client import connect
from keeprate.providers.google.provider import GoogleProvider
from keeprate.providers.shapes import CallShape, ConnectOptions
from keeprate.providers.table import paid_session
from keeprate.workflows.ports import Outgoing, SendFailure
from tests.contract_server import contract_server
from tests.unit.providers.build import ask, upstream
from tests.unit.providers.raw_server import Behaviour, hangs, raw_server, resets, says
from tests.unit.providers.spooling import DyingDisk, FullDisk, OneFile

pytestmark = pytest.mark.anyio

SECRET = "AIza-a-key-that-must-not-show"


@asynccontextmanager
async def provider_at(url: str, *, simulated: bool = False) -> AsyncIterator[GoogleProvider]:
    options = ConnectOptions(shape_of=lambda route: CallShape(), user_agent="keeprate/1.2.3")
    async with paid_session() as http:
        yield connect(upstream(url, simulated=simulated), ApiKey(SECRET), http, options)


def call_of(provider: GoogleProvider, *, lane: Lane = Lane.LIVE, timeout_s: int = 180) -> Outgoing:
    asked = ask()
    call = provider.outgoing(
        asked.request,
        route=asked.route,
        lane=lane,
        images=1,
        max_output_tokens=2000,
        materials=asked.materials,
    )
    return replace(call, timeout_s=timeout_s)


async def failure_at(url: str, into: OneFile, *, timeout_s: int = 180) -> SendFailure:
    async with provider_at(url) as provider:
        with pytest.raises(SendFailure) as caught:
            await provider.send(call_of(provider, timeout_s=timeout_s), attempt_id="a-1", into=into)
    return caught.value


async def test_a_picture_is_bought_spooled_and_understood(tmp_path: Path) -> None:
    into = OneFile(tmp_path)
    async with contract_server() as server, provider_at(server.url) as provider:
        call = call_of(provider)
        reply = await provider.send(call, attempt_id="a-1", into=into)
        answer = await asyncio.to_thread(provider.understand, reply, call.route)
    assert into.ended == "complete"
    assert reply.body_path.read_bytes() == server.shown.body
    assert answer.outcome.kind is OutcomeKind.IMAGE
    assert answer.images[0].content.startswith(b"\x89PNG")
    got = server.received[0]
    assert got.path == "/v1beta/models/gemini-3-pro-image:generateContent"
    assert got.body == call.body
    assert got.headers["x-goog-api-key"] == SECRET
    assert got.headers["user-agent"] == "keeprate/1.2.3"
    assert "x-keeprate-attempt" not in got.headers
    assert "cookie" not in got.headers
    assert call.added == ("generationConfig.maxOutputTokens",)
    assert json.loads(call.body)["generationConfig"]["maxOutputTokens"] == 2000


async def test_only_a_simulated_upstream_is_told_the_attempt(tmp_path: Path) -> None:
    async with contract_server() as server, provider_at(server.url, simulated=True) as provider:
        await provider.send(call_of(provider), attempt_id="a-1", into=OneFile(tmp_path))
    assert server.received[0].headers["x-keeprate-attempt"] == "a-1"


async def test_the_headers_of_a_reply_are_kept(tmp_path: Path) -> None:
    async with contract_server() as server, provider_at(server.url) as provider:
        server.show("replies", "image_priority_served_as_standard")
        call = call_of(provider, lane=Lane.PRIORITY)
        reply = await provider.send(call, attempt_id="a-1", into=OneFile(tmp_path))
        assert reply.served_tier == "standard"
        assert provider.understand(reply, call.route).served_lane is Lane.LIVE
    assert json.loads(server.received[0].body)["serviceTier"] == "priority"


async def test_a_large_reply_comes_in_slices(tmp_path: Path) -> None:
    into = OneFile(tmp_path)
    body = b"x" * 8_000_000
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with raw_server(says(head + body)) as server, provider_at(server.url) as provider:
        await provider.send(call_of(provider), attempt_id="a-1", into=into)
    assert sum(into.slices) == len(body)
    assert max(into.slices) <= 64 * 1024


async def test_a_refused_connection_proves_that_nothing_was_sent(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: the port refuses
        into = OneFile(tmp_path)
        failure = await failure_at(f"http://127.0.0.1:{taken.getsockname()[1]}", into)
    assert failure.failure is FailureClass.NOT_SENT
    assert failure.outcome.raw_reason == "cannot_connect"
    assert not failure.is_final
    assert into.ended == "abandoned"


async def test_a_name_that_does_not_resolve_proves_it_too(tmp_path: Path) -> None:
    failure = await failure_at("http://no-such-host.invalid", OneFile(tmp_path))
    assert failure.failure is FailureClass.NOT_SENT
    assert failure.outcome.raw_reason == "name_not_found"


async def test_a_failed_handshake_proves_it_too(tmp_path: Path) -> None:
    async def speak_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no TLS\r\n")
        writer.close()

    listening = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    failure = await failure_at(f"https://127.0.0.1:{port}", OneFile(tmp_path))
    listening.close()
    assert failure.failure is FailureClass.NOT_SENT
    assert failure.outcome.raw_reason == "tls"
    assert failure.outcome.message == "no encrypted connection to 127.0.0.1 could be agreed on"


async def test_a_web_page_is_told_by_its_title(tmp_path: Path) -> None:
    page = b"<html><head><title>502 Bad\n Gateway</title></head><body><hr>nginx</body></html>"
    head = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n" % len(page)
    async with raw_server(says(head + page)) as server:
        failure = await failure_at(server.url, OneFile(tmp_path))
    assert failure.outcome.message == "a web page came: 502 Bad Gateway"


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (resets(), "connection_lost"),
        (says(b""), "connection_lost"),
        (says(b"HTTP/1.1 200 OK\r\n\r\n"), "connection_lost"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), "truncated"),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"can"), "truncated"),
        (says(b"not http at all\r\n\r\n"), "connection_lost"),
        (says(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"), "http_502"),
        (says(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"), "http_503"),
        (says(b"HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n"), "http_504"),
        (says(b"HTTP/1.1 204 No Content\r\n\r\n"), "http_204"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nTransfer-Encoding: chunked\r\n\r\n"), "connection_lost"),
    ],
)  # fmt: skip
async def test_once_a_byte_has_left_a_failure_is_unknown_and_sent_once(
    tmp_path: Path, behave: Behaviour, reason: str
) -> None:
    into = OneFile(tmp_path)
    async with raw_server(behave) as server:
        failure = await failure_at(server.url, into)
        assert (server.connections, server.requests) == (1, 1)
    assert failure.failure is FailureClass.UNKNOWN
    assert failure.outcome.kind is OutcomeKind.UNKNOWN
    assert failure.outcome.raw_reason == reason
    assert not any(leak in (failure.outcome.message or "") for leak in ("message=", "Error", "url="))
    assert into.ended == "abandoned"


async def test_a_reply_that_does_not_come_in_time_is_unknown(tmp_path: Path) -> None:
    async with raw_server(hangs(5)) as server:
        failure = await failure_at(server.url, OneFile(tmp_path), timeout_s=1)
    assert failure.failure is FailureClass.UNKNOWN
    assert failure.outcome.raw_reason == "timeout"


async def test_a_disk_that_fails_leaves_the_outcome_unknown(tmp_path: Path) -> None:
    async with contract_server() as server:
        failure = await failure_at(server.url, FullDisk(tmp_path))
    assert failure.failure is FailureClass.UNKNOWN
    assert failure.outcome.raw_reason == "spool_failed"


async def test_a_disk_that_dies_hides_no_failure(tmp_path: Path) -> None:
    async with contract_server() as server:
        failure = await failure_at(server.url, DyingDisk(tmp_path))
        assert (failure.failure, failure.outcome.raw_reason) == (FailureClass.UNKNOWN, "spool_failed")
        server.show("refusals", "404_not_found")
        failure = await failure_at(server.url, DyingDisk(tmp_path))
        assert failure.failure is FailureClass.REFUSED_FREE
    failure = await failure_at("http://no-such-host.invalid", DyingDisk(tmp_path))
    assert failure.failure is FailureClass.NOT_SENT


async def test_a_redirect_is_not_followed_and_costs_nothing(tmp_path: Path) -> None:
    async with contract_server() as elsewhere:
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {elsewhere.url}/\r\nContent-Length: 0\r\n\r\n"
        async with raw_server(says(moved.encode())) as server:
            failure = await failure_at(server.url, OneFile(tmp_path))
        assert elsewhere.received == []
    assert failure.failure is FailureClass.REFUSED_FREE
    assert failure.is_final


async def test_each_paid_call_has_a_connection_of_its_own(tmp_path: Path) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    async with raw_server(says(said)) as server, provider_at(server.url) as provider:
        for _ in range(3):
            await provider.send(call_of(provider), attempt_id="a-1", into=OneFile(tmp_path))
        assert (server.connections, server.requests) == (3, 3)


async def test_a_cancelled_call_keeps_what_came(tmp_path: Path) -> None:
    into = OneFile(tmp_path)
    async with raw_server(hangs(5)) as server, provider_at(server.url) as provider:
        task = asyncio.create_task(provider.send(call_of(provider), attempt_id="a-1", into=into))
        await server.heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert into.ended == "abandoned"


async def test_a_session_that_reuses_connections_is_refused() -> None:
    options = ConnectOptions(shape_of=lambda route: CallShape())
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ConfigError, match="reuses no connection"):
            connect(upstream(), ApiKey("k"), http, options)


@pytest.mark.parametrize(
    "url", ["ftp://host", "host", "https://u:p@host", "https://host?x=1", "https://host#x"]
)
async def test_an_address_that_could_lead_the_key_astray_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="base URL"):
        async with provider_at(url):
            pass


async def test_the_key_shows_in_no_text(tmp_path: Path) -> None:
    async with provider_at("http://127.0.0.1:9") as provider:
        assert SECRET not in repr(provider)
    failure = await failure_at("http://127.0.0.1:9", OneFile(tmp_path))
    assert SECRET not in repr(failure) + str(failure.__cause__)


async def test_a_certificate_nobody_vouches_for_is_final(tmp_path: Path, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    failure = await failure_at(f"https://127.0.0.1:{port}", OneFile(tmp_path))
    listening.close()
    assert failure.failure is FailureClass.NOT_SENT
    assert failure.outcome.raw_reason == "certificate"
    assert failure.is_final

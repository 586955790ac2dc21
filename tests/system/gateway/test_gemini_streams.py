"""Large answers on their way: they arrive as they came, and nothing that happens to the client loses them."""

import asyncio
import json
import signal
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest
import uvicorn

from keeprate.domain.attempts import Attempt
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.scopes import LOCAL_OWNER
from tests.gateway_ground import Gateway, open_gateway
from tests.gateway_process import start_gateway
from tests.slow_upstream import SlowUpstream, large_png, reply_with

pytestmark = pytest.mark.anyio

BODY = json.dumps({"contents": [{"role": "user", "parts": [{"text": "a lamp"}]}]}).encode()
GENERATE = "/v1beta/models/gemini-3-pro-image:generateContent"
PICTURE = large_png(3_000_000)
REPLY = reply_with(PICTURE)


@asynccontextmanager
async def listening(folder: Path, url: str) -> AsyncGenerator[tuple[Gateway, int]]:
    """Serve a gateway on a socket of this process."""
    async with open_gateway(folder, url) as gateway:
        config = uvicorn.Config(
            gateway.app, port=0, log_config=None, lifespan="off", ws="none", access_log=False
        )  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 (uvicorn offers nothing to wait for)
            await asyncio.sleep(0.01)
        try:
            yield gateway, server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def asked(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, dict[str, str]]:
    """Send a call and return what it is answered with so far: its header fields."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    writer.write(
        f"POST {GENERATE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    return reader, writer, fields | {"status": head[0].split()[1]}


async def settled(gateway: Gateway) -> Attempt:
    """Return the one row once nothing is under way."""
    await gateway.house.means.till.drain()
    (row,) = await gateway.house.ledger.attempts(LOCAL_OWNER, unknown_only=False, limit=9, intent=None)
    return row


async def test_an_image_goes_on_while_it_comes_and_its_last_slice_waits_for_the_books(tmp_path: Path) -> None:
    with SlowUpstream(REPLY) as upstream:
        async with listening(tmp_path, upstream.url) as (gateway, port):
            reader, writer, fields = await asked(port)
            early = await reader.readexactly(len(REPLY) // 2 - 200_000)
            upstream.gate.set()
            rest = await reader.readexactly(len(REPLY) - len(early))
            (row,) = await gateway.house.ledger.attempts(
                LOCAL_OWNER, unknown_only=False, limit=9, intent=None
            )
            stored = await gateway.house.means.till.assets.read("default", row.image_sha256s[0])
            writer.close()
    assert early + rest == REPLY
    assert (fields["status"], fields["x-keeprate-outcome"], fields["content-length"]) == (
        "200", "image", str(len(REPLY)),
    )  # fmt: skip
    assert "x-keeprate-cost-usd" not in fields
    assert row.state is AttemptState.IMAGE  # booked before the last byte could be read
    assert stored == PICTURE
    assert list((tmp_path / "home" / "spool").iterdir()) == []


async def test_a_client_that_leaves_half_way_loses_nothing_that_was_paid_for(tmp_path: Path) -> None:
    with SlowUpstream(REPLY) as upstream:
        async with listening(tmp_path, upstream.url) as (gateway, port):
            reader, writer, _ = await asked(port)
            await reader.readexactly(200_000)
            writer.transport.abort()
            await asyncio.sleep(0.1)
            upstream.gate.set()
            row = await settled(gateway)
            stored = await gateway.house.means.till.assets.read("default", row.image_sha256s[0])
    assert (row.state, row.held, upstream.accepted) == (AttemptState.IMAGE, 0, 1)
    assert stored == PICTURE


async def test_a_client_that_leaves_before_the_answer_loses_nothing_either(tmp_path: Path) -> None:
    with SlowUpstream(REPLY) as upstream:
        async with listening(tmp_path, upstream.url) as (gateway, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"POST {GENERATE} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(BODY)}\r\n\r\n"
            writer.write(head.encode() + BODY)
            await writer.drain()
            while not gateway.house.means.till.running:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            writer.transport.abort()
            upstream.gate.set()
            row = await settled(gateway)
    assert (row.state, upstream.accepted) == (AttemptState.IMAGE, 1)


async def test_an_answer_that_is_cut_off_breaks_the_connection_and_stays_unknown(tmp_path: Path) -> None:
    with SlowUpstream(REPLY, missing=1000) as upstream:
        upstream.gate.set()
        async with listening(tmp_path, upstream.url) as (gateway, port):
            reader, writer, fields = await asked(port)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.readexactly(len(REPLY))
            writer.close()
            row = await settled(gateway)
    assert fields["status"] == "200"
    assert (row.state, row.held) == (AttemptState.UNKNOWN, row.new.hold)


KILLS = {
    # in mid-stream: bytes were lost with the process, so nobody knows
    "providers.send.after_chunk:kill:20": AttemptState.UNKNOWN,
    # all is on disk: the next start settles from it
    "spool.complete.done:kill": AttemptState.IMAGE,
    "workflows.pay.after_send:kill": AttemptState.IMAGE,
    "workflows.pay.after_store:kill": AttemptState.IMAGE,
    "workflows.pay.after_settle:kill": AttemptState.IMAGE,
}


@pytest.mark.parametrize("failpoint", KILLS)
async def test_a_gateway_killed_on_the_way_finds_what_was_paid_for(failpoint: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with SlowUpstream(REPLY) as upstream:
        upstream.gate.set()
        killed = await asyncio.to_thread(start_gateway, home, upstream.url, {"KEEPRATE_FAILPOINT": failpoint})
        got = await asyncio.to_thread(fetched, killed.url)
        assert await asyncio.to_thread(killed.ended) == -signal.SIGKILL
        assert len(got) < len(REPLY)  # the last slice never goes before the books are right
        async with open_gateway(tmp_path, upstream.url) as gateway:
            row = await settled(gateway)
            stored = [
                await gateway.house.means.till.assets.read("default", name) for name in row.image_sha256s
            ]
    assert (row.state, upstream.accepted) == (KILLS[failpoint], 1)
    if row.state is AttemptState.IMAGE:
        assert [sha256(one).digest() for one in stored] == [sha256(PICTURE).digest()]
        assert row.held == 0
    else:
        assert row.held == row.new.hold


async def test_who_comes_back_to_a_gateway_killed_before_it_sent_anything_is_served(tmp_path: Path) -> None:
    home, failpoint = tmp_path / "home", {"KEEPRATE_FAILPOINT": "workflows.pay.after_intend:kill"}
    with SlowUpstream(REPLY) as upstream:
        upstream.gate.set()
        killed = await asyncio.to_thread(start_gateway, home, upstream.url, failpoint)
        assert await asyncio.to_thread(fetched, killed.url, "one-thing") == b""
        await asyncio.to_thread(killed.ended)
        with await asyncio.to_thread(start_gateway, home, upstream.url) as risen:
            assert await asyncio.to_thread(fetched, risen.url, "one-thing") == REPLY
    assert upstream.accepted == 1


def fetched(url: str, key: str | None = None) -> bytes:
    """Return what came of an answer before its connection broke."""
    headers = {"content-type": "application/json"} | ({} if key is None else {"idempotency-key": key})
    request = urllib.request.Request(url + GENERATE, data=BODY, headers=headers)
    got = b""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            while piece := answer.read(65_536):
                got += piece
    except OSError:
        return got
    return got

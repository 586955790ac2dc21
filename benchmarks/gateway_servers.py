"""What stands behind and in front in `gateway.py`: the stub upstream, and the systems that are compared.

Each runs in a process of its own: `python benchmarks/gateway_servers.py NAME` prints its port and serves until it
is stopped.
"""

import argparse
import asyncio
import base64
import hashlib
import os
import struct
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import aiohttp
import pybase64
import uvicorn

from keeprate.bootstrap import open_house
from keeprate.gateway.limits import Limits
from keeprate.gateway.table import application
from keeprate.settings import read_settings

SLICE = 64 * 1024
Send = Callable[[dict[str, object]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, object]]]


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG with its sum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def picture(size: int) -> bytes:
    """Return a PNG of about `size` bytes up to its last chunk of pixels, which are noise: a multiple of three."""
    side = 4096 if size > 4_000_000 else 1024
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    noise = os.urandom(size)
    chunks = b"".join(chunk(b"IDAT", noise[at : at + 65_536]) for at in range(0, size, 65_536))
    begun = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks
    return begun + chunk(b"IDAT", noise[: 3 - len(begun) % 3])


def ending(number: int) -> bytes:
    """Return the end of a picture that no other has, in base64."""
    return base64.b64encode(chunk(b"IDAT", b"%09d" % number) + chunk(b"IEND", b""))


def answer(size: int) -> tuple[bytes, bytes, bytes]:
    """Return the parts of an answer: head, base64 up to the picture's end, tail."""
    head = b'{"candidates":[{"index":0,"content":{"role":"model","parts":[{"inlineData":{"mimeType":"image/png","data":"'
    usage = (
        '"usageMetadata":{"promptTokenCount":8,"candidatesTokenCount":1120,"thoughtsTokenCount":120,'
        '"totalTokenCount":1248,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}],'
        '"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1120}]}'
    )
    tail = (
        '"},"thoughtSignature":"c2lnbmF0dXJl"}]},"finishReason":"STOP"}],' + usage
        + ',"modelVersion":"gemini-3-pro-image","responseId":"r"}'
    )  # fmt: skip
    return head, base64.b64encode(picture(size)), tail.encode()


class Stub(asyncio.Protocol):
    """An upstream as cheap as it can be: it reads a call to its end and writes the answer."""

    def __init__(self, size: int) -> None:
        self._head, self._middle, self._tail = answer(size)
        self._received = b""
        self._transport: asyncio.Transport | None = None

    numbers = iter(range(1 << 40))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        told = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if told and len(body) < int(told[0].split(b":")[1]):
            return
        self._received = b""
        last = ending(next(self.numbers))
        length = len(self._head) + len(self._middle) + len(last) + len(self._tail)
        assert self._transport is not None
        self._transport.writelines(
            (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\n"
                b"Content-Length: %d\r\n\r\n" % length,
                self._head, self._middle, last, self._tail,
            )
        )  # fmt: skip


async def serve_stub(size: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Stub(size), "127.0.0.1", 0, backlog=1024)
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class Bare:
    """The least that can be done: aiohttp's slices handed to the client."""

    def __init__(self, url: str, folder: Path | None) -> None:
        self._url = url
        self._folder = folder
        self._http: aiohttp.ClientSession | None = None
        self._number = 0

    async def __call__(self, scope: dict[str, object], receive: Receive, send: Send) -> None:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                read_bufsize=2 * SLICE,
                headers={"Accept-Encoding": "identity"},
            )
        body, more = b"", True
        while more:
            message = await receive()
            body += bytes(message.get("body", b""))
            more = bool(message.get("more_body", False))
        async with self._http.post(f"{self._url}{scope['path']}", data=body) as response:
            headers = [
                (b"content-type", response.headers["Content-Type"].encode()),
                (b"content-length", response.headers["Content-Length"].encode()),
            ]
            await send({"type": "http.response.start", "status": response.status, "headers": headers})
            stored = None if self._folder is None else self._stored(response.content.iter_chunked(SLICE))
            async for data in stored or response.content.iter_chunked(SLICE):
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _stored(self, slices: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        assert self._folder is not None
        self._number += 1
        draft = self._folder / f"draft-{self._number}"
        digest, pending, inside, ahead = hashlib.sha256(), b"", False, b""
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        async for data in slices:
            span = data
            if not inside:
                ahead += data
                _, found, span = ahead.partition(b'"data":"')
                inside = bool(found)
            if inside:
                end = span.find(b'"')
                text = pending + (span if end < 0 else span[:end])
                whole = len(text) & ~3
                content = pybase64.b64decode(memoryview(text)[:whole], validate=True)
                digest.update(content)
                os.write(handle, content)
                pending, inside = text[whole:], end < 0
            yield data
        await asyncio.to_thread(os.fsync, handle)
        os.close(handle)
        draft.rename(self._folder / f"{digest.hexdigest()}.png")


async def serve_app(app: object) -> None:
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False
    )  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn offers nothing to wait for)
        await asyncio.sleep(0.01)
    say(server.servers[0].sockets[0].getsockname()[1])
    await task


async def serve_keeprate(url: str, folder: Path) -> None:
    environ = {"KEEPRATE_EMULATOR_URL": url, "KEEPRATE_DAY_CAP_USD": "100000"}
    settings = read_settings(environ, cwd=folder, home=folder / "home")
    async with open_house(settings, confirm=None, progress=lambda _: None) as house:
        # Shedding is for crowds; on a machine busy with other work it would answer for that.
        await serve_app(application(house, limits=Limits(lag_s=60.0)))


def say(port: int) -> None:
    print(port, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--url", default="")
    parser.add_argument("--folder", type=Path)
    words = parser.parse_args()
    jobs: dict[str, Callable[[], Awaitable[None]]] = {
        "stub": lambda: serve_stub(words.size),
        "bare": lambda: serve_app(Bare(words.url, None)),
        "bare + store": lambda: serve_app(Bare(words.url, words.folder)),
        "keeprate": lambda: serve_keeprate(words.url, words.folder),
    }
    factory = uvicorn.Config(serve_app, log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(jobs[words.name]())


if __name__ == "__main__":
    main()

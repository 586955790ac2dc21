"""Serves the samples of `contract/` over HTTP, for every test that needs an upstream with a given answer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

FOLDER = Path(__file__).resolve().parents[1] / "contract"


@dataclass(frozen=True, slots=True)
class Sample:
    """One file: its folder, its name and all it says."""

    folder: str
    name: str
    content: Any

    @property
    def body(self) -> bytes:
        """The exact bytes of the sample's reply."""
        reply = self.content["reply"]
        return reply["body_text"].encode() if "body_text" in reply else json.dumps(reply["body"]).encode()


def samples(folder: str) -> list[Sample]:
    """Return the samples of `replies`, `refusals` or `requests`, by name."""
    files = sorted((FOLDER / folder).glob("*.json"))
    return [Sample(folder, file.stem, json.loads(file.read_text(encoding="utf-8"))) for file in files]


def sample(folder: str, name: str) -> Sample:
    """Return one sample."""
    content = json.loads((FOLDER / folder / f"{name}.json").read_text(encoding="utf-8"))
    return Sample(folder, name, content)


@dataclass(slots=True)
class Received:
    """A call as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class ContractServer:
    """A server whose every POST is answered with the sample last shown to it."""

    url: str
    shown: Sample
    received: list[Received] = field(default_factory=list)

    def show(self, folder: str, name: str) -> Sample:
        """Answer with this sample from now on, and return it."""
        self.shown = sample(folder, name)
        return self.shown


@asynccontextmanager
async def contract_server() -> AsyncIterator[ContractServer]:
    """Run the server on a free loopback port; it starts with an ordinary picture."""
    server = ContractServer(url="", shown=sample("replies", "image"))

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        server.received.append(Received(request.path, headers, body))
        reply = server.shown.content["reply"]
        return web.Response(status=reply["status"], headers=reply["headers"], body=server.shown.body)

    app = web.Application(client_max_size=256 * 1024 * 1024)
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()

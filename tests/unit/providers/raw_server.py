"""A server that counts calls and says raw bytes, or nothing: what no HTTP library would let one send."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class RawServer:
    """Where it listens, how many connections and whole requests came."""

    url: str = ""
    connections: int = 0
    requests: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def raw_server(behave: Behaviour) -> AsyncIterator[RawServer]:
    """Read each request to its end, then let `behave` answer or not; the connection is then closed."""
    server = RawServer()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            await reader.readexactly(length)
            server.requests += 1
            server.heard.set()
            await behave(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()


def says(text: bytes) -> Behaviour:
    """Return a behaviour that writes `text` and closes."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return behave


def resets() -> Behaviour:
    """Return a behaviour that drops the connection with a reset."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    return behave


def hangs(seconds: float) -> Behaviour:
    """Return a behaviour that says nothing for a while."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)

    return behave

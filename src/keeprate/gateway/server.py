"""The listening side: a socket, uvicorn around the application, and a stop that drops no paid answer."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

import uvicorn

from keeprate.bootstrap import open_house
from keeprate.domain.errors import ConfigError
from keeprate.domain.terms import Grant
from keeprate.gateway.app import Application
from keeprate.gateway.table import application
from keeprate.ledger.ledger import SqlLedger
from keeprate.settings import Settings
from keeprate.workflows.till import Till

STOPS: Final = (signal.SIGTERM, signal.SIGINT)
# Bodies come in pieces of this size at most before the client is asked to wait.
KEEP_ALIVE_S: Final = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to listen, and how long to wait at the end for requests that cost nothing."""

    host: str = "127.0.0.1"
    port: int = 8787
    grace_s: float = 30.0


Progress = Callable[[str], None]


def serve(settings: Settings, place: Place, *, ready: Callable[[str], None], progress: Progress) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` is told the base URL once connections are taken.

    Raises:
        ConfigError: The address cannot be listened on, or is open to others without an admin key.
    """
    # uvloop where it is installed, Python's own loop elsewhere.
    with asyncio.Runner(loop_factory=uvicorn.Config(_nothing, log_config=None).get_loop_factory()) as runner:
        runner.run(_serve(settings, place, ready=ready, progress=progress))


async def _serve(
    settings: Settings, place: Place, *, ready: Callable[[str], None], progress: Progress
) -> None:
    async with open_house(settings, confirm=None, progress=progress) as house:
        await refuse_open_door(house.ledger, place.host)
        with _listening(place) as listener:
            url = base_url(place.host, listener.getsockname()[1])
            gateway = application(house, base_url=url)
            server = _Server(gateway, started=lambda: ready(url))
            with _told_to_stop(server, gateway):
                drain = _drain(server, gateway, house.means.till, place.grace_s)
                stopper = asyncio.create_task(drain, name="drain")
                stopper.add_done_callback(_heed)
                await server.serve(sockets=[listener])
                stopper.cancel()


class _Server(uvicorn.Server):
    """Uvicorn, with the signals left to us: at a stop it may wait longer than its own patience lasts."""

    def __init__(self, gateway: Application, *, started: Callable[[], None]) -> None:
        config = uvicorn.Config(
            gateway,  # type: ignore[arg-type]  # our scope is uvicorn's, spelt as a plain mapping
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        super().__init__(config)
        self.stopping = asyncio.Event()
        self._told = started

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        self._told()


async def _drain(server: _Server, gateway: Application, till: Till, grace_s: float) -> None:
    """After a stop, wait for what is under way: for the grace, and for paid calls however long they take."""
    await server.stopping.wait()
    server.should_exit = True
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gateway.idle(), grace_s)
    await till.drain()
    # One more moment: the answers of the paid calls that just ended are on their way out.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(gateway.idle(), 1.0)
    for task in server.server_state.tasks:
        task.cancel()
    server.force_exit = True


def _heed(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        task.result()


@contextlib.contextmanager
def _told_to_stop(server: _Server, gateway: Application) -> Generator[None]:
    def stop() -> None:
        gateway.stop()
        server.stopping.set()

    if sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    for sign in STOPS:
        loop.add_signal_handler(sign, stop)
    try:
        yield
    finally:
        for sign in STOPS:
            loop.remove_signal_handler(sign)


async def refuse_open_door(ledger: SqlLedger, host: str) -> None:
    """Make sure that nobody listens beyond this machine without a key that governs the rest.

    Raises:
        ConfigError: `host` is not loopback, and no living key may administer.
    """
    if _is_loopback(host) or await ledger.has_keys(granting=Grant.ADMIN):
        return
    raise ConfigError(
        f"{host} can be reached by others, and no admin key exists",
        field="host",
        value=host,
        remedy="first: keeprate keys create admin --scopes admin; or listen on 127.0.0.1",
    )


def base_url(host: str, port: int) -> str:
    """Return the address to put into clients that run on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextlib.contextmanager
def _listening(place: Place) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((place.host, place.port))
        listener.listen(2048)
        listener.settimeout(0)
    except OSError as fault:
        listener.close()
        raise ConfigError(
            f"cannot listen on {place.host}:{place.port}: {fault.strerror or fault}",
            field="port",
            value=place.port,
            remedy="choose another with --port, or 0 for any free one",
        ) from fault
    with listener:
        yield listener


async def _nothing(scope: object, receive: object, send: object) -> None:
    del scope, receive, send

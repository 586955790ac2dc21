"""The application: a request comes in, its door is found, its caller is known, and it is answered in its dialect.

Order: shed what is too much, find the door, tell who asks, check what they may, serve. Whatever is
raised on the way is answered in the shape the client's dialect has for errors.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from keeprate.domain.errors import KeeprateError, Overloaded
from keeprate.gateway.dispatch import Dialect, dialect_of, inner_path
from keeprate.gateway.doors import CALLER, REQUEST, Door, Doors
from keeprate.gateway.exchange import AsgiScope, ClientLeft, Receive, Reply, Request, Send
from keeprate.gateway.identity import NOBODY, Authenticator, Caller
from keeprate.gateway.limits import Bulkhead, Limits, limits_of
from keeprate.gateway.problems import no_such_path, refusal, unexpected, wrong_method

LOG: Final = logging.getLogger("keeprate.gateway")
# What nginx logs where a client went away; nothing is sent with it.
CLIENT_LEFT: Final = 499


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One request, answered. `door` None where no door was found; `caller` None where nobody was let in."""

    request: Request
    dialect: Dialect
    door: Door | None
    caller: Caller | None
    status: int
    seconds: float
    sent_bytes: int
    error: KeeprateError | None


Watcher = Callable[[Served], None]


class Visit:
    """A request on its way through the house; what is known of it grows."""

    def __init__(self, request: Request, dialect: Dialect) -> None:
        """Begin with what the request line tells."""
        self.request = request
        self.dialect = dialect
        self.door: Door | None = None
        self.caller: Caller | None = None
        self.error: KeeprateError | None = None
        self.weight = 0


class Application:
    """The ASGI application. `stop` refuses new work; `idle` waits for what is under way."""

    def __init__(
        self,
        doors: Doors,
        identity: Authenticator,
        *,
        new_id: Callable[[], str],
        limits: Limits | None = None,
        watchers: Sequence[Watcher] = (),
        stopping: asyncio.Event | None = None,
    ) -> None:
        """Serve `doors`; each of `watchers` is told of every request once it is over.

        `stopping` is set when the program is about to end, for whoever waits on it.
        """
        self.doors = doors
        self.in_flight = 0
        self._identity = identity
        self._new_id = new_id
        self._bulkhead = Bulkhead(limits or limits_of())
        self._watchers = tuple(watchers)
        self._stopping = stopping or asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_stopping(self) -> bool:
        """Return whether new work is refused because the program is about to end."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Refuse new work from now on."""
        self._stopping.set()

    async def idle(self) -> None:
        """Wait until no request is under way."""
        await self._idle.wait()

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request = Request(scope, receive, request_id=f"req_{self._new_id()}")
        visit = Visit(request, dialect_of(request.path, request.headers, request.query))
        await self._counted(visit, Reply(request, send))

    async def _counted(self, visit: Visit, reply: Reply) -> None:
        began = time.perf_counter()
        self.in_flight += 1
        self._idle.clear()
        try:
            await self._answered(visit, reply)
        finally:
            self.in_flight -= 1
            if visit.weight:
                self._bulkhead.leave(visit.weight)
            if self.in_flight == 0:
                self._idle.set()
            self._tell(visit, reply, seconds=time.perf_counter() - began)

    async def _answered(self, visit: Visit, reply: Reply) -> None:
        """Serve, and answer what is raised: the last handler, which keeps one fault from taking all down."""
        try:
            await self._serve(visit, reply)
            return
        except ClientLeft:
            reply.status = CLIENT_LEFT
            return
        except KeeprateError as error:
            visit.error = error
        except Exception:
            LOG.exception("request %s met a fault of ours", visit.request.id)
            visit.error = unexpected()
        if reply.finished:
            return
        if reply.started:
            # Half an answer is on the wire: only a broken connection tells the client so.
            raise visit.error
        await reply.send(refusal(visit.error, visit.dialect, request_id=visit.request.id))

    async def _serve(self, visit: Visit, reply: Reply) -> None:
        request = visit.request
        path = inner_path(request.path, visit.dialect)
        door, parts, methods = self.doors.find(visit.dialect, request.method, path)
        visit.door = door
        if door is None:
            raise wrong_method(request.method, methods) if methods else no_such_path(request.path)
        if door.may_wait:
            self._refuse_while_stopping()
            visit.weight = self._bulkhead.enter(request.length or 0)
        request.parts, request.body_limit = parts, door.body_limit
        visit.caller = caller = await self._let_in(request, door)
        if door.app is not None:
            request.scope[CALLER], request.scope[REQUEST] = caller, request
            await door.app(request.scope, request.receive, reply.watched)
        elif door.serve is not None:
            await reply.send(await door.serve(request, caller))

    async def _let_in(self, request: Request, door: Door) -> Caller:
        if door.needs is None:
            return NOBODY
        caller = await self._identity.caller(request)
        if not any(caller.terms.allows(grant) for grant in door.also):
            caller.must(door.needs)
        return caller

    def _refuse_while_stopping(self) -> None:
        if self._stopping.is_set():
            raise Overloaded(
                "this process is stopping and takes nothing new",
                retry_after_s=self._bulkhead.limits.retry_after_s,
                remedy="send it again; another process, or the next one, takes it",
            )

    def _tell(self, visit: Visit, reply: Reply, *, seconds: float) -> None:
        served = Served(
            request=visit.request,
            dialect=visit.dialect,
            door=visit.door,
            caller=visit.caller,
            status=reply.status,
            seconds=seconds,
            sent_bytes=reply.sent_bytes,
            error=visit.error,
        )
        for watcher in self._watchers:
            watcher(served)


async def _lifespan(receive: Receive, send: Send) -> None:
    """Nod to a server that announces start and end: the house is opened and closed around us."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return

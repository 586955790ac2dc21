"""Doors for the people who run it: is the process alive, and should it be sent work."""

from collections.abc import Iterable

import msgspec

from keeprate.domain.errors import StorageError
from keeprate.gateway.desk import Desk
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.doors import Door, Handler
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.identity import Caller

_FRESH = (("cache-control", "no-store"),)


def doors(desk: Desk) -> Iterable[Door]:
    """Return `/healthz` and `/readyz`. Neither tells anything about anybody, so neither asks who is there."""

    async def healthz(request: Request, caller: Caller) -> Answer:
        del request, caller
        return _said(200, "ok")

    async def readyz(request: Request, caller: Caller) -> Answer:
        del request, caller
        if desk.stopping.is_set():
            return _said(503, "stopping")
        try:
            await desk.identity.has_keys()
        except StorageError as fault:
            return _said(503, fault.message)
        return _said(200, "ready")

    def door(path: str, serve: Handler) -> Door:
        return Door(
            name=path, dialect=Dialect.OPS, method="GET", path=path, needs=None, serve=serve, may_wait=False
        )

    return door("/healthz", healthz), door("/readyz", readyz)


def _said(status: int, word: str) -> Answer:
    return Answer(status=status, headers=_FRESH, body=msgspec.json.encode({"status": word}))

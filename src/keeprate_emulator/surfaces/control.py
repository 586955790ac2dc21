"""The emulator's own paths, below `/_emulator`: bill, faults, truth, clock, reset. No key is asked for."""

from datetime import date

import msgspec
from aiohttp import web

from keeprate_emulator.emulator import Emulator
from keeprate_emulator.faults import rules_from
from keeprate_emulator.refusals import Refusal, invalid
from keeprate_emulator.wire import encoded, request_node


class Control:
    """The handlers of the referee's desk."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def health(self, request: web.Request) -> web.Response:
        """Say that the emulator is there, and how it was started."""
        settings = self._emulator.settings
        return _json(
            {
                "status": "ok",
                "simulated": True,
                "day": self._emulator.clock.day.isoformat(),
                "draw": settings.draw,
                "seed": settings.seed,
            }
        )

    async def bill(self, request: web.Request) -> web.Response:
        """Return totals, and the rows from `offset`, at most `limit`, accepted at or after `since`."""
        bill = self._emulator.bill
        offset, limit = _number(request, "offset") or 0, _number(request, "limit")
        rows = bill.page(offset=offset, limit=limit, since=request.query.get("since", ""))
        return _json({**bill.summary(), "rows": rows})

    async def bill_summary(self, request: web.Request) -> web.Response:
        """Return totals only."""
        return _json(self._emulator.bill.summary())

    async def add_faults(self, request: web.Request) -> web.Response:
        """Put fault rules in force."""
        self._emulator.faults.add(rules_from(await request.read()))
        return await self.faults(request)

    async def faults(self, request: web.Request) -> web.Response:
        """Return the rules in force, with how often each was applied."""
        return _json({"rules": self._emulator.faults.listing()})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Withdraw every rule."""
        self._emulator.faults.clear()
        return await self.faults(request)

    async def reset(self, request: web.Request) -> web.Response:
        """Forget bill, truth, faults, files and conversations, and return to the first day."""
        self._emulator.reset()
        return _json({"status": "ok"})

    async def set_clock(self, request: web.Request) -> web.Response:
        """Set the day; without one it runs with the machine's again."""
        text = request_node(await request.read()).text("day")
        try:
            self._emulator.clock.set(date.fromisoformat(text) if text else None)
        except ValueError as fault:
            raise invalid(f"Not a day: {text!r}. Write it as 2026-04-15.") from fault
        return await self.clock(request)

    async def clock(self, request: web.Request) -> web.Response:
        """Return the day."""
        return _json({"day": self._emulator.clock.day.isoformat()})

    async def truth(self, request: web.Request) -> web.Response:
        """Return what was really drawn, by response id or by the SHA-256 of the picture."""
        name = request.match_info["name"]
        truth = self._emulator.truths.about(name)
        if truth is None:
            raise Refusal(404, f"No picture was drawn for {name}.")
        return _json(msgspec.to_builtins(truth))


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    if text and not text.isdigit():
        raise invalid(f"{name} must be a whole number, got {text!r}.")
    return int(text) if text else None


def _json(document: object) -> web.Response:
    return web.Response(body=encoded(document), content_type="application/json")

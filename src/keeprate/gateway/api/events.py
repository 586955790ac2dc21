"""What happens in the ledger, as it happens: server-sent events that can be taken up where they broke off.

Format: <https://html.spec.whatwg.org/multipage/server-sent-events.html>, read 2026-11-21. Every event has an
id of its own; a client that sends the last one it saw as `Last-Event-ID` gets what came after, each at
least once. Processes that share a database may commit a little out of order, so the last seconds before
that event are told again.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from fastapi import Header
from fastapi.responses import StreamingResponse

from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import display
from keeprate.domain.scopes import Scope
from keeprate.gateway.api.asked import YesOrNo
from keeprate.gateway.api.asking import Asks
from keeprate.gateway.desk import Desk
from keeprate.ledger.moments import moment
from keeprate.ledger.moves import Move

EVENT_STREAM: Final = "text/event-stream"
OVERLAP: Final = timedelta(seconds=2)
AT_ONCE: Final = 500
LastEventId = Annotated[str | None, Header(pattern=r"^[0-9]{1,18}-[0-9]-[A-Za-z0-9_-]{1,128}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often the ledger is looked at, and how long a stream may be silent. Seconds."""

    look_s: float = 0.5
    heartbeat_s: float = 15.0


class Events:
    """The endpoint that follows the ledger."""

    def __init__(self, desk: Desk, pace: Pace | None = None) -> None:
        """Work at `desk`."""
        self._desk = desk
        self._pace = pace or Pace()

    async def events(
        self, caller: Asks, last_event_id: LastEventId = None, follow: YesOrNo = "true"
    ) -> StreamingResponse:
        """Tell of holds, charges and corrections. With follow=false the stream ends with what there is."""
        now = self._desk.means.till.clock.now()
        since = now if last_event_id is None else _moment_of(last_event_id)
        stream = self._stream(caller.scope, since - OVERLAP, after=last_event_id, follows=follow == "true")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream, media_type=EVENT_STREAM, headers=headers)

    async def _stream(
        self, scope: Scope, since: datetime, *, after: str | None, follows: bool
    ) -> AsyncIterator[bytes]:
        seen: dict[str, datetime] = {} if after is None else {after: since + OVERLAP}
        yield b"retry: 2000\n\n"
        quiet_s = 0.0
        while not self._desk.stopping.is_set():
            moves = await self._desk.ledger.moves(scope, since, limit=AT_ONCE)
            fresh = [move for move in moves if move.id not in seen]
            for move in fresh:
                seen[move.id] = move.at
                yield _event(move)
            if fresh:
                quiet_s = 0.0
                since = max(since, fresh[-1].at - OVERLAP)
                seen = {name: at for name, at in seen.items() if at >= since}
                if len(moves) == AT_ONCE:
                    continue
            if not follows:
                return
            await self._wait()
            quiet_s += self._pace.look_s
            if quiet_s >= self._pace.heartbeat_s:
                quiet_s = 0.0
                yield b": still here\n\n"

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._desk.stopping.wait(), self._pace.look_s)
        except TimeoutError:
            return


def _event(move: Move) -> bytes:
    data = msgspec.json.encode(
        {
            "attempt_id": move.attempt_id,
            "kind": move.kind,
            "state": move.state,
            "at": move.at.isoformat(),
            "held_usd": display(move.held),
            "spent_usd": display(move.spent),
            "model": move.model,
            "upstream": move.upstream,
            "purpose": move.purpose,
            "simulated": move.simulated,
        }
    )
    return b"id: %s\nevent: attempt\ndata: %s\n\n" % (move.id.encode(), data)


def _moment_of(event_id: str) -> datetime:
    try:
        return moment(int(event_id.partition("-")[0]))
    except (ValueError, OverflowError) as fault:
        raise InvalidValue(
            f"{event_id!r} is no id of an event", field="last-event-id", value=event_id,
            remedy="send the id of an event as it came, or leave it out",
        ) from fault  # fmt: skip

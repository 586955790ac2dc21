"""How much is taken on at once, and the quick "come back later" for what is too much.

Three things fill a process up: requests, bytes, and work for its event loop and its threads. Requests and
bytes are counted. The work is seen by its effect: an errand that does nothing, sent through both every 20 ms,
comes back late, and by as much every answer is late. What does not fit is refused at once: a queue would only
make it time out later.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keeprate.domain.errors import Overloaded

_TICK_S: Final = 0.02
# How much of the last lag is still felt a tick later: a single pause is no strain, a row of them is.
_FELT: Final = 0.7
_MEMORY_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")
_MOST_BYTES: Final = 768 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is taken on at once. `body_bytes` bounds the weights of all requests under way together.

    A request weighs its body twice (as it came, and as it is sent on) and `each` for its answer's slices.
    `lag_s` is how late the errand may come back before new work is refused, unless only `few` are under
    way: then something else on the machine is at work, and refusing would not help.
    """

    requests: int = 512
    body_bytes: int = _MOST_BYTES
    each: int = 1024 * 1024
    lag_s: float = 0.05
    few: int = 16
    retry_after_s: float = 1.0


def limits_of(memory: Path = _MEMORY_LIMIT) -> Limits:
    """Return limits that fit into what the container may use: half of it for bodies, the rest to live on."""
    try:
        told = memory.read_text("ascii").strip()
    except OSError:
        return Limits()
    return Limits(body_bytes=min(_MOST_BYTES, int(told) // 2)) if told.isdecimal() else Limits()


class Bulkhead:
    """Lets work in while there is room. Enter and leave in pairs, on the loop that serves."""

    def __init__(self, limits: Limits) -> None:
        """Begin empty."""
        self.limits = limits
        self.requests = 0
        self.bytes = 0
        self.lag_s = 0.0
        self._tick: asyncio.TimerHandle | None = None

    def enter(self, body_bytes: int) -> int:
        """Count a request in and return what it weighs, for `leave`.

        Raises:
            Overloaded: There is no room for it.
        """
        weight = 2 * body_bytes + self.limits.each
        full = (
            self.requests >= self.limits.requests
            or self.bytes + weight > self.limits.body_bytes
            or (self.lag_s > self.limits.lag_s and self.requests >= self.limits.few)
        )
        # One request alone always fits: its own limit is the door's, and no other is the slower for it.
        if full and self.requests > 0:
            raise Overloaded(
                "as much is under way as this process can hold",
                retry_after_s=self.limits.retry_after_s,
                remedy="send it again in a moment; nothing was bought",
            )
        self.requests += 1
        self.bytes += weight
        if self._tick is None:
            self._expect(asyncio.get_running_loop())
        return weight

    def leave(self, weight: int) -> None:
        """Count a request out."""
        self.requests -= 1
        self.bytes -= weight

    def _expect(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + _TICK_S
        self._tick = loop.call_at(due, self._send, loop, due)

    def _send(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        errand = loop.run_in_executor(None, _nothing)
        errand.add_done_callback(lambda _: self._returned(loop, due))

    def _returned(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        late = max(0.0, loop.time() - due)
        self.lag_s = self.lag_s * _FELT + late * (1 - _FELT)
        # Nobody is served and nothing is felt: the clock need not run.
        if self.requests > 0 or self.lag_s > self.limits.lag_s / 2:
            self._expect(loop)
        else:
            self._tick = None
            self.lag_s = 0.0


def _nothing() -> None:
    """Take a thread, as every answer does a few times."""

"""The way from a paid call to a client that may leave: a few slices wide, and never a reason to lose the call."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Final

# How many slices wait for the client before the upstream has to.
WIDTH: Final = 8
# Woken when half of it is free: to go to and fro for each slice would cost more than the slice.
_ROOMY: Final = WIDTH // 2
# A client that takes nothing for so long has left, whatever its connection says: the upstream's patience is
# shorter than some clients'.
PATIENCE_S: Final = 30.0


class Pipe:
    """One answer on its way. The paid call puts; the client's side takes, or leaves."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        """Begin empty."""
        self._waiting: deque[bytes] = deque()
        self._ended = False
        self._fault: Exception | None = None
        self._left = False
        self._patience_s = patience_s
        self._came: asyncio.Future[None] | None = None
        self._taken: asyncio.Future[None] | None = None

    @property
    def is_left(self) -> bool:
        """Return whether nobody takes anything any more."""
        return self._left

    async def put(self, data: bytes) -> None:
        """Hand a slice over; wait while the pipe is full and somebody is there."""
        if self._left:
            return
        if len(self._waiting) >= WIDTH:
            await self._room()
        if not self._left:
            self._waiting.append(data)
            _wake(self._came)

    def end(self, rest: list[bytes]) -> None:
        """Hand over what was held back, as the last."""
        self._waiting.extend(rest)
        self._ended = True
        _wake(self._came)

    def fail(self, fault: Exception) -> None:
        """Break off: what comes out of the other end next is `fault`."""
        self._fault = fault
        self._ended = True
        _wake(self._came)

    def leave(self) -> None:
        """Say that nobody takes anything any more."""
        self._left = True
        self._waiting.clear()
        _wake(self._taken)

    async def slices(self) -> AsyncGenerator[bytes]:
        """Yield what comes, to the end. Closing this leaves the pipe."""
        try:
            while True:
                while self._waiting:
                    data = self._waiting.popleft()
                    if self._taken is not None and len(self._waiting) <= _ROOMY:
                        _wake(self._taken)
                    yield data
                if self._ended:
                    if self._fault is not None:
                        raise self._fault
                    return
                self._came = asyncio.get_running_loop().create_future()
                await self._came
        finally:
            self.leave()

    async def _room(self) -> None:
        self._taken = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._patience_s):
                await self._taken
        except TimeoutError:
            self.leave()


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)

"""Where pictures are drawn: off the event loop, so that one slow drawing does not hold up the others."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from keeprate_emulator.drawing.orders import Order, Picture
from keeprate_emulator.drawing.templates import from_template

DrawMode = Literal["full", "fast"]


class Studio:
    """Two hands: Pillow lets go of the interpreter lock while it encodes and resizes."""

    def __init__(self, mode: DrawMode) -> None:
        self.mode: DrawMode = mode
        self._hands = ThreadPoolExecutor(max_workers=2, thread_name_prefix="studio")

    async def draw(self, order: Order) -> Picture:
        """Return the picture, encoded and marked."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._hands, from_template, order)

    def close(self) -> None:
        """Let the hands go, unfinished work included."""
        self._hands.shutdown(wait=False, cancel_futures=True)

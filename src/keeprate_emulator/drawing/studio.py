"""Where pictures are drawn: off the event loop, so that one slow drawing does not hold up the others."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from keeprate_emulator.drawing.encoding import encoded, signed
from keeprate_emulator.drawing.orders import Order, Picture
from keeprate_emulator.drawing.painter import painted
from keeprate_emulator.drawing.templates import from_template

DrawMode = Literal["full", "fast"]


class Studio:
    """Two hands: Pillow lets go of the interpreter lock while it encodes and resizes."""

    def __init__(self, mode: DrawMode) -> None:
        self.mode: DrawMode = mode
        self._hands = ThreadPoolExecutor(max_workers=2, thread_name_prefix="studio")

    async def draw(self, order: Order) -> Picture:
        """Return the picture, encoded and marked."""
        if self.mode == "fast":
            # Handing a template's few microseconds to another thread would cost fifty times the work.
            return from_template(order)
        return await asyncio.get_running_loop().run_in_executor(self._hands, drawn, order)

    def close(self) -> None:
        """Let the hands go, unfinished work included."""
        self._hands.shutdown(wait=False, cancel_futures=True)


def drawn(order: Order) -> Picture:
    """Draw and encode one picture."""
    content = encoded(painted(order), order.mime, order.quality)
    return Picture(
        content=signed(content, order.mime, order.response_id),
        mime=order.mime,
        label=order.mime,
        width=order.pixels[0],
        height=order.pixels[1],
    )

"""`--draw fast`: one plain picture per pixel size and type, encoded once and signed anew for each answer."""

from functools import lru_cache

from PIL import Image, ImageDraw

from keeprate_emulator.drawing.encoding import encoded, signed
from keeprate_emulator.drawing.mark import stamp
from keeprate_emulator.drawing.orders import Order, Picture

_GROUND = (214, 221, 226)
_LINE = (146, 160, 170)


def from_template(order: Order) -> Picture:
    """Return a valid picture of the ordered size and type that shows nothing but the mark."""
    return Picture(
        content=signed(_template(order.pixels, order.mime), order.mime, order.response_id),
        mime=order.mime,
        label=order.mime,
        width=order.pixels[0],
        height=order.pixels[1],
    )


@lru_cache(maxsize=64)
def _template(pixels: tuple[int, int], mime: str) -> bytes:
    picture = Image.new("RGB", pixels, _GROUND)
    pen = ImageDraw.Draw(picture)
    width, height = pixels
    line = max(1, min(pixels) // 256)
    pen.line((0, 0, width, height), fill=_LINE, width=line)
    pen.line((0, height, width, 0), fill=_LINE, width=line)
    stamp(picture)
    return encoded(picture, mime, 90)

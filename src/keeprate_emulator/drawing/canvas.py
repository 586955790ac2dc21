"""A sheet to draw on in shares of its own size, whatever its pixels."""

import math
from collections.abc import Iterable

from PIL import Image, ImageDraw, ImageOps

from keeprate_emulator.drawing.colours import Colour

Point = tuple[float, float]


class Canvas:
    """Lengths are shares of the shorter side; `wide` and `high` are the sheet's sides in that unit."""

    def __init__(self, pixels: tuple[int, int], ground: Colour) -> None:
        self.image = Image.new("RGB", pixels, ground)
        self._unit = min(pixels)
        self.wide = pixels[0] / self._unit
        self.high = pixels[1] / self._unit
        self._pen = ImageDraw.Draw(self.image)

    def wash(self, top: Colour, bottom: Colour, *, down_to: float | None = None) -> None:
        """Fill with a vertical gradient, from the upper edge down to a height."""
        height = round((self.high if down_to is None else down_to) * self._unit)
        shades = Image.linear_gradient("L").resize((1, max(1, height)))
        # One column, stretched: a gradient of the sheet's own size would cost as much as the whole drawing.
        column = ImageOps.colorize(shades, top, bottom)
        self.image.paste(column.resize((self.image.width, max(1, height)), Image.Resampling.NEAREST), (0, 0))

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self.oval(centre, (radius, radius), colour)

    def oval(self, centre: Point, radii: Point, colour: Colour) -> None:
        """Fill an ellipse."""
        (x, y), (across, down) = centre, radii
        self._pen.ellipse(self._box(x - across, y - down, x + across, y + down), fill=colour)

    def ring(self, centre: Point, radius: float, width: float, colour: Colour) -> None:
        """Draw a circle's line."""
        x, y = centre
        box = self._box(x - radius, y - radius, x + radius, y + radius)
        self._pen.ellipse(box, outline=colour, width=max(1, round(width * self._unit)))

    def slice(self, centre: Point, radius: float, angles: tuple[float, float], colour: Colour) -> None:
        """Fill a sector between two angles in degrees, clockwise from the right."""
        x, y = centre
        box = self._box(x - radius, y - radius, x + radius, y + radius)
        self._pen.pieslice(box, angles[0], angles[1], fill=colour)

    def block(self, left_top: Point, right_bottom: Point, colour: Colour, *, radius: float = 0.0) -> None:
        """Fill a rectangle, with round corners where a radius is given."""
        box = self._box(*left_top, *right_bottom)
        self._pen.rounded_rectangle(box, radius=radius * self._unit, fill=colour)

    def shape(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self._pen.polygon([(x * self._unit, y * self._unit) for x, y in points], fill=colour)

    def line(self, points: Iterable[Point], width: float, colour: Colour) -> None:
        """Draw a line with round joints."""
        pixels = [(x * self._unit, y * self._unit) for x, y in points]
        self._pen.line(pixels, fill=colour, width=max(1, round(width * self._unit)), joint="curve")

    def _box(self, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        unit = self._unit
        return (left * unit, top * unit, right * unit, bottom * unit)


def around(
    centre: Point, radius: float, count: int, *, inner: float = 1.0, turn: float = -90.0
) -> list[Point]:
    """Return points of a circle; with `inner` below 1 every second one lies nearer, as in a star."""
    x, y = centre
    steps = count if inner == 1.0 else count * 2
    points: list[Point] = []
    for step in range(steps):
        angle = math.radians(turn + 360 * step / steps)
        reach = radius * (inner if inner != 1.0 and step % 2 else 1.0)
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    return points

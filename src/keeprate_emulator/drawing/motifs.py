"""The things in the picture. Each is drawn into a square spot, in two tones, light from the left."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keeprate_emulator.drawing.canvas import Canvas, Point, around
from keeprate_emulator.drawing.colours import Colour, darker, lighter, mixed

PAPER: Colour = (252, 248, 238)
NIGHT: Colour = (34, 34, 46)


@dataclass(frozen=True, slots=True)
class Spot:
    """A square on the canvas; its own points run from -0.5 to 0.5 both ways, downward positive."""

    canvas: Canvas
    centre: Point
    side: float

    def at(self, x: float, y: float) -> Point:
        """Return a point of the spot in the canvas's measure."""
        return (self.centre[0] + x * self.side, self.centre[1] + y * self.side)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self.canvas.disc(self.at(x, y), radius * self.side, colour)

    def oval(self, x: float, y: float, radii: Point, colour: Colour) -> None:
        """Fill an ellipse."""
        self.canvas.oval(self.at(x, y), (radii[0] * self.side, radii[1] * self.side), colour)

    def block(self, box: tuple[float, float, float, float], colour: Colour, radius: float = 0.0) -> None:
        """Fill a rectangle given as left, top, right, bottom."""
        left, top, right, bottom = box
        self.canvas.block(self.at(left, top), self.at(right, bottom), colour, radius=radius * self.side)

    def shape(self, colour: Colour, *points: Point) -> None:
        """Fill a polygon."""
        self.canvas.shape([self.at(x, y) for x, y in points], colour)

    def line(self, colour: Colour, width: float, *points: Point) -> None:
        """Draw a line."""
        self.canvas.line([self.at(x, y) for x, y in points], width * self.side, colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Colour) -> None:
        """Draw a circle's line."""
        self.canvas.ring(self.at(x, y), radius * self.side, width * self.side, colour)

    def slice(self, x: float, y: float, radius: float, angles: tuple[float, float], colour: Colour) -> None:
        """Fill a sector."""
        self.canvas.slice(self.at(x, y), radius * self.side, angles, colour)


Motif = Callable[[Spot, Colour, Colour], None]


def _cup(spot: Spot, main: Colour, second: Colour) -> None:
    spot.oval(0, 0.44, (0.42, 0.06), darker(main, 0.45))
    spot.oval(0, 0.40, (0.42, 0.06), lighter(main, 0.55))
    spot.ring(0.30, 0.05, 0.16, 0.055, main)
    spot.block((-0.31, -0.16, 0.31, 0.12), main)
    spot.slice(0, 0.1, 0.31, (0, 180), main)
    spot.block((0.08, -0.16, 0.31, 0.12), darker(main, 0.14))
    arc = [math.radians(5 * step) for step in range(16)]
    shade = [(0.31 * math.cos(angle), 0.1 + 0.31 * math.sin(angle)) for angle in arc]
    spot.shape(darker(main, 0.14), (0.08, 0.1), *shade)
    spot.oval(0, -0.16, (0.31, 0.075), lighter(main, 0.35))
    spot.oval(0, -0.15, (0.27, 0.055), (88, 54, 36))
    for place in (-0.12, 0.0, 0.12):
        curl = [(place + 0.022 * math.sin(step / 2.2), -0.26 - 0.0125 * step) for step in range(18)]
        spot.line(lighter(second, 0.65), 0.02, *curl)


def _bottle(spot: Spot, main: Colour, second: Colour) -> None:
    spot.oval(0, 0.46, (0.26, 0.035), darker(second, 0.5))
    spot.block((-0.07, -0.47, 0.07, -0.36), darker(second, 0.35), 0.015)
    spot.block((-0.055, -0.37, 0.055, -0.2), main)
    spot.block((-0.19, -0.24, 0.19, 0.46), main, 0.09)
    spot.block((0.06, -0.16, 0.19, 0.42), darker(main, 0.15), 0.05)
    spot.block((-0.14, -0.15, -0.10, 0.36), lighter(main, 0.45), 0.02)
    spot.block((-0.19, 0.0, 0.19, 0.28), PAPER)
    spot.disc(0, 0.1, 0.055, second)
    spot.block((-0.11, 0.19, 0.11, 0.205), darker(second, 0.3))
    spot.block((-0.07, 0.225, 0.07, 0.238), darker(second, 0.3))


def _shoe(spot: Spot, main: Colour, second: Colour) -> None:
    spot.oval(0, 0.33, (0.48, 0.035), darker(second, 0.5))
    spot.shape(
        main,
        (-0.44, -0.22),
        (-0.18, -0.24),
        (-0.08, -0.08),
        (0.16, 0.03),
        (0.40, 0.08),
        (0.46, 0.20),
        (-0.46, 0.20),
    )
    spot.shape(darker(main, 0.18), (0.16, 0.03), (0.40, 0.08), (0.46, 0.20), (0.20, 0.20))
    spot.shape(lighter(main, 0.5), (-0.44, -0.22), (-0.32, -0.23), (-0.30, 0.02), (-0.45, 0.04))
    spot.shape(second, (-0.30, 0.12), (0.10, -0.01), (0.16, 0.03), (-0.20, 0.18))
    spot.block((-0.47, 0.19, 0.48, 0.30), PAPER, 0.05)
    spot.block((-0.47, 0.265, 0.48, 0.30), second, 0.015)
    for step in range(4):
        x = -0.15 + 0.075 * step
        spot.line(PAPER, 0.018, (x - 0.05, -0.11 + 0.05 * step), (x + 0.04, -0.16 + 0.055 * step))


def _flower(spot: Spot, main: Colour, second: Colour) -> None:
    stem = (72, 128, 84)
    spot.line(stem, 0.03, (0, -0.1), (0.02, 0.2), (0, 0.5))
    spot.shape(stem, (0.01, 0.36), (0.24, 0.18), (0.16, 0.36))
    spot.shape(darker(stem), (0.01, 0.44), (-0.22, 0.26), (-0.15, 0.44))
    for x, y in around((0, -0.16), 0.19, 8):
        spot.disc(x, y, 0.105, main)
    for x, y in around((0, -0.16), 0.12, 8, turn=-67):
        spot.disc(x, y, 0.075, lighter(main, 0.3))
    spot.disc(0, -0.16, 0.095, second)
    spot.disc(-0.02, -0.18, 0.05, lighter(second, 0.35))


def _heart(spot: Spot, main: Colour, second: Colour) -> None:
    for shift, tone in ((0.02, darker(main, 0.3)), (0.0, main)):
        spot.disc(-0.19 + shift, -0.13 + shift, 0.215, tone)
        spot.disc(0.19 + shift, -0.13 + shift, 0.215, tone)
        spot.shape(
            tone, (-0.375 + shift, -0.02 + shift), (0.375 + shift, -0.02 + shift), (shift, 0.42 + shift)
        )
        spot.block((-0.2 + shift, -0.14 + shift, 0.2 + shift, 0.02 + shift), tone)
    spot.oval(-0.24, -0.19, (0.06, 0.075), lighter(main, 0.45))


def _star(spot: Spot, main: Colour, second: Colour) -> None:
    spot.canvas.shape(around(spot.at(0.015, 0.035), 0.47 * spot.side, 5, inner=0.45), darker(main, 0.35))
    spot.canvas.shape(around(spot.at(0, 0.01), 0.47 * spot.side, 5, inner=0.45), main)
    spot.canvas.shape(around(spot.at(0, 0.01), 0.25 * spot.side, 5, inner=0.45), lighter(main, 0.35))


def _balloon(spot: Spot, main: Colour, second: Colour) -> None:
    for x, y, tone in ((0.22, -0.08, second), (-0.22, -0.1, lighter(main, 0.35)), (0.0, -0.22, main)):
        spot.line(darker(tone, 0.4), 0.008, (x, y + 0.2), (x * 0.4, 0.3), (0, 0.5))
        spot.shape(darker(tone, 0.2), (x - 0.03, y + 0.25), (x + 0.03, y + 0.25), (x, y + 0.19))
        spot.oval(x, y, (0.175, 0.215), tone)
        spot.oval(x - 0.07, y - 0.08, (0.03, 0.055), lighter(tone, 0.55))


def _cat(spot: Spot, main: Colour, second: Colour) -> None:
    spot.oval(0, 0.46, (0.34, 0.04), darker(second, 0.5))
    spot.ring(0.30, 0.26, 0.15, 0.06, darker(main, 0.1))
    spot.oval(0, 0.22, (0.27, 0.27), main)
    spot.oval(0, 0.30, (0.14, 0.17), lighter(main, 0.5))
    for side in (-1, 1):
        spot.shape(main, (side * 0.27, -0.46), (side * 0.28, -0.16), (side * 0.06, -0.30))
        spot.shape(lighter(second, 0.2), (side * 0.235, -0.38), (side * 0.235, -0.22), (side * 0.12, -0.29))
    spot.oval(0, -0.14, (0.29, 0.235), main)
    for side in (-1, 1):
        spot.oval(side * 0.115, -0.15, (0.045, 0.055), PAPER)
        spot.oval(side * 0.11, -0.145, (0.025, 0.045), NIGHT)
        for tilt in (-0.03, 0.03):
            spot.line(darker(main, 0.5), 0.008, (side * 0.1, -0.04), (side * 0.36, -0.05 + tilt * 1.6))
    spot.shape(darker(second, 0.1), (-0.035, -0.075), (0.035, -0.075), (0, -0.035))


def _bird(spot: Spot, main: Colour, second: Colour) -> None:
    spot.line(darker(second, 0.3), 0.016, (-0.02, 0.3), (-0.04, 0.48))
    spot.line(darker(second, 0.3), 0.016, (0.08, 0.3), (0.08, 0.48))
    spot.shape(darker(main, 0.2), (-0.2, 0.12), (-0.5, 0.22), (-0.44, 0.04))
    spot.oval(0, 0.08, (0.29, 0.26), main)
    spot.disc(0.17, -0.2, 0.17, main)
    spot.oval(0.1, 0.16, (0.16, 0.16), lighter(main, 0.5))
    spot.slice(-0.06, 0.02, 0.26, (60, 190), darker(main, 0.18))
    spot.shape(second, (0.31, -0.25), (0.48, -0.18), (0.31, -0.13))
    spot.disc(0.21, -0.23, 0.04, PAPER)
    spot.disc(0.22, -0.23, 0.022, NIGHT)


def _fish(spot: Spot, main: Colour, second: Colour) -> None:
    spot.shape(darker(main, 0.2), (-0.24, 0.0), (-0.49, -0.2), (-0.42, 0.0), (-0.49, 0.2))
    spot.shape(second, (-0.08, -0.16), (0.12, -0.34), (0.16, -0.14))
    spot.oval(0.06, 0, (0.38, 0.215), main)
    spot.slice(0.06, 0, 0.215, (20, 160), lighter(main, 0.3))
    for place in range(3):
        spot.slice(-0.12 + 0.13 * place, 0, 0.1, (-80, 80), lighter(main, 0.2 + 0.12 * place))
    spot.disc(0.29, -0.05, 0.045, PAPER)
    spot.disc(0.3, -0.05, 0.024, NIGHT)
    for x, y, radius in ((0.47, -0.22, 0.025), (0.43, -0.33, 0.035), (0.48, -0.42, 0.02)):
        spot.ring(x, y, radius, 0.008, lighter(second, 0.6))


def _shop(spot: Spot, main: Colour, second: Colour) -> None:
    spot.block((-0.44, 0.44, 0.46, 0.47), darker(second, 0.5))
    spot.block((-0.40, -0.36, 0.40, 0.45), lighter(main, 0.6))
    spot.block((-0.43, -0.42, 0.43, -0.34), darker(main, 0.25))
    spot.block((-0.30, -0.31, 0.30, -0.2), PAPER, 0.02)
    spot.block((-0.22, -0.27, 0.22, -0.24), second)
    spot.block((-0.34, 0.0, 0.06, 0.34), darker(second, 0.55))
    spot.block((-0.325, 0.015, 0.045, 0.325), mixed(second, PAPER, 0.55))
    spot.shape(
        mixed(second, PAPER, 0.75),
        (-0.26, 0.015),
        (-0.14, 0.015),
        (-0.28, 0.325),
        (-0.325, 0.325),
        (-0.325, 0.19),
    )
    spot.block((0.13, 0.0, 0.34, 0.45), darker(main, 0.3))
    spot.block((0.16, 0.03, 0.31, 0.28), mixed(second, PAPER, 0.6))
    spot.disc(0.165, 0.33, 0.012, PAPER)
    for place in range(8):
        left = -0.44 + 0.11 * place
        tone = main if place % 2 == 0 else PAPER
        spot.shape(tone, (left + 0.02, -0.18), (left + 0.12, -0.18), (left + 0.11, -0.02), (left, -0.02))
        spot.slice(left + 0.055, -0.02, 0.055, (0, 180), tone)


def _house(spot: Spot, main: Colour, second: Colour) -> None:
    spot.block((0.16, -0.4, 0.25, -0.12), darker(main, 0.35))
    spot.block((-0.32, -0.08, 0.32, 0.44), PAPER)
    spot.block((0.06, -0.08, 0.32, 0.44), darker(PAPER, 0.08))
    spot.shape(main, (-0.42, -0.04), (0, -0.44), (0.42, -0.04))
    spot.shape(darker(main, 0.2), (0, -0.44), (0.42, -0.04), (0.1, -0.04))
    spot.block((-0.07, 0.16, 0.09, 0.44), darker(second, 0.2), 0.01)
    for left in (-0.25, 0.16):
        spot.block((left, 0.04, left + 0.12, 0.17), lighter(second, 0.3), 0.01)
        spot.line(PAPER, 0.012, (left + 0.06, 0.04), (left + 0.06, 0.17))


def _car(spot: Spot, main: Colour, second: Colour) -> None:
    spot.oval(0, 0.31, (0.47, 0.035), darker(second, 0.5))
    spot.shape(main, (-0.26, -0.02), (-0.14, -0.23), (0.16, -0.23), (0.31, -0.02))
    spot.shape(lighter(second, 0.6), (-0.2, -0.03), (-0.11, -0.18), (0.0, -0.18), (0.0, -0.03))
    spot.shape(lighter(second, 0.45), (0.03, -0.03), (0.03, -0.18), (0.14, -0.18), (0.24, -0.03))
    spot.block((-0.47, -0.03, 0.47, 0.22), main, 0.07)
    spot.block((-0.47, 0.12, 0.47, 0.22), darker(main, 0.2), 0.05)
    spot.disc(0.44, 0.06, 0.03, lighter((250, 205, 44), 0.4))
    for x in (-0.27, 0.28):
        spot.disc(x, 0.22, 0.115, NIGHT)
        spot.disc(x, 0.22, 0.055, (200, 204, 210))


def _boat(spot: Spot, main: Colour, second: Colour) -> None:
    spot.line(darker(second, 0.5), 0.02, (0, -0.47), (0, 0.24))
    spot.shape(PAPER, (-0.025, -0.44), (-0.025, 0.16), (-0.36, 0.16))
    spot.shape(lighter(main, 0.3), (0.03, -0.4), (0.03, 0.16), (0.28, 0.16))
    spot.shape(main, (-0.42, 0.22), (0.44, 0.22), (0.3, 0.42), (-0.28, 0.42))
    spot.shape(darker(main, 0.25), (-0.33, 0.34), (0.36, 0.34), (0.3, 0.42), (-0.28, 0.42))


def _gift(spot: Spot, main: Colour, second: Colour) -> None:
    spot.oval(0, 0.44, (0.36, 0.04), darker(second, 0.5))
    spot.block((-0.32, -0.06, 0.32, 0.44), main, 0.015)
    spot.block((0.1, -0.06, 0.32, 0.44), darker(main, 0.14), 0.015)
    spot.block((-0.36, -0.19, 0.36, -0.05), lighter(main, 0.15), 0.02)
    spot.block((-0.065, -0.19, 0.065, 0.44), second)
    for side in (-1, 1):
        spot.oval(side * 0.13, -0.28, (0.14, 0.085), second)
        spot.oval(side * 0.14, -0.28, (0.075, 0.035), darker(second, 0.35))
    spot.disc(0, -0.23, 0.06, lighter(second, 0.25))


def _person(spot: Spot, main: Colour, second: Colour) -> None:
    skin, hair = (226, 172, 136), darker(second, 0.55)
    spot.slice(0, 0.5, 0.40, (180, 360), main)
    spot.slice(0, 0.5, 0.40, (270, 360), darker(main, 0.15))
    spot.disc(0, -0.19, 0.255, hair)
    spot.block((-0.255, -0.2, 0.255, 0.12), hair, 0.08)
    spot.block((-0.075, 0.0, 0.075, 0.17), darker(skin, 0.12), 0.03)
    spot.slice(0, 0.10, 0.12, (0, 180), darker(skin, 0.12))
    spot.oval(0, -0.13, (0.185, 0.215), skin)
    spot.slice(0, -0.2, 0.205, (180, 360), hair)
    for side in (-1, 1):
        spot.disc(side * 0.075, -0.12, 0.02, NIGHT)
        spot.disc(side * 0.115, -0.05, 0.03, mixed(skin, (222, 96, 84), 0.35))
    spot.slice(0, -0.045, 0.05, (10, 170), darker((206, 82, 74), 0.1))


def _book(spot: Spot, main: Colour, second: Colour) -> None:
    for place, (tone, shift) in enumerate(((second, 0.03), (main, -0.02), (lighter(second, 0.4), 0.01))):
        base = 0.42 - 0.19 * place
        spot.block((-0.36 + shift, base - 0.17, 0.36 + shift, base), tone, 0.025)
        spot.block((-0.28 + shift, base - 0.14, 0.36 + shift, base - 0.03), PAPER)
        spot.line(darker(PAPER, 0.15), 0.006, (-0.28 + shift, base - 0.085), (0.36 + shift, base - 0.085))
    spot.shape(PAPER, (-0.32, -0.34), (0, -0.26), (0, -0.14), (-0.32, -0.22))
    spot.shape(darker(PAPER, 0.1), (0.32, -0.34), (0, -0.26), (0, -0.14), (0.32, -0.22))


def _tree(spot: Spot, main: Colour, second: Colour) -> None:
    leaf = (74, 138, 92)
    spot.block((-0.045, 0.05, 0.045, 0.48), (112, 76, 52))
    for x, y, radius in ((-0.16, -0.02, 0.19), (0.17, -0.04, 0.18), (0.0, -0.2, 0.24), (0.0, 0.02, 0.18)):
        spot.disc(x, y, radius, leaf)
    for x, y, radius in ((-0.08, -0.26, 0.1), (-0.2, -0.06, 0.07), (0.1, -0.12, 0.08)):
        spot.disc(x, y, radius, lighter(leaf, 0.22))
    for x, y in ((-0.14, 0.03), (0.08, -0.02), (0.18, -0.12), (-0.05, -0.16), (0.02, -0.32)):
        spot.disc(x, y, 0.03, main)


def _apple(spot: Spot, main: Colour, second: Colour) -> None:
    spot.line((92, 62, 44), 0.03, (0.0, -0.2), (0.04, -0.42))
    spot.shape((74, 138, 92), (0.04, -0.3), (0.16, -0.44), (0.3, -0.4), (0.18, -0.28))
    spot.disc(-0.13, 0.08, 0.29, main)
    spot.disc(0.13, 0.08, 0.29, darker(main, 0.12))
    spot.oval(0, 0.12, (0.2, 0.3), main)
    spot.oval(-0.24, -0.02, (0.05, 0.1), lighter(main, 0.5))


def _lamp(spot: Spot, main: Colour, second: Colour) -> None:
    spot.shape(lighter((250, 205, 44), 0.5), (-0.24, -0.08), (0.24, -0.08), (0.46, 0.46), (-0.46, 0.46))
    spot.line(darker(second, 0.4), 0.025, (0, -0.02), (0, 0.46))
    spot.oval(0, 0.46, (0.18, 0.04), darker(second, 0.4))
    spot.shape(main, (-0.14, -0.44), (0.14, -0.44), (0.28, -0.06), (-0.28, -0.06))
    spot.shape(darker(main, 0.15), (0.04, -0.44), (0.14, -0.44), (0.28, -0.06), (0.08, -0.06))


def _bag(spot: Spot, main: Colour, second: Colour) -> None:
    spot.oval(0, 0.45, (0.38, 0.035), darker(second, 0.5))
    spot.ring(0, -0.12, 0.21, 0.04, darker(main, 0.3))
    spot.shape(main, (-0.3, -0.12), (0.3, -0.12), (0.37, 0.44), (-0.37, 0.44))
    spot.shape(darker(main, 0.14), (0.08, -0.12), (0.3, -0.12), (0.37, 0.44), (0.1, 0.44))
    spot.block((-0.13, 0.08, 0.13, 0.24), second, 0.03)
    spot.disc(0, 0.16, 0.03, PAPER)


def _bread(spot: Spot, main: Colour, second: Colour) -> None:
    crust = (194, 128, 66)
    spot.oval(0, 0.36, (0.46, 0.05), darker(second, 0.5))
    spot.oval(0, 0.12, (0.45, 0.25), darker(crust, 0.2))
    spot.oval(0, 0.08, (0.44, 0.25), crust)
    for x in (-0.2, -0.02, 0.16):
        spot.shape(
            lighter(crust, 0.55), (x - 0.06, 0.17), (x - 0.02, 0.19), (x + 0.13, -0.05), (x + 0.08, -0.08)
        )


def _chart(spot: Spot, main: Colour, second: Colour) -> None:
    spot.block((-0.46, -0.42, 0.46, 0.44), PAPER, 0.04)
    for place, tall in enumerate((0.2, 0.32, 0.27, 0.46, 0.6)):
        left = -0.36 + 0.15 * place
        spot.block((left, 0.34 - tall, left + 0.1, 0.34), main if place == 4 else lighter(main, 0.45), 0.012)
    points = ((-0.31, 0.02), (-0.16, -0.08), (-0.01, -0.05), (0.14, -0.2), (0.29, -0.34))
    spot.line(second, 0.016, *points)
    for x, y in points:
        spot.disc(x, y, 0.022, second)
    spot.line(darker(PAPER, 0.5), 0.008, (-0.4, 0.345), (0.4, 0.345))


def _rocket(spot: Spot, main: Colour, second: Colour) -> None:
    spot.shape((250, 190, 60), (-0.09, 0.24), (0.09, 0.24), (0, 0.5))
    spot.shape((240, 112, 60), (-0.05, 0.24), (0.05, 0.24), (0, 0.4))
    for side in (-1, 1):
        spot.shape(darker(main, 0.2), (side * 0.13, 0.02), (side * 0.28, 0.28), (side * 0.12, 0.24))
    spot.oval(0, -0.08, (0.16, 0.38), PAPER)
    spot.slice(0, -0.08, 0.16, (0, 180), PAPER)
    spot.shape(main, (-0.125, -0.3), (0, -0.49), (0.125, -0.3))
    spot.block((-0.13, 0.2, 0.13, 0.26), main)
    spot.disc(0, -0.12, 0.075, darker(second, 0.3))
    spot.disc(0, -0.12, 0.05, lighter(second, 0.4))


MOTIFS: Mapping[str, Motif] = {
    "cup": _cup, "bottle": _bottle, "shoe": _shoe, "flower": _flower, "heart": _heart, "star": _star,
    "balloon": _balloon, "cat": _cat, "bird": _bird, "fish": _fish, "shop": _shop, "house": _house, "car": _car,
    "boat": _boat, "gift": _gift, "person": _person, "book": _book, "tree": _tree, "apple": _apple, "lamp": _lamp,
    "bag": _bag, "bread": _bread, "chart": _chart, "rocket": _rocket,
}  # fmt: skip

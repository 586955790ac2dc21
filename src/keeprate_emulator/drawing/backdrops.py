"""What lies behind the subject: land, sea, sky, or plain geometry. Each fills the whole canvas."""

import math
import random
from collections.abc import Callable, Mapping

from keeprate_emulator.drawing.canvas import Canvas, Point, around
from keeprate_emulator.drawing.colours import Colour, darker, lighter, mixed

Accents = tuple[Colour, Colour, Colour]

# What land and water lean to, whatever the set of colours.
_WATER: Colour = (28, 108, 138)
_LEAF: Colour = (62, 118, 88)
_ROCK: Colour = (104, 110, 142)
_SAND: Colour = (226, 160, 92)
Backdrop = Callable[[Canvas, Colour, Accents, random.Random], None]


def _plain(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    canvas.wash(lighter(ground, 0.18), ground)
    floor = canvas.high * 0.74
    canvas.block((0, floor), (canvas.wide, canvas.high), mixed(ground, accents[2], 0.28))
    canvas.disc((canvas.wide * 0.5, canvas.high * 0.46), 0.36, mixed(ground, accents[1], 0.55))


def _sun(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    canvas.wash(mixed(ground, accents[1], 0.55), mixed(ground, accents[0], 0.45))
    centre = (canvas.wide * dice.uniform(0.38, 0.62), canvas.high * 0.48)
    for place, reach in enumerate((0.44, 0.37, 0.30)):
        canvas.disc(centre, reach, mixed(accents[1], lighter(ground, 0.5), 0.62 - place * 0.2))
    canvas.disc(centre, 0.23, lighter(accents[1], 0.15))
    for place in range(4):
        top = canvas.high * (0.66 + place * 0.1)
        tone = mixed(accents[2], darker(accents[2], 0.5), place / 3)
        _hill(canvas, top, swing=0.05 + 0.02 * place, shift=place * 1.7, colour=tone)


def _burst(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    centre = (canvas.wide / 2, canvas.high * 0.58)
    canvas.wash(mixed(accents[1], ground, 0.2), accents[1])
    rays = around(centre, canvas.wide + canvas.high, 44, turn=dice.uniform(0, 8))
    for one, other in zip(rays[::2], rays[1::2], strict=True):
        canvas.shape((centre, one, other), mixed(accents[1], lighter(ground, 0.4), 0.42))
    canvas.disc(centre, 0.30, accents[0])
    canvas.ring(centre, 0.335, 0.012, accents[0])
    canvas.shape(around(centre, 0.2, 5, inner=0.42), lighter(accents[1], 0.5))
    _garland(canvas, (accents[2], accents[0], lighter(ground, 0.5)))
    for _ in range(70):
        _confetto(canvas, accents, ground, dice)


def _mountains(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    canvas.wash(mixed(ground, accents[1], 0.3), lighter(mixed(ground, accents[0], 0.35), 0.2))
    canvas.disc((canvas.wide * 0.7, canvas.high * 0.3), 0.13, lighter(accents[1], 0.35))
    rock = mixed(accents[2], _ROCK, 0.55)
    for place in range(3):
        tone = mixed(lighter(rock, 0.4), darker(rock, 0.5), place / 2)
        base, count = canvas.high * (0.80 + 0.1 * place), 3 + place
        for peak in range(count):
            x = canvas.wide * (peak + 0.5 + dice.uniform(-0.25, 0.25)) / count
            tall, half = dice.uniform(0.3, 0.48) - 0.05 * place, dice.uniform(0.26, 0.4)
            _peak(canvas, (x, base), (half, tall), tone)
        canvas.block((0, base - 0.001), (canvas.wide, canvas.high), tone)


def _sea(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    canvas.wash(mixed(ground, accents[1], 0.25), lighter(ground, 0.35), down_to=canvas.high * 0.6)
    canvas.disc((canvas.wide * 0.32, canvas.high * 0.34), 0.15, mixed(accents[0], (250, 186, 80), 0.5))
    water = mixed(accents[2], _WATER, 0.8)
    for place in range(6):
        tone = mixed(lighter(water, 0.3), darker(water, 0.45), place / 5)
        top = canvas.high * (0.52 + 0.085 * place)
        _hill(
            canvas,
            top,
            swing=0.018 + place * 0.006,
            shift=place * 2.1 + dice.random(),
            colour=tone,
            waves=5.0,
        )


def _forest(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    canvas.wash(lighter(mixed(ground, accents[1], 0.3), 0.2), mixed(ground, _LEAF, 0.3))
    canvas.disc((canvas.wide * 0.62, canvas.high * 0.32), 0.14, lighter(accents[1], 0.3))
    leaf = mixed(accents[2], _LEAF, 0.75)
    for row in range(3):
        tone = mixed(lighter(leaf, 0.35), darker(leaf, 0.55), row / 2)
        base, count = canvas.high * (0.70 + 0.12 * row), max(3, round(canvas.wide * (9 - 2 * row)))
        for place in range(count + 1):
            x = canvas.wide * (place + dice.uniform(-0.3, 0.3)) / count
            _fir(canvas, (x, base), dice.uniform(0.24, 0.36) + 0.06 * row, tone)
        canvas.block((0, base - 0.01), (canvas.wide, canvas.high), tone)


def _city(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    canvas.wash(mixed(ground, accents[0], 0.25), lighter(mixed(ground, accents[1], 0.55), 0.1))
    canvas.disc((canvas.wide * 0.5, canvas.high * 0.46), 0.2, lighter(accents[1], 0.25))
    for row in range(3):
        tone = mixed(lighter(accents[2], 0.25), darker(accents[2], 0.65), row / 2)
        x, lit = -0.05, lighter(accents[1], 0.2) if row == 2 else lighter(tone, 0.18)
        while x < canvas.wide:
            width, tall = dice.uniform(0.09, 0.17), dice.uniform(0.2, 0.46) * (1.15 - 0.22 * row)
            top = canvas.high * (0.86 + 0.05 * row) - tall
            canvas.block((x, top), (x + width, canvas.high), tone)
            _windows(canvas, (x, top), width, lit, dice)
            x += width + dice.uniform(0.0, 0.02)


def _dunes(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    canvas.wash(mixed(ground, accents[2], 0.25), lighter(accents[1], 0.35))
    canvas.disc((canvas.wide * 0.66, canvas.high * 0.3), 0.12, lighter(ground, 0.6))
    for place in range(5):
        tone = mixed(lighter(_SAND, 0.3), darker(mixed(_SAND, accents[0], 0.5), 0.3), place / 4)
        top = canvas.high * (0.5 + 0.11 * place)
        _hill(canvas, top, swing=0.07, shift=place * 2.4 + dice.random(), colour=tone, waves=1.4)


def _night(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    deep = darker(mixed(accents[2], (16, 20, 58), 0.75), 0.35)
    canvas.wash(deep, mixed(deep, accents[2], 0.55))
    for _ in range(90):
        spot = (dice.uniform(0, canvas.wide), dice.uniform(0, canvas.high * 0.75))
        canvas.disc(spot, dice.choice((0.0018, 0.0026, 0.004)), (252, 246, 226))
    moon = (canvas.wide * 0.66, canvas.high * 0.32)
    canvas.disc(moon, 0.17, (250, 240, 210))
    canvas.disc((moon[0] - 0.07, moon[1] - 0.03), 0.15, mixed(deep, accents[2], 0.22))
    for place in range(3):
        tone = darker(mixed(deep, accents[2], 0.3 - 0.1 * place), 0.1 + 0.25 * place)
        _hill(canvas, canvas.high * (0.72 + 0.1 * place), swing=0.05, shift=place * 2.0, colour=tone)


def _arches(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    canvas.wash(lighter(ground, 0.2), ground)
    middle, base = canvas.wide / 2, canvas.high
    for place, tone in enumerate((accents[2], accents[1], accents[0], lighter(ground, 0.35))):
        reach = 0.46 - 0.085 * place
        canvas.disc((middle, canvas.high * 0.55), reach, tone)
        canvas.block((middle - reach, canvas.high * 0.55), (middle + reach, base), tone)


def _bauhaus(canvas: Canvas, ground: Colour, accents: Accents, dice: random.Random) -> None:
    step = 0.25
    tones = (ground, *accents, lighter(ground, 0.4), darker(accents[2], 0.4))
    for row in range(int(canvas.high / step) + 1):
        for column in range(int(canvas.wide / step) + 1):
            left, top = column * step, row * step
            back, front = dice.sample(tones, 2)
            canvas.block((left, top), (left + step, top + step), back)
            corner = dice.choice(
                ((left, top), (left + step, top), (left, top + step), (left + step, top + step))
            )
            turn = {(0, 0): 0, (1, 0): 90, (1, 1): 180, (0, 1): 270}[
                (int(corner[0] > left), int(corner[1] > top))
            ]
            kind = dice.randrange(3)
            if kind == 0:
                canvas.slice(corner, step, (turn, turn + 90), front)
            elif kind == 1:
                canvas.disc((left + step / 2, top + step / 2), step * 0.32, front)


def _hill(
    canvas: Canvas, top: float, *, swing: float, shift: float, colour: Colour, waves: float = 2.2
) -> None:
    steps = 48
    line: list[Point] = [
        (canvas.wide * step / steps, top + swing * math.sin(shift + waves * canvas.wide * step / steps * 2.2))
        for step in range(steps + 1)
    ]
    canvas.shape((*line, (canvas.wide, canvas.high), (0, canvas.high)), colour)


def _peak(canvas: Canvas, foot: Point, span: Point, tone: Colour) -> None:
    (x, base), (half, tall) = foot, span
    top = (x, base - tall)
    canvas.shape(((x - half, base), top, (x + half, base)), tone)
    canvas.shape((top, (x + half, base), (x + half * 0.12, base)), darker(tone, 0.14))
    snow = lighter(tone, 0.7)
    canvas.shape(
        (top, (x + half * 0.27, base - tall * 0.73), (x + half * 0.1, base - tall * 0.79), (x - half * 0.04, base - tall * 0.7),
         (x - half * 0.15, base - tall * 0.78), (x - half * 0.27, base - tall * 0.73)),
        snow,
    )  # fmt: skip


def _fir(canvas: Canvas, foot: Point, tall: float, tone: Colour) -> None:
    x, base = foot
    for tier in range(3):
        top, half = base - tall * (1 - 0.22 * tier), tall * (0.13 + 0.06 * tier)
        canvas.shape(((x, top), (x + half, top + tall * 0.42), (x - half, top + tall * 0.42)), tone)


def _windows(canvas: Canvas, corner: Point, width: float, lit: Colour, dice: random.Random) -> None:
    x, top = corner
    for row in range(12):
        for column in range(3):
            if dice.random() < 0.45:
                left, upper = x + width * (0.16 + 0.26 * column), top + 0.025 + row * 0.036
                canvas.block((left, upper), (left + width * 0.14, upper + 0.018), lit)


def _garland(canvas: Canvas, tones: Accents) -> None:
    count = max(6, round(canvas.wide * 9))
    for place in range(count):
        share = (place + 0.5) / count
        x, sag = canvas.wide * share, 0.05 + 0.10 * (1 - (2 * share - 1) ** 2)
        half = canvas.wide / count * 0.42
        canvas.shape(((x - half, sag), (x + half, sag), (x, sag + half * 2.1)), tones[place % 3])


def _confetto(canvas: Canvas, accents: Accents, ground: Colour, dice: random.Random) -> None:
    x, y = dice.uniform(0, canvas.wide), dice.uniform(0.1, canvas.high)
    size = dice.uniform(0.006, 0.014)
    colour = dice.choice((accents[2], accents[0], lighter(ground, 0.6)))
    canvas.shape(around((x, y), size, 4, turn=dice.uniform(0, 90)), colour)


BACKDROPS: Mapping[str, Backdrop] = {
    "plain": _plain, "sun": _sun, "burst": _burst, "mountains": _mountains, "sea": _sea, "forest": _forest,
    "city": _city, "dunes": _dunes, "night": _night, "arches": _arches, "bauhaus": _bauhaus,
}  # fmt: skip

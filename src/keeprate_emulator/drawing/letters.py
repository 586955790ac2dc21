"""Letters one by one. The bundled face has plain Latin only; accents are drawn onto its letters.

A letter beyond that becomes its nearest spelling (`ss` for `ß`) or a question mark, and the truth says so.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from keeprate_emulator.drawing.colours import Colour

Stroke = tuple[tuple[float, float], ...]

TRACKING = 0.018  # space added between letters, in type sizes
_WEIGHT = 0.075  # thickness of an accent, in type sizes
_PLAIN = frozenset(map(chr, range(32, 127))) | frozenset("‘’“”©«°±´·»")
# Combining marks as strokes in type sizes, around a point above the letter; a stroke of one point is a dot.
_ABOVE: Mapping[str, tuple[Stroke, ...]] = {
    "\u0300": (((-0.08, -0.06), (0.05, 0.04)),),
    "\u0301": (((-0.05, 0.04), (0.08, -0.06)),),
    "\u0302": (((-0.11, 0.04), (0.0, -0.06), (0.11, 0.04)),),
    "\u0303": (((-0.13, 0.02), (-0.05, -0.03), (0.05, 0.03), (0.13, -0.02)),),
    "\u0304": (((-0.11, 0.0), (0.11, 0.0)),),
    "\u0306": (((-0.11, -0.05), (-0.05, 0.03), (0.05, 0.03), (0.11, -0.05)),),
    "\u0307": (((0.0, 0.0),),),
    "\u0308": (((-0.1, 0.0),), ((0.1, 0.0),)),
    "\u030a": (((-0.07, 0.0), (0.0, -0.07), (0.07, 0.0), (0.0, 0.07), (-0.07, 0.0)),),
    "\u030b": (((-0.1, 0.04), (-0.02, -0.06)), ((0.05, 0.04), (0.13, -0.06))),
    "\u030c": (((-0.11, -0.06), (0.0, 0.04), (0.11, -0.06)),),
}
_BELOW: Mapping[str, tuple[Stroke, ...]] = {
    "\u0326": (((0.02, 0.07), (-0.03, 0.17)),),
    "\u0327": (((0.0, 0.0), (0.06, 0.09), (-0.07, 0.15)),),
    "\u0328": (((0.08, 0.0), (0.02, 0.1), (0.12, 0.14)),),
}
# Letters with a bar, as their base and the bar across its middle.
_BARRED: Mapping[str, tuple[str, Stroke]] = {
    "ø": ("o", ((-0.2, 0.26), (0.2, -0.26))), "Ø": ("O", ((-0.26, 0.36), (0.26, -0.36))),
    "ł": ("l", ((-0.13, 0.06), (0.13, -0.08))), "Ł": ("L", ((-0.32, 0.06), (0.02, -0.12))),
    "€": ("C", ((-0.42, 0.0), (0.12, 0.0))), "–": ("-", ((-0.18, 0.0), (0.18, 0.0))),
    "—": ("-", ((-0.3, 0.0), (0.3, 0.0))), "•": (".", ((0.0, -0.3),)),
}  # fmt: skip
_AS = {"…": "...", "\u00a0": " ", "×": "x", "′": "'", "\u2011": "-"}
_NEAREST = {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How letters are drawn: size in pixels, colour, and the pixels by which bold swells them."""

    size: int
    colour: Colour
    stroke: int


def settable(text: str) -> str:
    """Return the text as it can be set, what the face lacks replaced."""
    plain = "".join(_AS.get(letter, letter) for letter in unicodedata.normalize("NFC", text))
    return "".join(letter if _composed(letter) else _NEAREST.get(letter, "?") for letter in plain)


def lacks(text: str) -> bool:
    """Return whether the face lacks a letter of the text that a reader would miss."""
    return any(
        _composed(letter) is None and letter not in _AS for letter in unicodedata.normalize("NFC", text)
    )


def width_of(text: str, size: int) -> float:
    """Return the width in pixels of a settable line."""
    return sum(_advance(letter, size) for letter in text) + TRACKING * size * max(0, len(text) - 1)


def set_line(picture: Image.Image, middle: tuple[float, float], text: str, hand: Hand) -> None:
    """Draw a settable line around its middle."""
    pen = ImageDraw.Draw(picture)
    ascent, descent = metrics(hand.size)
    across, baseline = middle[0] - width_of(text, hand.size) / 2, middle[1] + (ascent - descent) / 2
    for letter in text:
        _set_letter(pen, (across, baseline), letter, hand)
        across += _advance(letter, hand.size) + TRACKING * hand.size


@lru_cache(maxsize=64)
def face(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the bundled face at a size in pixels."""
    return ImageFont.load_default(size)


def metrics(size: int) -> tuple[int, int]:
    """Return how far letters reach above and below the baseline."""
    font = face(size)
    return font.getmetrics() if isinstance(font, ImageFont.FreeTypeFont) else (size, 0)


def _composed(letter: str) -> tuple[str, str] | None:
    """Return a letter's base and marks, None when it cannot be set."""
    if letter in _PLAIN or letter in _BARRED:
        return letter, ""
    base, *marks = unicodedata.normalize("NFD", letter)
    known = base in _PLAIN and marks and all(mark in _ABOVE or mark in _BELOW for mark in marks)
    return (base, "".join(marks)) if known else None


@lru_cache(maxsize=4096)
def _advance(letter: str, size: int) -> float:
    base, _ = _composed(letter) or ("?", "")
    if base in "–—":
        return size * (0.5 if base == "–" else 0.74)
    return face(size).getlength(_BARRED[base][0] if base in _BARRED else base)


def _set_letter(pen: ImageDraw.ImageDraw, origin: tuple[float, float], letter: str, hand: Hand) -> None:
    base, marks = _composed(letter) or ("?", "")
    shown, bar = _BARRED.get(base, (base, ()))
    font = face(hand.size)
    if base not in "–—•":
        pen.text(
            origin,
            shown,
            font=font,
            fill=hand.colour,
            anchor="ls",
            stroke_width=hand.stroke,
            stroke_fill=hand.colour,
        )
    left, top, right, bottom = pen.textbbox(origin, shown, font=font, anchor="ls")
    centre = (left + right) / 2 if base not in "–—•" else origin[0] + _advance(letter, hand.size) / 2
    if bar:
        _mark(pen, (centre, (top + bottom) / 2), (bar,), hand)
    for mark in marks:
        above = mark in _ABOVE
        height = top - 0.12 * hand.size if above else origin[1]
        _mark(pen, (centre, height), _ABOVE[mark] if above else _BELOW[mark], hand)


def _mark(pen: ImageDraw.ImageDraw, at: tuple[float, float], strokes: tuple[Stroke, ...], hand: Hand) -> None:
    thick = max(1.0, _WEIGHT * hand.size + hand.stroke)
    for stroke in strokes:
        points = [(at[0] + x * hand.size, at[1] + y * hand.size) for x, y in stroke]
        if len(points) > 1:
            pen.line(points, fill=hand.colour, width=round(thick), joint="curve")
        for x, y in points if len(points) > 2 or len(points) == 1 else ():
            reach = thick * (0.68 if len(points) == 1 else 0.5)
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=hand.colour)

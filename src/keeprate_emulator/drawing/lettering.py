"""Words set in type: as large as their box allows, broken where it helps."""

from dataclasses import dataclass
from itertools import combinations

from PIL import Image

from keeprate_emulator.drawing.colours import Colour
from keeprate_emulator.drawing.letters import Hand, set_line, width_of

Box = tuple[int, int, int, int]

_PROOF = 100  # pixels at which words are measured; type scales evenly
_LEADING = 1.16
_STROKE = 0.02  # the bundled face has one weight; a line around it gives the headline another


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Lines at a size in pixels."""

    lines: tuple[str, ...]
    size: int

    @property
    def height(self) -> int:
        """Height of all lines."""
        return round(self.size * _LEADING * len(self.lines))


def best_setting(words: str, width: int, height: int, *, largest: int) -> Setting:
    """Return the breaking of the words into lines that allows the largest type in the box."""
    candidates = [Setting(lines=lines, size=_size(lines, width, height)) for lines in _breakings(words)]
    best = max(candidates, key=lambda setting: setting.size)
    return Setting(lines=best.lines, size=max(8, min(best.size, largest)))


def set_lines(picture: Image.Image, setting: Setting, box: Box, *, colour: Colour, bold: bool) -> None:
    """Draw the lines centred in the box."""
    left, top, right, bottom = box
    pitch = setting.size * _LEADING
    stroke = max(1, round(setting.size * _STROKE)) if bold else 0
    hand = Hand(size=setting.size, colour=colour, stroke=stroke)
    first = (top + bottom - pitch * len(setting.lines)) / 2
    for place, line in enumerate(setting.lines):
        set_line(picture, ((left + right) / 2, first + pitch * (place + 0.5)), line, hand)


def _size(lines: tuple[str, ...], width: int, height: int) -> int:
    widest = max(width_of(line, _PROOF) for line in lines) + 2 * _PROOF * _STROKE
    return int(min(width / max(1.0, widest) * _PROOF, height / (_LEADING * len(lines))))


def _breakings(words: str) -> list[tuple[str, ...]]:
    """Return ways to break words into lines: all of them for a few words, even ones for many."""
    parts = words.split() or [""]
    if len(parts) <= 7:
        return [
            tuple(" ".join(parts[a:b]) for a, b in zip((0, *cuts), (*cuts, len(parts)), strict=True))
            for count in range(len(parts))
            for cuts in combinations(range(1, len(parts)), count)
        ]
    return [_even(parts, count) for count in range(1, min(len(parts), 12) + 1)]


def _even(parts: list[str], count: int) -> tuple[str, ...]:
    goal = sum(map(len, parts)) / count
    lines: list[str] = []
    line: list[str] = []
    for part in parts:
        line.append(part)
        if sum(map(len, line)) >= goal and len(lines) < count - 1:
            lines.append(" ".join(line))
            line = []
    return tuple(lines) if not line else (*lines, " ".join(line))

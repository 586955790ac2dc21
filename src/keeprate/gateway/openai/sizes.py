"""What `size` and `quality` come to here: a ratio and a size class that the models in question draw.

`size` in pixels says the ratio and the class, whatever the quality: nobody pays for more pixels than were
asked for. Where `size` is `auto` or absent, `quality` says the class. It says how long a named model
thinks, too, where that model takes a level; with `auto` it does not, for a level would shut out models
that think as they like.

    quality                         class (size auto)   thinking (model named)
    low                             1K                  minimal
    auto, medium, standard, none    1K                  the model's own
    high, hd                        2K                  high
    xhigh                           2K                  high
    max                             4K                  high
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keeprate.catalogue.cards import ModelCard
from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import SQUARE, Ratio, Size
from keeprate.domain.purposes import Thinking

AUTO: Final = "auto"
# A ratio of 1.75 is drawn as 16:9; anything further off would be another picture.
FARTHEST: Final = 0.02
_PIXELS: Final = re.compile(r"([1-9]\d{0,4})[xX]([1-9]\d{0,4})\Z", re.ASCII)
_ALL: Final = tuple(Size)
# The longest side of a square of as many pixels: up to 3:2 of 1024 lines is 1K, 2560x1440 is 2K, 3840x2160 is 4K.
_CLASSES: Final = ((640, Size.HALF_K), (1448, Size.ONE_K), (2400, Size.TWO_K), (4700, Size.FOUR_K))
_CLASS_OF: Final[Mapping[str, Size]] = {
    "high": Size.TWO_K,
    "hd": Size.TWO_K,
    "xhigh": Size.TWO_K,
    "max": Size.FOUR_K,
}
_THINKING_OF: Final[Mapping[str, Thinking]] = {
    "low": Thinking.MINIMAL,
    "high": Thinking.HIGH,
    "hd": Thinking.HIGH,
    "xhigh": Thinking.HIGH,
    "max": Thinking.HIGH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What to draw. `ratio` None leaves it to the upstream, `thinking` None to the model."""

    ratio: Ratio | None
    size: Size
    thinking: Thinking | None


def fitted(
    size: str | None, quality: str | None, cards: Sequence[ModelCard], *, is_named: bool, largest: Size | None
) -> Fitted:
    """Return what `size` and `quality` come to on `cards`, the models that may draw it.

    `is_named` tells that the caller named the model; `largest` is what the caller's key allows.

    Raises:
        InvalidValue: No size in pixels, or of a ratio that is over 2 % from all that are drawn.
    """
    word = quality or AUTO
    if size is None or size == AUTO:
        ratio, drawn = None, _within(_CLASS_OF.get(word, Size.ONE_K), cards, largest)
    else:
        width, height = _pixels(size)
        ratio = _nearest(width, height, cards)
        drawn = _class_of(width, height, ratio, cards)
    wanted = _THINKING_OF.get(word) if is_named else None
    levels = {terms.level for card in cards for terms in card.thinking}
    return Fitted(ratio=ratio, size=drawn, thinking=wanted if wanted in levels else None)


def _pixels(size: str) -> tuple[int, int]:
    found = _PIXELS.match(size)
    if found is None:
        raise InvalidValue(
            f"size {size!r} is not of the form WIDTHxHEIGHT",
            field="size",
            value=size,
            remedy="write it like 1024x1536, or auto",
        )
    return int(found[1]), int(found[2])


def _nearest(width: int, height: int, cards: Sequence[ModelCard]) -> Ratio:
    offered = sorted({ratio for card in cards for ratio in card.ratios} or {SQUARE})
    wanted = math.log(width / height)

    def distance(ratio: Ratio) -> float:
        return abs(math.log(ratio.width / ratio.height) - wanted)

    nearest = min(offered, key=distance)
    off = math.exp(distance(nearest)) - 1
    if off <= FARTHEST:
        return nearest
    shown = next(
        (str(card.grid[nearest, Size.ONE_K]) for card in cards if (nearest, Size.ONE_K) in card.grid), None
    )
    raise InvalidValue(
        f"size {width}x{height} is not drawn here: the nearest ratio, {nearest}, is {off:.0%} off",
        field="size",
        value=f"{width}x{height}",
        remedy=f"ask for {shown or nearest}, or for one of: {', '.join(str(ratio) for ratio in offered)}",
        facts={"nearest": str(nearest)},
    )


def _class_of(width: int, height: int, ratio: Ratio, cards: Sequence[ModelCard]) -> Size:
    edge = math.sqrt(width * height)
    found = next((size for most, size in _CLASSES if edge <= most), None)
    if found is None:
        raise InvalidValue(
            f"size {width}x{height} is larger than what is drawn here",
            field="size",
            value=f"{width}x{height}",
            remedy="ask for 4096x4096 pixels at most",
        )
    # Few models draw half a K; one K of another is what stands nearest to it.
    draws_half = any((ratio, Size.HALF_K) in card.grid for card in cards)
    return Size.ONE_K if found is Size.HALF_K and not draws_half else found


def _within(wanted: Size, cards: Sequence[ModelCard], largest: Size | None) -> Size:
    """Return the class that quality stands for, or the largest below it that may be had."""
    most = _ALL.index(wanted if largest is None else min(wanted, largest, key=_ALL.index))
    drawn = [size for size in {size for card in cards for size in card.sizes} if _ALL.index(size) <= most]
    return max(drawn, key=_ALL.index, default=Size.ONE_K)

"""Shipped mixes: which share of the images goes to which model, and what was claimed of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from keeprate.domain.errors import InvalidValue
from keeprate.domain.routes import ModelId
from keeprate.routing.six_model import (
    FLASH_31,
    IMAGEN_FAST,
    IMAGEN_STANDARD,
    IMAGEN_ULTRA,
    NANO_BANANA,
    NANO_BANANA_PRO,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares in whole percent, which add up to 100. `notes` are told with every estimate of it."""

    name: str
    percents: tuple[tuple[ModelId, int], ...]
    notes: tuple[str, ...]


SIX_MODEL_BLEND: Final = Mix(
    name="six-model-blend",
    percents=(
        (NANO_BANANA, 65),
        (IMAGEN_FAST, 12),
        (IMAGEN_STANDARD, 10),
        (FLASH_31, 6),
        (NANO_BANANA_PRO, 5),
        (IMAGEN_ULTRA, 2),
    ),
    notes=(
        "the founding $0.041 an image ($410 per 10,000) does not follow from its own shares and the rate card "
        "of 2026-04-09, which give $0.04367 ($436.70); tokens x rates give $0.043507 ($435.07)",
        "the founding $0.021 with batch halves every model, but Imagen has no batch lane: half price on the "
        "Gemini rows alone gives $0.025635 ($256.35 per 10,000)",
        "the founding '6x cheaper than all Pro' compares with 4K Pro; at 1K it is 1340 / 436.70 = 3.07x",
    ),
)
MIXES: Final[Mapping[str, Mix]] = MappingProxyType({mix.name: mix for mix in (SIX_MODEL_BLEND,)})


def mix_named(name: str) -> Mix:
    """Return the shipped mix called `name`.

    Raises:
        InvalidValue: No such mix.
    """
    mix = MIXES.get(name)
    if mix is None:
        raise InvalidValue(
            f"mix {name!r} is not known", field="mix", value=name, remedy="use one of: " + ", ".join(MIXES)
        )
    return mix


def apportioned(mix: Mix, count: int) -> tuple[tuple[ModelId, int], ...]:
    """Return whole images per model that add up to `count`: the largest remainders get the odd ones."""
    shares = [(model, *divmod(count * percent, 100)) for model, percent in mix.percents]
    left = count - sum([whole for _, whole, _ in shares])
    by_rest = sorted(range(len(shares)), key=lambda index: (-shares[index][2], index))
    lucky = frozenset(by_rest[:left])
    return tuple([(model, whole + (index in lucky)) for index, (model, whole, _) in enumerate(shares)])

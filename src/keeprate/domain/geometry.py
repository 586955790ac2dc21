"""Sizes, ratios and pixels."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from keeprate.domain.errors import InvalidValue


class Size(StrEnum):
    """The size class a model is asked for. "512" is the wire's word for half a K."""

    HALF_K = "512"
    ONE_K = "1K"
    TWO_K = "2K"
    FOUR_K = "4K"


_RATIO = re.compile(r"([1-9]\d?):([1-9]\d?)\Z", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Ratio:
    """Width to height, as the wire writes it: "16:9" is not "32:18"."""

    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the ratio that `text` ("W:H", each 1 to 99) names.

        Raises:
            InvalidValue: Not of that form.
        """
        found = _RATIO.match(text)
        if found is None:
            raise InvalidValue(
                f"ratio {text!r} is not of the form W:H",
                field="ratio",
                value=text,
                remedy="write it like 16:9 or 1:1",
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """Return the wire's spelling."""
        return f"{self.width}:{self.height}"


@dataclass(frozen=True, slots=True, order=True)
class Pixels:
    width: int
    height: int

    def __str__(self) -> str:
        """Return "1376x768"."""
        return f"{self.width}x{self.height}"


SQUARE = Ratio(1, 1)

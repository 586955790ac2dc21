"""The exact pixels of each (grid, size, ratio)."""

from collections.abc import Mapping
from functools import cache

from keeprate_emulator import facts

Pixels = tuple[int, int]


@cache
def _grids() -> Mapping[str, Mapping[str, Mapping[str, Pixels]]]:
    return {
        grid: {size: {ratio: (row[0], row[1]) for ratio, row in rows.items()} for size, rows in sizes.items()}
        for grid, sizes in facts.table("grids").items()
    }


def pixels_of(grid: str, size: str, ratio: str) -> Pixels:
    """Return width and height of a picture that a model of this grid draws."""
    return _grids()[grid][size][ratio]


def nearest_ratio(pixels: Pixels, ratios: tuple[str, ...]) -> str:
    """Return the ratio that an edit takes over from its input picture when none is asked for."""
    width, height = pixels

    def distance(ratio: str) -> float:
        across, down = map(int, ratio.split(":"))
        wanted, given = across / down, width / height
        return max(wanted / given, given / wanted)

    return min(ratios, key=distance)

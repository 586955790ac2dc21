"""What the decoder child is asked and what it answers; importing it loads no image library."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to do with the payload: `check`, `upright` (turn it), `png` (without loss), `thumbnail` or `encode`.

    `format` is Pillow's name of the only format to try; `width` and `height` are what the header said.
    `edge` is the longest edge of a thumbnail in pixels. `into` is Pillow's name of the format to encode
    into, `quality` from 1 to 100 how closely where that format loses something.
    """

    task: str
    format: str
    width: int
    height: int
    bytes_count: int
    orientation: int = 1
    edge: int = 0
    into: str = ""
    quality: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """`fault` says why there is no result; the payload that follows has `bytes_count` bytes."""

    fault: str | None
    bytes_count: int

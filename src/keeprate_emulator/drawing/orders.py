"""What is ordered from the studio, and what it delivers."""

from dataclasses import dataclass

from keeprate_emulator.flaws import Flaws


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One picture to draw. `flaws` says which labels are set and what else goes wrong."""

    prompt: str
    flaws: Flaws
    pixels: tuple[int, int]
    references: tuple[bytes, ...]
    mime: str
    quality: int
    response_id: str
    seed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Encoded bytes. `mime` is what they are, `label` what the answer says they are."""

    content: bytes
    mime: str
    label: str
    width: int
    height: int

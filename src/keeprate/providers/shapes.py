"""How calls to a model are shaped: the few catalogue facts that the wire needs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keeprate.catalogue.cards import ModelCard, Transport
from keeprate.domain.geometry import Size
from keeprate.domain.routes import Route

# Slow images are normal: Pro at 4K was seen to take 150 s, and cutting a paid answer short loses it.
SHORTEST_TIMEOUT_S: Final = 180


class SizeField(StrEnum):
    """Which member of `generationConfig` carries size and ratio; an upstream setting."""

    IMAGE_CONFIG = "imageConfig"
    RESPONSE_FORMAT = "responseFormat"  # newer, with enum names, on /v1 of the Gemini API


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShape:
    """What a model's calls look like: its method, which fields it takes, how long it may take."""

    transport: Transport = Transport.GENERATE_CONTENT
    sends_size: bool = True
    sends_thinking: bool = False
    timeout_s: int = SHORTEST_TIMEOUT_S


ShapeOf = Callable[[Route], CallShape]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOptions:
    """What a provider is told once. `shape_of` looks a route's model up in the catalogue."""

    shape_of: ShapeOf
    size_field: SizeField = SizeField.IMAGE_CONFIG
    user_agent: str = "keeprate"


def shape_of_card(card: ModelCard, size: Size) -> CallShape:
    """Return the shape that a catalogue card asks for, never less patient than 180 s."""
    return CallShape(
        transport=card.transport,
        sends_size=card.sends_size,
        sends_thinking=card.sends_thinking,
        timeout_s=max(SHORTEST_TIMEOUT_S, card.timeout_s.get(size, SHORTEST_TIMEOUT_S)),
    )

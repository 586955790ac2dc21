"""Where an image can be bought."""

from dataclasses import dataclass
from typing import Final, NewType

from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Lane, Thinking

Surface = NewType("Surface", str)  # a wire and price family; plug-ins add their own
ModelId = NewType("ModelId", str)  # a published model id; market names are never identifiers

GEMINI_API: Final = Surface("gemini-api")
VERTEX: Final = Surface("vertex")
OPENAI_COMPATIBLE: Final = Surface("openai-compatible")
# On these a model's id is part of the address a call goes to.
IN_THE_ADDRESS: Final = frozenset({GEMINI_API, VERTEX})


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A configured connection, without its credential.

    `billing_owner` and `quota_project` are for the route record; None means not known.
    """

    name: str
    surface: Surface
    base_url: str
    simulated: bool
    quota_project: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Route:
    """What a price and a keep rate belong to."""

    upstream: str
    model: ModelId
    size: Size
    thinking: Thinking = Thinking.NONE

    def __str__(self) -> str:
        """Return "upstream/model@size", with the thinking level where one is asked for."""
        level = "" if self.thinking in {Thinking.NONE, Thinking.FIXED} else f"+{self.thinking}"
        return f"{self.upstream}/{self.model}@{self.size}{level}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A route and how it is bought."""

    route: Route
    lane: Lane

"""A model on an upstream with its price, and the shape of what is asked of it."""

from dataclasses import dataclass
from typing import NamedTuple

from keeprate.catalogue.cards import ModelCard, PriceRow, ThinkingTerms
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.purposes import Lane, ReferenceRole, Thinking
from keeprate.domain.routes import ModelId, Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A model as one upstream sells it on the market's day. `price` None is never offered.

    `place` is the upstream's rank in the owner's configuration: the first one wins a tie. `heir` is
    the living model that took over from a dead one, where somebody names one.
    """

    upstream: Upstream
    card: ModelCard
    price: PriceRow | None
    place: int = 0
    heir: ModelId | None = None


class Conversation(NamedTuple):
    """The conversation that goes on: it stays with the upstream and model that made it.

    `images` are those of earlier turns, which are sent again; `text_bytes` is the text of earlier
    turns in UTF-8. `signed` tells that the turns carry thought signatures.
    """

    upstream: str
    model: ModelId
    signed: bool = False
    images: int = 0
    text_bytes: int = 0


class Shape(NamedTuple):
    """All of a request that eligibility and price depend on, the prompt's length apart.

    A tuple, because it is the key under which a market remembers its boards: most requests of a
    working day share a handful of shapes.
    """

    size: Size
    ratio: Ratio | None
    roles: tuple[ReferenceRole, ...]
    variants: int
    thinking: Thinking | None
    lane: Lane
    too_slow: bool
    video: bool
    grounding: bool
    system: bool
    seed: bool
    continues: bool
    conversation: Conversation | None
    upstream: str | None

    @property
    def references(self) -> int:
        """Return how many reference images are handed along."""
        return len(self.roles)

    @property
    def input_images(self) -> int:
        """Return how many images go in: references and those of the conversation so far."""
        return len(self.roles) + (0 if self.conversation is None else self.conversation.images)


def thinking_terms(card: ModelCard, level: Thinking | None) -> ThinkingTerms | None:
    """Return the terms of `level`, of the model's own default for None; None where it has no such level."""
    for terms in card.thinking:
        if terms.level is level or (level is None and terms.is_default):
            return terms
    return card.thinking[0] if level is None and card.thinking else None

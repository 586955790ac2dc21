"""Who takes over from whom: dated statements followed to a model that lives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from keeprate.catalogue.cards import ModelCard, Succession
from keeprate.domain.purposes import Thinking
from keeprate.domain.routes import ModelId, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """A living model that does the work of another, or its own.

    `chain` is every model passed on the way, the asked one first; empty where it is the asked one.
    `thinking` is the level that the source says to use. `said` is the statement of the first step;
    None where the id changed and the model did not.
    """

    card: ModelCard
    chain: tuple[ModelId, ...]
    thinking: Thinking | None
    said: Succession | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dying:
    """A living model with an announced end. `successor` None: nobody named a living one."""

    card: ModelCard
    last_day: date
    days_left: int
    successor: Successor | None


class Cards(Protocol):
    """What following needs of the book."""

    def find(self, surface: Surface, model: ModelId, day: date) -> ModelCard | None: ...

    def models(self, surface: Surface, day: date) -> Sequence[ModelCard]: ...


def stand_in(cards: Cards, surface: Surface, model: ModelId, day: date) -> Successor | None:
    """Return who does the work of `model` on `day`: itself, its other id, or its successor."""
    card = cards.find(surface, model, day)
    if card is None:
        preview = next((one for one in cards.models(surface, day) if one.preview_of == model), None)
        return None if preview is None else Successor(card=preview, chain=(model,), thinking=None, said=None)
    if card.preview_of is not None:
        onward = stand_in(cards, surface, card.preview_of, day)
        if onward is not None and onward.card is not card:
            return replace(onward, chain=(model, *onward.chain))
    if card.lives_on(day):
        return Successor(card=card, chain=(), thinking=None, said=None)
    return followed(cards, surface, model, day)


def followed(cards: Cards, surface: Surface, model: ModelId, day: date) -> Successor | None:
    """Return the first living model along the statements of `model`, the preferred one first."""
    card = cards.find(surface, model, day)
    for said in () if card is None else card.successors:
        found = _living(cards, surface, said, day, passed=(model,))
        if found is not None:
            return replace(found, said=said)
    return None


def _living(
    cards: Cards, surface: Surface, said: Succession, day: date, *, passed: tuple[ModelId, ...]
) -> Successor | None:
    card = cards.find(surface, said.model, day)
    if card is None or card.model in passed:
        return None
    if card.lives_on(day):
        return Successor(card=card, chain=passed, thinking=said.thinking, said=said)
    for further in card.successors:
        found = _living(cards, surface, further, day, passed=(*passed, card.model))
        if found is not None:
            return found
    return None

"""What a call costs by the emulator's own list, in whole nano-dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from keeprate_emulator import facts
from keeprate_emulator.models import Surface
from keeprate_emulator.refusals import invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a call used. `prompt` and `references` are input; the rest is output."""

    prompt: int = 0
    references: int = 0
    thoughts: int = 0
    text: int = 0
    image: int = 0

    @property
    def input(self) -> int:
        """Everything that was read."""
        return self.prompt + self.references

    @property
    def candidates(self) -> int:
        """Everything that was answered, thinking apart."""
        return self.text + self.image


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Rates of one family in nano-dollars a token, or one price an image."""

    input: int
    text: int
    image: int
    per_image: int
    search: int
    image_tokens: Mapping[str, int]
    reference_tokens: int
    lanes: Mapping[str, Mapping[str, int]]

    def of_tokens(self, tokens: Tokens, *, surface: Surface, lane: str) -> int:
        """Return the price of a Gemini call. Thinking is billed as text."""
        whole = (
            tokens.input * self.input
            + (tokens.thoughts + tokens.text) * self.text
            + tokens.image * self.image
        )
        # Every rate of the list is a multiple of ten, so the lane's tenths divide without a remainder.
        return whole * self.lanes[surface][lane] // 10

    def of_searches(self, count: int, *, made_before: int) -> int:
        """Return the price of `count` searches after `made_before` others of the month. No lane lowers it."""
        free = max(0, free_searches() - made_before)
        return max(0, count - free) * self.search

    def lane(self, wanted: str, surface: Surface) -> str:
        """Return the lane that is billed.

        Raises:
            Refusal: 400 where this model is not sold in that lane.
        """
        if wanted not in self.lanes[surface]:
            raise invalid(f"Service tier '{wanted}' is not supported for this model.")
        return wanted


@cache
def _lists() -> Mapping[str, PriceList]:
    return {name: _price_list(row) for name, row in facts.table("prices")["family"].items()}


def free_searches() -> int:
    """Return how many searches of a month are not billed."""
    return facts.table("prices")["free_searches"]


def price_list(family: str) -> PriceList:
    """Return the rates of a family."""
    return _lists()[family]


def _price_list(row: Mapping[str, Any]) -> PriceList:
    return PriceList(
        input=row.get("input", 0),
        text=row.get("text", 0),
        image=row.get("image", 0),
        per_image=row.get("per_image", 0),
        search=row.get("search", 0),
        image_tokens=row.get("image_tokens", {}),
        reference_tokens=row.get("reference_tokens", 0),
        lanes=row.get("lanes", {}),
    )

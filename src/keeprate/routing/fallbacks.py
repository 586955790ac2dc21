"""Where to go when the chosen upstream cannot serve: never dearer and never less able without leave."""

from typing import Final

from keeprate.catalogue.cards import ModelCard
from keeprate.routing.cases import Case, Priced, money
from keeprate.routing.plans import Escalation, Plan

# The catalogue's words for how well a model sets type, the weakest first.
TEXT_GRADES: Final = ("fair", "good", "excellent", "best")


def fallbacks(case: Case, plan: Plan) -> list[Escalation]:
    """Return the routes to try when the start is unavailable and nothing was charged, the nearest first.

    The same model on another upstream comes first, then models of the same line that set type at
    least as well. A dearer one needs the caller's leave (`Situation.may_cost_more`).
    """
    start = plan.start
    model = start.candidate.route.model
    found = [
        (one.candidate.route.model != model, one)
        for one in case.priced
        if _may_stand_in(one, start, may_cost_more=case.situation.may_cost_more)
    ]
    found.sort(key=_same_model_first)
    return [Escalation(one, _reason(one, start)) for _, one in found]


def _may_stand_in(one: Priced, start: Priced, *, may_cost_more: bool) -> bool:
    if one.expected > start.expected and not may_cost_more:
        return False
    route, first = one.candidate.route, start.candidate.route
    if route.model == first.model:
        return route.upstream != first.upstream
    return is_no_less_able(one.candidate.listing.card, start.candidate.listing.card)


def is_no_less_able(card: ModelCard, than: ModelCard) -> bool:
    """Return whether `card` is of the same line and sets type at least as well, as far as anybody says."""
    if card.line != than.line or card.text_rendering is None or than.text_rendering is None:
        return False
    ours, theirs = card.text_rendering.grade, than.text_rendering.grade
    if ours not in TEXT_GRADES or theirs not in TEXT_GRADES:
        return ours == theirs
    return TEXT_GRADES.index(ours) >= TEXT_GRADES.index(theirs)


def _same_model_first(found: tuple[bool, Priced]) -> tuple[bool, int]:
    other_model, one = found
    return other_model, one.expected


def _reason(one: Priced, start: Priced) -> str:
    price = money(one.expected)
    if one.expected > start.expected:
        return f"if that is unavailable: {one.candidate.label} at {price}, dearer with your leave"
    return f"if that is unavailable: {one.candidate.label} at {price}, not dearer"

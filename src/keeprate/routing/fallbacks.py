"""Where to go when the chosen upstream cannot serve: never dearer and never less able without leave."""

from operator import itemgetter
from typing import Final

from keeprate.catalogue.cards import ModelCard
from keeprate.routing.cases import Case, Priced, money
from keeprate.routing.plans import Escalation, Plan

MOST_FALLBACKS: Final = 2
# The catalogue's words for how well a model sets type, the weakest first.
TEXT_GRADES: Final = ("fair", "good", "excellent", "best")


def fallbacks(case: Case, plan: Plan) -> list[Escalation]:
    """Return the routes to try when the start is unavailable and nothing was charged, the nearest first.

    The same model on another upstream comes first, then models of the same line that set type at
    least as well. A dearer one needs the caller's leave (`Situation.may_cost_more`).
    """
    start = plan.start
    first = start.candidate.route
    limit = None if case.situation.may_cost_more else start.expected
    found: list[tuple[bool, Priced]] = []
    for expected, candidate in case.priced:
        if limit is not None and expected > limit:
            break  # cheapest first: all that follow are dearer
        route = candidate.route
        if route.model == first.model:
            if route.upstream != first.upstream:
                found.append((False, Priced(expected, candidate)))
        elif is_no_less_able(candidate.listing.card, start.candidate.listing.card):
            found.append((True, Priced(expected, candidate)))
    found.sort(key=itemgetter(0))
    return [Escalation(one, _reason(one, start)) for _, one in found[:MOST_FALLBACKS]]


def is_no_less_able(card: ModelCard, than: ModelCard) -> bool:
    """Return whether `card` is of the same line and sets type at least as well, as far as anybody says."""
    if card.line != than.line or card.text_rendering is None or than.text_rendering is None:
        return False
    ours, theirs = card.text_rendering.grade, than.text_rendering.grade
    if ours not in TEXT_GRADES or theirs not in TEXT_GRADES:
        return ours == theirs
    return TEXT_GRADES.index(ours) >= TEXT_GRADES.index(theirs)


def _reason(one: Priced, start: Priced) -> str:
    price = money(one.expected)
    if one.expected > start.expected:
        return f"if that is unavailable: {one.candidate.label} at {price}, dearer with your leave"
    return f"if that is unavailable: {one.candidate.label} at {price}, not dearer"

"""The founding table: one purpose, one specialist of the six of April 2026.

Branches and their order are those of the founding router. Two things it lacked work here: its budget
guard, which stood after every dearer branch and could never act, and an answer for the day on which
a specialist no longer exists.
"""

from typing import Final

from keeprate.domain.needs import Needs
from keeprate.domain.purposes import Purpose, TextAmount
from keeprate.domain.routes import ModelId
from keeprate.routing.cases import Case, money, thinks
from keeprate.routing.market import StandIn
from keeprate.routing.plans import Plan, Policy

NANO_BANANA_PRO: Final = ModelId("gemini-3-pro-image-preview")
FLASH_31: Final = ModelId("gemini-3.1-flash-image-preview")
NANO_BANANA: Final = ModelId("gemini-2.5-flash-image")
IMAGEN_ULTRA: Final = ModelId("imagen-4.0-ultra-generate-001")
IMAGEN_STANDARD: Final = ModelId("imagen-4.0-generate-001")
IMAGEN_FAST: Final = ModelId("imagen-4.0-fast-generate-001")

GUARD_PERCENT: Final = 90


def founding_model(needs: Needs) -> ModelId:
    """Return the specialist the founding table names. Heavy text is `text` dense."""
    if needs.references or needs.purpose is Purpose.CHARACTER_LOCK:
        return NANO_BANANA_PRO
    if needs.purpose is Purpose.FINAL_HERO and needs.text is TextAmount.DENSE:
        return IMAGEN_ULTRA
    return BY_PURPOSE.get(needs.purpose, NANO_BANANA)


BY_PURPOSE: Final[dict[Purpose, ModelId]] = {
    Purpose.HERO: IMAGEN_STANDARD,
    Purpose.DRAFT: IMAGEN_FAST,
    Purpose.PREVIEW: IMAGEN_FAST,
    Purpose.CONTEXTUAL_EDIT: FLASH_31,
}


def _choose(case: Case) -> Plan:
    wanted = founding_model(case.needs)
    if case.situation.budget_used_percent >= GUARD_PERCENT:
        return _guarded(case, wanted)
    found = case.in_place_of(wanted)
    if found is None:
        return _nearest(case, wanted)
    start, stand_in = found
    at = money(start.expected)
    model = start.candidate.route.model
    if model == wanted:
        reason = f"the founding table names {wanted} for {_job(case.needs)}: {at}"
    else:
        reason = f"the founding table names {wanted} for {_job(case.needs)}; {_succession(stand_in, at)}"
    return Plan(
        start=start,
        reason=reason,
        preference=f"the founding table names {wanted} for {_job(case.needs)}",
        successor_of=None if model == wanted else wanted,
        founding_model=wanted,
    )


def _guarded(case: Case, wanted: ModelId) -> Plan:
    start = case.cheapest
    used = case.situation.budget_used_percent
    cheapest = f"{start.candidate.label} at {money(start.expected)}"
    return Plan(
        start=start,
        reason=(
            f"{used} % of the budget is used (guard at {GUARD_PERCENT} %): the cheapest eligible route, "
            f"{cheapest}, instead of the founding choice {wanted}"
            if start.candidate.route.model != wanted
            else f"{used} % of the budget is used (guard at {GUARD_PERCENT} %), and the founding choice "
            f"{wanted} is itself the cheapest eligible route: {cheapest}"
        ),
        preference="the budget guard takes the cheapest route",
        founding_model=wanted,
    )


def _nearest(case: Case, wanted: ModelId) -> Plan:
    start = case.cheapest
    return Plan(
        start=start,
        reason=(
            f"the founding table names {wanted} for {_job(case.needs)}, which cannot serve this request "
            f"and has no successor that can: the cheapest eligible route is {start.candidate.label} "
            f"at {money(start.expected)}"
        ),
        preference="the cheapest route stands in",
        founding_model=wanted,
    )


def _succession(stand_in: StandIn, at: str) -> str:
    model = stand_in.listing.card.model
    way = " via " + ", ".join(stand_in.chain[1:-1]) if len(stand_in.chain) > 2 else ""
    gone = (
        f"it was shut down on {stand_in.shutdown_on}" if stand_in.shutdown_on else "it goes by another id now"
    )
    return f"{gone}; successor {model}{thinks(stand_in.thinking)}{way} per {stand_in.source} at {at}"


def _job(needs: Needs) -> str:
    if needs.references:
        return f"{needs.purpose} with {needs.references} references"
    return f"{needs.purpose} with dense text" if needs.text is TextAmount.DENSE else str(needs.purpose)


SIX_MODEL: Final = Policy(name="six-model", version=1, choose=_choose)

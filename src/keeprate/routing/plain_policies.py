"""The two policies without an opinion: the cheapest route, and the one the caller names."""

from typing import Final

from keeprate.domain.errors import InvalidValue
from keeprate.routing.cases import Case, money
from keeprate.routing.plans import Plan, Policy
from keeprate.routing.refusals import pinned_refusal


def _cheapest(case: Case) -> Plan:
    start = case.cheapest
    return Plan(
        start=start,
        reason=f"{start.candidate.label} is the cheapest eligible route at {money(start.expected)}",
        preference="the cheapest route comes first",
    )


def _pinned(case: Case) -> Plan:
    pin = case.situation.pin
    if pin is None:
        raise InvalidValue(
            "the pinned policy needs a model",
            field="model",
            value=None,
            remedy="name a model, or choose another policy",
        )
    start = case.of_model(pin)
    if start is None:
        raise pinned_refusal(case)
    return Plan(
        start=start,
        reason=f"{pin} was asked for by name and costs {money(start.expected)} on {start.candidate.route.upstream}",
        preference=f"{pin} was asked for by name",
    )


CHEAPEST: Final = Policy(name="cheapest", version=1, choose=_cheapest)
PINNED: Final = Policy(name="pinned", version=1, choose=_pinned)

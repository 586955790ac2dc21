"""From a request and a market to a decision: the one function every door calls."""

from keeprate.domain.decisions import Decision, Rejection, Step
from keeprate.domain.needs import Needs, needs_of
from keeprate.domain.requests import ImageRequest
from keeprate.routing.boards import Candidate
from keeprate.routing.cases import CALM, Case, Situation, case_of, money
from keeprate.routing.fallbacks import fallbacks
from keeprate.routing.lanes import cheaper_lanes
from keeprate.routing.market import Market
from keeprate.routing.plain_policies import PINNED
from keeprate.routing.plans import Plan, Policy
from keeprate.routing.refusals import no_eligible_route, pinned_refusal


def decide(
    request: ImageRequest | Needs, *, market: Market, policy: Policy, situation: Situation = CALM
) -> Decision:
    """Return the cascade `policy` chooses for `request`, quoted, with the reason against every other route.

    A pin in `situation` goes before `policy`.

    Raises:
        NoEligibleRoute: Every route fails a hard need; `facts["rejections"]` maps each to its reason.
        ModelRetired: The pinned model no longer answers.
        UnknownModel: No configured upstream has the pinned model.
    """
    needs = needs_of(request) if isinstance(request, ImageRequest) else request
    case = case_of(needs, market, situation)
    chosen_by = policy if situation.pin is None else PINNED
    if not case.priced:
        raise no_eligible_route(case) if situation.pin is None else pinned_refusal(case)
    return _decision(case, chosen_by, chosen_by.choose(case))


def _decision(case: Case, policy: Policy, plan: Plan) -> Decision:
    start = plan.start.candidate
    tokens = case.tokens
    first = Step(offer=start.offer(tokens, successor_of=plan.successor_of), after="start", reason=plan.reason)
    after_reject = [
        Step(offer=one.candidate.offer(tokens), after="reject", reason=reason)
        for one, reason in plan.escalations
    ]
    unavailable = [
        Step(offer=one.candidate.offer(tokens), after="unavailable", reason=reason)
        for one, reason in fallbacks(case, plan)
    ]
    return Decision(
        policy=policy.name,
        policy_version=policy.version,
        steps=(first, *after_reject, *unavailable),
        reason=plan.reason,
        signals=plan.signals,
        rejected=_passed_over(case.priced, plan) + case.refused,
        quote=first.offer.quote if start.attempts == 1 else start.whole_quote(tokens),
        attempts=start.attempts,
        successor_of=plan.successor_of,
        founding_model=plan.founding_model,
        options=cheaper_lanes(start.price, start.job, tokens, case.needs.deadline_s),
    )


def _passed_over(priced: tuple[tuple[int, Candidate], ...], plan: Plan) -> tuple[Rejection, ...]:
    """Return why each eligible route is not the start, cheapest first."""
    price = plan.start.expected
    against = money(price)
    start = plan.start.candidate.route
    found: list[Rejection] = []
    for expected, candidate in priced:
        route = candidate.route
        # The start may be the same model at the thinking level its source asks for.
        if route.model == start.model and route.upstream == start.upstream:
            continue
        if expected > price:
            code, reason = "dearer", f"dearer: {money(expected)} against {against}"
        elif expected == price:
            code, reason = "equal", f"costs the same {against}, and {plan.preference}"
        else:
            code = "preference"
            reason = f"cheaper at {money(expected)} against {against}, but {plan.preference}"
        found.append(Rejection(route=route, code=code, reason=reason))
    return tuple(found)

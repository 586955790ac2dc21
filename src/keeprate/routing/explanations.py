"""A decision told to people, and the same decision as plain values for `--json` and the ledger."""

from collections.abc import Mapping

from keeprate.domain.decisions import Decision, LaneOption, Signal, Step
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.quotes import Quote
from keeprate.routing.estimates import Estimate, EstimateRow, Prices
from keeprate.routing.flash_first import FLASH_FIRST, STOP_RULE


def explain(decision: Decision) -> str:
    """Return the decision in lines of text: what, for how much, why, what next, why not otherwise."""
    offer = decision.chosen
    lines = [
        f"{offer.route.model} at {offer.route.size} on {offer.route.upstream}, {offer.lane} lane",
        f"costs {_band(decision.quote)}" + _attempts(decision),
        f"because {decision.reason} (policy {decision.policy} v{decision.policy_version})",
    ]
    lines += [f"  {line.part}: {_counts(line.count_low, line.count_expected, line.count_worst)} {line.unit}s"
              f" at ${display(line.each)} ({line.source})" for line in offer.quote.lines]  # fmt: skip
    lines += [f"after {step.after}: {step.reason}" for step in decision.steps[1:]]
    lines += [f"or wait: {option.sentence}" for option in decision.options]
    lines += [f"not {one.route}: {one.reason}" for one in decision.rejected]
    if decision.policy == FLASH_FIRST.name:
        lines.append(
            f"stop rule: same {', '.join(STOP_RULE.same_on_both)} on both, compare {STOP_RULE.measure}; "
            f"{STOP_RULE.stay}; {STOP_RULE.switch}"
        )
    return "\n".join(lines)


def as_json(decision: Decision) -> Mapping[str, object]:
    """Return the decision as plain values: what `keeprate route --json` prints and the ledger keeps."""
    offer = decision.chosen
    return {
        "model": str(offer.route.model),
        "surface": str(offer.surface),
        "upstream": offer.route.upstream,
        "size": str(offer.route.size),
        "lane": str(offer.lane),
        "thinking": str(offer.route.thinking),
        "policy": decision.policy,
        "policy_version": decision.policy_version,
        "reason": decision.reason,
        "signals": [_signal(signal) for signal in decision.signals],
        "steps": [_step(step) for step in decision.steps],
        "rejected": [
            {
                "model": str(one.route.model),
                "upstream": one.route.upstream,
                "code": one.code,
                "reason": one.reason,
            }
            for one in decision.rejected
        ],
        "quote": _quote(decision.quote),
        "attempts": decision.attempts,
        "successor_of": None if decision.successor_of is None else str(decision.successor_of),
        "founding_model": None if decision.founding_model is None else str(decision.founding_model),
        "options": [_option(option) for option in decision.options],
    }


def _step(step: Step) -> Mapping[str, object]:
    route = step.offer.route
    return {
        "model": str(route.model),
        "upstream": route.upstream,
        "size": str(route.size),
        "thinking": str(route.thinking),
        "lane": str(step.offer.lane),
        "after": step.after,
        "reason": step.reason,
        "quote": _quote(step.offer.quote),
        "price_id": step.offer.quote.price_id,
        "propensity": step.propensity,
    }


def _quote(quote: Quote) -> Mapping[str, object]:
    return {
        "low_usd": display(quote.low),
        "expected_usd": display(quote.expected),
        "worst_usd": display(quote.worst),
    }


def _signal(signal: Signal) -> Mapping[str, object]:
    return {"name": signal.name, "field": signal.field, "value": signal.value, "sentence": signal.sentence}


def _option(option: LaneOption) -> Mapping[str, object]:
    return {
        "lane": str(option.lane),
        "expected_usd": display(option.expected),
        "wait_s": option.wait_s,
        "buyable": option.buyable,
        "sentence": option.sentence,
    }


def _band(quote: Quote) -> str:
    return f"${display(quote.expected)} expected, ${display(quote.low)} at least, ${display(quote.worst)} at most"


def _attempts(decision: Decision) -> str:
    return f" for {decision.attempts} attempts" if decision.attempts > 1 else ""


def _counts(low: int, expected: int, worst: int) -> str:
    return str(expected) if low == worst else f"{expected} ({low} to {worst})"


def estimates_as_json(found: Estimate) -> Mapping[str, object]:
    """Return an estimate as plain values: what `keeprate estimate --json` prints."""
    return {
        "total_usd": display(found.total),
        "per_image_usd": display(found.per_image),
        "images": found.images,
        "prices": str(found.query.prices),
        "lane": str(found.query.lane),
        "as_of": found.day.isoformat(),
        "total_by_card_usd": None if found.total_by_card is None else display(found.total_by_card),
        "total_by_rates_usd": display(found.total_by_rates),
        "reference_input_usd": display(found.reference_input),
        "with_reference_input_usd": display(found.total_with_references),
        "thinking_usd": display(found.thinking),
        "rows": [_row(row, found.query.prices) for row in found.rows],
        "notes": list(found.notes),
    }


def _row(row: EstimateRow, prices: Prices) -> Mapping[str, object]:
    each = row.by_card if prices is Prices.CARD and row.by_card is not None else row.by_rates
    return {
        "model": str(row.model),
        "asked": str(row.asked),
        "size": str(row.size),
        "lane": str(row.lane),
        "images": row.images,
        "each_usd": display(each),
        "total_usd": display(NanoUSD(each * row.images)),
        "by_card_usd": None if row.by_card is None else display(row.by_card),
        "by_rates_usd": display(row.by_rates),
        "reference_input_usd": display(row.reference_input),
        "thinking_usd": display(row.thinking),
    }

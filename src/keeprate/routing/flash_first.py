"""Start on Flash; go to Pro when a failed image costs more than the price gap.

The rules of the founding comparison of Flash and Pro (May 2026): five triggers for Pro, five signals
for Flash, and the stop rule. Each reads named fields of the request and nothing of its wording.
4K alone never triggers: Flash draws 4K too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from keeprate.domain.decisions import Signal
from keeprate.domain.geometry import Size
from keeprate.domain.money import display
from keeprate.domain.needs import Needs
from keeprate.domain.purposes import Asset, Fidelity, Layout, Purpose, Review, TextAmount
from keeprate.routing.cases import Case, Priced, money
from keeprate.routing.plans import Escalation, Plan, Policy

FLASH: Final = "flash"
PRO: Final = "pro"
MANY_VARIANTS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When to leave Flash for good, as data: a proof run's conditions and its measure."""

    same_on_both: tuple[str, ...]
    measure: str
    stay: str
    switch: str


STOP_RULE: Final = StopRule(
    same_on_both=("prompt", "ratio", "references", "acceptance bar"),
    measure="cost per accepted image",
    stay="keep Flash while it passes the real acceptance bar with an acceptable number of retries",
    switch="move to Pro only when it lowers the cost per accepted image or removes a risk you cannot take",
)


def pro_triggers(needs: Needs, *, gap: int | None) -> tuple[Signal, ...]:
    """Return the triggers for Pro that fire; `gap` is Pro's price less Flash's for one image, if both serve."""
    found = (
        _dense_text(needs),
        _complex_layout(needs),
        _strict_references(needs),
        _premium_4k(needs),
        _failure_cost(needs, gap),
    )
    return tuple([signal for signal in found if signal is not None])


def flash_signals(needs: Needs) -> tuple[Signal, ...]:
    """Return the signals for Flash that fire."""
    return tuple([signal for signal in [read(needs) for read in FLASH_SIGNALS] if signal is not None])


def _dense_text(needs: Needs) -> Signal | None:
    if needs.text is not TextAmount.DENSE:
        return None
    return _signal(needs, "dense_text", "text", needs.text, "dense text or labels")


def _complex_layout(needs: Needs) -> Signal | None:
    if needs.layout is not Layout.COMPLEX:
        return None
    return _signal(needs, "complex_layout", "layout", needs.layout, "a complex layout")


def _strict_references(needs: Needs) -> Signal | None:
    if not needs.references or needs.reference_fidelity is not Fidelity.STRICT:
        return None
    fidelity = needs.reference_fidelity
    return _signal(
        needs, "reference_fidelity", "reference_fidelity", fidelity, "references to be kept strictly"
    )


def _premium_4k(needs: Needs) -> Signal | None:
    if needs.size is not Size.FOUR_K or needs.asset is not Asset.FINAL:
        return None
    return _signal(needs, "premium_4k", "asset", needs.asset, "a premium 4K asset for final use")


def _failure_cost(needs: Needs, gap: int | None) -> Signal | None:
    if needs.failure_cost is None or gap is None or needs.failure_cost <= gap:
        return None
    cost = f"${display(needs.failure_cost)}"
    return Signal(
        name="failure_cost",
        field="failure_cost",
        value=cost,
        sentence=f"a rejected image costs {cost}, more than the price gap of {money(gap)}",
    )


def _many_variants(needs: Needs) -> Signal | None:
    if needs.variants < MANY_VARIANTS:
        return None
    return _signal(needs, "many_variants", "variants", str(needs.variants), "many variants are expected")


def _internal_review(needs: Needs) -> Signal | None:
    if needs.review is not Review.INTERNAL:
        return None
    return _signal(needs, "internal_review", "review", needs.review, "the image is reviewed internally")


def _short_text(needs: Needs) -> Signal | None:
    if needs.text is TextAmount.DENSE:
        return None
    return _signal(needs, "short_text", "text", needs.text, "text is short or absent")


def _loose_references(needs: Needs) -> Signal | None:
    if needs.reference_fidelity is not Fidelity.LOOSE:
        return None
    fidelity = needs.reference_fidelity
    return _signal(
        needs, "loose_references", "reference_fidelity", fidelity, "a near match of references will do"
    )


def _not_4k(needs: Needs) -> Signal | None:
    if needs.size is Size.FOUR_K and needs.asset is Asset.FINAL:
        return None
    field, value = ("asset", needs.asset) if needs.size is Size.FOUR_K else ("size", needs.size)
    return _signal(needs, "not_4k", field, value, "4K is not the core deliverable")


FLASH_SIGNALS: Final[tuple[Callable[[Needs], Signal | None], ...]] = (
    _many_variants,
    _internal_review,
    _short_text,
    _loose_references,
    _not_4k,
)


def _signal(needs: Needs, name: str, field: str, value: str, what: str) -> Signal:
    return _worded(name, field, value, what, needs.purpose if field in needs.implied else None)


@lru_cache(maxsize=1024)
def _worded(name: str, field: str, value: str, what: str, implied_by: Purpose | None) -> Signal:
    by = "" if implied_by is None else f", as {implied_by} implies"
    return Signal(name=name, field=field, value=str(value), sentence=f"{what} ({field} {value}{by})")


def _choose(case: Case) -> Plan:
    flash, pro = case.of_line(FLASH), case.of_line(PRO)
    triggers = pro_triggers(case.needs, gap=_gap(case, flash, pro))
    signals = flash_signals(case.needs)
    if pro is not None and (triggers or flash is None):
        return _start_on_pro(pro, flash, triggers, signals)
    if flash is not None:
        return _start_on_flash(flash, pro, triggers, signals)
    start = case.cheapest
    return Plan(
        start=start,
        reason=f"neither Flash nor Pro can serve this: {start.candidate.label} is the cheapest that can",
        preference="the cheapest route comes first",
        signals=triggers + signals,
    )


def _gap(case: Case, flash: Priced | None, pro: Priced | None) -> int | None:
    """Return what one image more costs on Pro, in nano-dollars."""
    if flash is None or pro is None:
        return None
    return (pro.expected - flash.expected) // case.needs.variants


def _start_on_pro(
    pro: Priced, flash: Priced | None, triggers: tuple[Signal, ...], signals: tuple[Signal, ...]
) -> Plan:
    at = f"{pro.candidate.label} at {money(pro.expected)}"
    if triggers:
        reason = f"Pro first: {_listed(triggers)}; {at}"
        preference = "Pro comes first for " + ", ".join([signal.name for signal in triggers])
    else:
        reason = f"no Flash route can serve this, so Pro does: {at}"
        preference = "Pro stands in for Flash here"
    if triggers and flash is not None and signals:
        reason += f"; set aside for Flash: {_listed(signals)}"
    return Plan(start=pro, reason=reason, preference=preference, signals=triggers + signals)


def _start_on_flash(
    flash: Priced, pro: Priced | None, triggers: tuple[Signal, ...], signals: tuple[Signal, ...]
) -> Plan:
    at = f"{flash.candidate.label} at {money(flash.expected)}"
    why = _listed(signals) if signals else "no trigger for Pro fired"
    reason = f"Flash first: {why}; {at}"
    if triggers:
        reason = f"no Pro route can serve this although {_listed(triggers)}; Flash instead: {at}"
    escalations: tuple[Escalation, ...] = ()
    if pro is not None:
        more = money(pro.expected - flash.expected)
        escalations = (Escalation(pro, f"after a rejected image, Pro for {more} more"),)
    return Plan(
        start=flash,
        reason=reason,
        preference="this policy starts on the current Flash model",
        signals=triggers + signals,
        escalations=escalations,
    )


def _listed(signals: tuple[Signal, ...]) -> str:
    return ", ".join([signal.sentence for signal in signals])


FLASH_FIRST: Final = Policy(name="flash-first", version=1, choose=_choose)

"""Statements become the price in force on a day: official, or a contract's for one upstream."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from keeprate.catalogue.cards import LaneTerms, PriceRow, Provenance
from keeprate.catalogue.dossiers import Dossier, Said
from keeprate.catalogue.statements import LaneSays, PriceSays
from keeprate.domain.geometry import Size
from keeprate.domain.money import ZERO, NanoUSD
from keeprate.domain.purposes import Lane

Kept = TypeVar("Kept")


def price_row_on(known: Dossier, day: date, upstream: str | None) -> PriceRow | None:
    """Return the price in force on `day` for calls through `upstream`; None where none had started."""
    said = _in_force(known.prices, day, upstream)
    taken = tuple(one for one in said if one.provenance.taken)
    rate = next((one for one in reversed(taken) if _states_a_rate(one)), None)
    if rate is None:
        return None
    # A price per image stands alone: no token rate of an older or an official row is added to it.
    priced = taken if rate.per_image is None else ()
    lanes = _in_force(known.lanes, day, upstream)
    image_tokens = _first(priced, lambda one: one.image_tokens) or {}
    references = _first(priced, lambda one: one.reference_tokens) or 0
    # What is free goes with the price it is free of: a contract that names its own has its own allowance.
    searches = _first(taken, lambda one: None if one.grounding_each is None else one)
    contract = upstream if rate.subject.upstream is not None else None
    started_on = max(one.provenance.valid_from for one in (*taken, *lanes))
    return PriceRow(
        id=f"{known.surface}/{known.model}{'' if contract is None else '~' + contract}@{started_on}",
        surface=known.surface,
        model=known.model,
        input_each=_first(priced, lambda one: one.input_each) or ZERO,
        text_output_each=_first(priced, lambda one: one.text_output_each) or ZERO,
        image_output_each=_first(priced, lambda one: one.image_output_each) or ZERO,
        per_image=rate.per_image or {},
        image_tokens=image_tokens,
        image_tokens_high=_dearest(image_tokens, said),
        card=_card(taken, contract),
        reference_tokens=references,
        reference_tokens_high=max(references, _first(priced, lambda one: one.reference_tokens_high) or 0),
        grounding_each=(None if searches is None else searches.grounding_each) or ZERO,
        grounding_free_monthly=(None if searches is None else searches.grounding_free_monthly) or 0,
        lanes=_lanes(lanes, rate.provenance),
        provenance=rate.provenance,
        unlisted_lanes={
            lane: one.provenance for lane, one in _latest_lanes(lanes).items() if one.numerator is None
        },
        upstream=contract,
    )


def _in_force(said: Sequence[Said], day: date, upstream: str | None) -> tuple[Said, ...]:
    """Return the official rows and then the rows for `upstream`, which go before them."""
    started = [one for one in said if one.provenance.valid_from <= day]
    official = tuple(one for one in started if one.subject.upstream is None)
    contract = tuple(
        one for one in started if one.subject.upstream is not None and one.subject.upstream == upstream
    )
    return official + contract


def _states_a_rate(one: PriceSays) -> bool:
    return one.per_image is not None or one.image_output_each is not None


def _first(said: Sequence[PriceSays], read: Callable[[PriceSays], Kept | None]) -> Kept | None:
    return next((value for one in reversed(said) if (value := read(one)) is not None), None)


def _dearest(tokens: Mapping[Size, int], said: Sequence[PriceSays]) -> Mapping[Size, int]:
    """Return the tokens taken for each size, or what a disbelieved source gives where that is more."""
    other = [one.image_tokens for one in said if not one.provenance.taken and one.image_tokens is not None]
    return {size: max([count, *(counts.get(size, 0) for counts in other)]) for size, count in tokens.items()}


def _card(taken: Sequence[PriceSays], contract: str | None) -> Mapping[Size, NanoUSD]:
    """Return the printed prices. The official card says nothing about a contract."""
    rows = taken if contract is None else tuple(one for one in taken if one.subject.upstream == contract)
    return _first(rows, lambda one: one.card) or {}


def _latest_lanes(said: Sequence[LaneSays]) -> Mapping[Lane, LaneSays]:
    return {one.lane: one for one in said if one.provenance.taken}


def _lanes(said: Sequence[LaneSays], rate: Provenance) -> Mapping[Lane, LaneTerms]:
    live = LaneTerms(lane=Lane.LIVE, numerator=1, denominator=1, provenance=rate)
    listed = {
        lane: LaneTerms(
            lane=lane, numerator=one.numerator, denominator=one.denominator, provenance=one.provenance
        )
        for lane, one in _latest_lanes(said).items()
        if one.numerator is not None
    }
    return {Lane.LIVE: live, **listed}

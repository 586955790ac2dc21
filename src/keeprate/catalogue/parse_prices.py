"""The cells of `[[price]]` and `[[lane]]` rows. Money is text in TOML, so that it stays exact."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from keeprate.catalogue.origins import ROW_FIELDS, Scope, provenance_of, subject_of
from keeprate.catalogue.rows import Row
from keeprate.catalogue.statements import LaneSays, PriceSays
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD, per_million, usd
from keeprate.domain.purposes import Lane

PRICE_FIELDS: Final = ROW_FIELDS | {
    "input_per_million", "text_output_per_million", "image_output_per_million", "per_image", "image_tokens", "card",
    "reference_tokens", "reference_tokens_high", "grounding_per_thousand", "grounding_free_monthly",
}  # fmt: skip

# The widest multiplier anybody has published is 2; a tenfold one is a misplaced point.
_LARGEST_MULTIPLIER: Final = 10


def price_of(row: Row, scope: Scope) -> PriceSays:
    row.allow(PRICE_FIELDS)
    return PriceSays(
        subject=subject_of(row, scope),
        provenance=provenance_of(row, owner=scope.owner),
        input_each=_rate(row, "input_per_million"),
        text_output_each=_rate(row, "text_output_per_million"),
        image_output_each=_rate(row, "image_output_per_million"),
        per_image=_money_by_size(row, "per_image"),
        image_tokens=_counts_by_size(row, "image_tokens"),
        card=_money_by_size(row, "card"),
        reference_tokens=row.whole("reference_tokens") if row.has("reference_tokens") else None,
        reference_tokens_high=row.whole("reference_tokens_high")
        if row.has("reference_tokens_high")
        else None,
        grounding_each=_per_thousand(row, "grounding_per_thousand"),
        grounding_free_monthly=_free_searches(row),
    )


def _rate(row: Row, field: str) -> NanoUSD | None:
    return row.known(field, per_million, row.text(field)) if row.has(field) else None


def _per_thousand(row: Row, field: str) -> NanoUSD | None:
    if not row.has(field):
        return None
    each, rest = divmod(row.known(field, usd, row.text(field)), 1000)
    if rest:
        raise row.fault(field, "is not a whole number of nano-dollars each")
    return NanoUSD(each)


def _free_searches(row: Row) -> int | None:
    if not row.has("grounding_free_monthly"):
        return None
    if not row.has("grounding_per_thousand"):
        raise row.fault("grounding_free_monthly", "belongs beside grounding_per_thousand")
    return row.whole("grounding_free_monthly")


def _money_by_size(row: Row, field: str) -> Mapping[Size, NanoUSD] | None:
    if not row.has(field):
        return None
    return {size: inner.known(name, usd, inner.text(name)) for size, inner, name in row.by_word(Size, field)}


def _counts_by_size(row: Row, field: str) -> Mapping[Size, int] | None:
    if not row.has(field):
        return None
    return {size: inner.whole(name) for size, inner, name in row.by_word(Size, field)}


def lane_of(row: Row, scope: Scope) -> LaneSays:
    row.allow(ROW_FIELDS | {"lane", "multiplier", "offered"})
    offered = row.truth("offered") if row.has("offered") else True
    if offered == (not row.has("multiplier")):
        raise row.fault("multiplier", "belongs to a lane on offer, and to no other")
    share = row.known("multiplier", _multiplier, row.text("multiplier")) if offered else None
    return LaneSays(
        subject=subject_of(row, scope),
        lane=row.word(Lane, "lane"),
        numerator=None if share is None else share.numerator,
        denominator=1 if share is None else share.denominator,
        provenance=provenance_of(row, owner=scope.owner),
    )


def _multiplier(text: str) -> Fraction:
    try:
        share = Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError("must be a plain decimal such as 0.5") from None
    if not 0 < share <= _LARGEST_MULTIPLIER:
        raise ValueError(f"must be more than 0 and at most {_LARGEST_MULTIPLIER}")
    return share

"""Facts files, handed over as text, become statements. Reading the files is bootstrap's work.

A facts file is TOML with these tables; `models` and `surfaces` default to all of the file's own:
`[[model]]`, `[[lifecycle]]`, `[[successor]]`, `[[capability]]`, `[[price]]`, `[[lane]]`, `[grid.NAME]`.
Every row carries `source`, `valid_from`, `seen_on` and `confidence`, and `taken = false` where it is
the side of a contradiction that is kept but not believed.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, cast

from keeprate.catalogue.cards import Confidence, LifecycleEvent, Provenance, Transport
from keeprate.catalogue.parse_capabilities import CAPABILITY_FIELDS, capability_of
from keeprate.catalogue.rows import Row, tables
from keeprate.catalogue.statements import (
    Grid,
    Identity,
    LaneSays,
    LifecycleSays,
    PriceSays,
    Statements,
    Subject,
    SuccessorSays,
)
from keeprate.domain.errors import CatalogueError
from keeprate.domain.geometry import Pixels, Ratio, Size
from keeprate.domain.money import NanoUSD, per_million, usd
from keeprate.domain.purposes import Lane, Thinking
from keeprate.domain.routes import ModelId, Surface

PROVENANCE_FIELDS: Final = frozenset({"source", "valid_from", "seen_on", "confidence", "taken", "note"})
SUBJECT_FIELDS: Final = frozenset({"model", "models", "surface", "surfaces", "upstream"})
ROW_FIELDS: Final = PROVENANCE_FIELDS | SUBJECT_FIELDS
MODEL_FIELDS: Final = PROVENANCE_FIELDS | {
    "id", "market_name", "family", "line", "transport", "aliases", "preview_of", "surface", "surfaces", "upstreams",
}  # fmt: skip
PRICE_FIELDS: Final = ROW_FIELDS | {
    "input_per_million", "text_output_per_million", "image_output_per_million", "per_image", "image_tokens", "card",
    "reference_tokens", "reference_tokens_high", "grounding_per_thousand",
}  # fmt: skip
TABLES: Final = frozenset({"model", "lifecycle", "successor", "capability", "price", "lane", "grid"})

# The widest multiplier anybody has published is 2; a tenfold one is a misplaced point.
_LARGEST_MULTIPLIER: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """What rows of a file speak of when they do not say."""

    surfaces: tuple[Surface, ...]
    models: tuple[ModelId, ...]
    owner: bool


def statements_in(file: str, text: str, *, owner: bool = False) -> Statements:
    """Return what the TOML `text` of `file` says. `owner` marks the owner's own rows.

    Raises:
        CatalogueError: The text is not TOML, or a row is wrong; file, row and field are named.
    """
    try:
        document = cast("Mapping[str, object]", tomllib.loads(text))
    except tomllib.TOMLDecodeError as why:
        raise CatalogueError(f"{file} is not TOML: {why}", value=file, remedy=f"mend {file}") from None
    for name in document:
        if name not in TABLES:
            raise CatalogueError(
                f"{file}: [[{name}]] is not a table of a facts file",
                field=name,
                remedy="use one of: " + ", ".join(sorted(TABLES)),
            )
    return statements_of(file, document, owner=owner)


def statements_of(file: str, document: Mapping[str, object], *, owner: bool) -> Statements:
    """Return what the facts tables of an already decoded `document` say; other tables are not read.

    Raises:
        CatalogueError: A row is wrong; file, row and field are named.
    """
    identities = tuple(_identity(row, owner=owner) for row in tables(file, document, "model"))
    scope = _Scope(
        surfaces=tuple(dict.fromkeys(surface for one in identities for surface in one.subject.surfaces)),
        models=tuple(dict.fromkeys(one.model for one in identities)),
        owner=owner,
    )
    return Statements(
        identities=identities,
        lifecycles=tuple(_lifecycle(row, scope) for row in tables(file, document, "lifecycle")),
        successors=tuple(_successor(row, scope) for row in tables(file, document, "successor")),
        capabilities=tuple(
            capability_of(
                _allowed(row, ROW_FIELDS | CAPABILITY_FIELDS),
                _subject(row, scope),
                _provenance(row, owner=owner),
            )
            for row in tables(file, document, "capability")
        ),
        prices=tuple(_price(row, scope) for row in tables(file, document, "price")),
        lanes=tuple(_lane(row, scope) for row in tables(file, document, "lane")),
        grids=_grids(file, document),
    )


def _allowed(row: Row, fields: frozenset[str]) -> Row:
    row.allow(fields)
    return row


def _provenance(row: Row, *, owner: bool = False) -> Provenance:
    # An owner knows a contract at first hand: what is not said is taken as seen then, and sure.
    valid_from = row.day("valid_from")
    return Provenance(
        source=row.text("source"),
        valid_from=valid_from,
        seen_on=valid_from if owner and not row.has("seen_on") else row.day("seen_on"),
        confidence=Confidence.HIGH
        if owner and not row.has("confidence")
        else row.word(Confidence, "confidence"),
        taken=row.truth("taken") if row.has("taken") else True,
        note=row.text("note") if row.has("note") else None,
    )


def _subject(row: Row, scope: _Scope) -> Subject:
    return Subject(
        surfaces=tuple(Surface(name) for name in _one_or_many(row, "surface", scope.surfaces)),
        models=tuple(ModelId(name) for name in _one_or_many(row, "model", scope.models)),
        upstream=row.text("upstream") if row.has("upstream") else None,
        owner=scope.owner,
        place=f"{row.file}, {row.place}",
    )


def _one_or_many(row: Row, field: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    if row.has(field):
        return (row.text(field),)
    if row.has(f"{field}s"):
        return row.texts(f"{field}s")
    if not otherwise:
        raise row.fault(field, "is missing, and the file has no [[model]] to take it from")
    return otherwise


def _identity(row: Row, *, owner: bool) -> Identity:
    row.allow(MODEL_FIELDS)
    model = ModelId(row.text("id"))
    surfaces = tuple(Surface(name) for name in _one_or_many(row, "surface", ()))
    return Identity(
        subject=Subject(
            surfaces=surfaces, models=(model,), upstream=None, owner=owner, place=f"{row.file}, {row.place}"
        ),
        model=model,
        market_name=row.text("market_name"),
        family=row.text("family"),
        line=row.text("line"),
        transport=row.word(Transport, "transport"),
        aliases=row.texts("aliases") if row.has("aliases") else (),
        preview_of=ModelId(row.text("preview_of")) if row.has("preview_of") else None,
        upstreams=row.texts("upstreams") if row.has("upstreams") else (),
        provenance=_provenance(row, owner=owner),
    )


def _lifecycle(row: Row, scope: _Scope) -> LifecycleSays:
    row.allow(ROW_FIELDS | {"event", "on"})
    provenance = _provenance(row, owner=scope.owner)
    on = row.day("on") if row.has("on") else None
    event = row.word(LifecycleEvent, "event")
    if on is None and event is LifecycleEvent.RELEASED:
        raise row.fault("on", "is missing: a release has a day")
    if on is not None and event is LifecycleEvent.SHUTDOWN and on < provenance.valid_from:
        # Otherwise the book would say that the model lived on days on which it was already gone.
        raise row.fault("valid_from", f"comes after the shutdown of {on} that it announces")
    return LifecycleSays(subject=_subject(row, scope), event=event, on=on, provenance=provenance)


def _successor(row: Row, scope: _Scope) -> SuccessorSays:
    row.allow(ROW_FIELDS | {"to", "thinking"})
    return SuccessorSays(
        subject=_subject(row, scope),
        to=ModelId(row.text("to")),
        thinking=row.word(Thinking, "thinking") if row.has("thinking") else None,
        provenance=_provenance(row, owner=scope.owner),
    )


def _price(row: Row, scope: _Scope) -> PriceSays:
    row.allow(PRICE_FIELDS)
    return PriceSays(
        subject=_subject(row, scope),
        provenance=_provenance(row, owner=scope.owner),
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


def _money_by_size(row: Row, field: str) -> Mapping[Size, NanoUSD] | None:
    if not row.has(field):
        return None
    return {size: inner.known(name, usd, inner.text(name)) for size, inner, name in row.by_word(Size, field)}


def _counts_by_size(row: Row, field: str) -> Mapping[Size, int] | None:
    if not row.has(field):
        return None
    return {size: inner.whole(name) for size, inner, name in row.by_word(Size, field)}


def _lane(row: Row, scope: _Scope) -> LaneSays:
    row.allow(ROW_FIELDS | {"lane", "multiplier", "offered"})
    offered = row.truth("offered") if row.has("offered") else True
    if offered == (not row.has("multiplier")):
        raise row.fault("multiplier", "belongs to a lane on offer, and to no other")
    share = row.known("multiplier", _multiplier, row.text("multiplier")) if offered else None
    return LaneSays(
        subject=_subject(row, scope),
        lane=row.word(Lane, "lane"),
        numerator=None if share is None else share.numerator,
        denominator=1 if share is None else share.denominator,
        provenance=_provenance(row, owner=scope.owner),
    )


def _multiplier(text: str) -> Fraction:
    try:
        share = Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError):
        raise ValueError("must be a plain decimal such as 0.5") from None
    if not 0 < share <= _LARGEST_MULTIPLIER:
        raise ValueError(f"must be more than 0 and at most {_LARGEST_MULTIPLIER}")
    return share


def _grids(file: str, document: Mapping[str, object]) -> tuple[Grid, ...]:
    if "grid" not in document:
        return ()
    outer = Row(file=file, place="grid", cells=document).within("grid")
    return tuple(_grid(outer.within(name), name) for name in outer.cells)


def _grid(row: Row, name: str) -> Grid:
    pixels: dict[tuple[Ratio, Size], Pixels] = {}
    for ratio_text in row.cells:
        if ratio_text not in PROVENANCE_FIELDS:
            ratio = row.known(ratio_text, Ratio.parse, ratio_text)
            for size, inner, cell in row.by_word(Size, ratio_text):
                pixels[ratio, size] = inner.known(cell, _pixels, inner.text(cell))
    return Grid(name=name, pixels=pixels, provenance=_provenance(row))


def _pixels(text: str) -> Pixels:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ValueError("must be written like 1376x768")
    return Pixels(int(width), int(height))

"""Facts files, handed over as text, become statements. Reading the files is bootstrap's work.

A facts file is TOML with these tables; `models` and `surfaces` default to all of the file's own:
`[[model]]`, `[[lifecycle]]`, `[[successor]]`, `[[capability]]`, `[[price]]`, `[[lane]]`, `[[record]]`,
`[grid.NAME]`.
Every row carries `source`, `valid_from`, `seen_on` and `confidence`, and `taken = false` where it is
the side of a contradiction that is kept but not believed.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Final, cast

from keeprate.catalogue.cards import LifecycleEvent, Transport
from keeprate.catalogue.origins import (
    PROVENANCE_FIELDS,
    ROW_FIELDS,
    Scope,
    one_or_many,
    provenance_of,
    subject_of,
)
from keeprate.catalogue.parse_capabilities import CAPABILITY_FIELDS, capability_of
from keeprate.catalogue.parse_prices import lane_of, price_of
from keeprate.catalogue.route_records import records_of
from keeprate.catalogue.rows import Row, tables
from keeprate.catalogue.statements import (
    CapabilitySays,
    Grid,
    Identity,
    LifecycleSays,
    Statements,
    Subject,
    SuccessorSays,
)
from keeprate.domain.errors import CatalogueError
from keeprate.domain.geometry import Pixels, Ratio, Size
from keeprate.domain.purposes import Thinking
from keeprate.domain.routes import IN_THE_ADDRESS, ModelId, Surface

MODEL_FIELDS: Final = PROVENANCE_FIELDS | {
    "id", "like", "market_name", "family", "line", "transport", "aliases", "preview_of", "surface", "surfaces",
    "upstreams",
}  # fmt: skip
ADDRESSABLE_IDS: Final = "use letters, digits, dots, dashes, colons and underscores only"
_ADDRESSABLE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")
TABLES: Final = frozenset(
    {"model", "lifecycle", "successor", "capability", "price", "lane", "record", "grid"}
)


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
    scope = Scope(
        surfaces=tuple(dict.fromkeys(surface for one in identities for surface in one.subject.surfaces)),
        models=tuple(dict.fromkeys(one.model for one in identities)),
        owner=owner,
    )
    return Statements(
        identities=identities,
        lifecycles=tuple(_lifecycle(row, scope) for row in tables(file, document, "lifecycle")),
        successors=tuple(_successor(row, scope) for row in tables(file, document, "successor")),
        capabilities=tuple(_capability(row, scope) for row in tables(file, document, "capability")),
        prices=tuple(price_of(row, scope) for row in tables(file, document, "price")),
        lanes=tuple(lane_of(row, scope) for row in tables(file, document, "lane")),
        records=records_of(tables(file, document, "record"), owner=owner),
        grids=_grids(file, document),
    )


def _identity(row: Row, *, owner: bool) -> Identity:
    row.allow(MODEL_FIELDS)
    model = ModelId(row.text("id"))
    surfaces = tuple(Surface(name) for name in one_or_many(row, "surface", ()))
    if IN_THE_ADDRESS.intersection(surfaces) and (_ADDRESSABLE.match(model) is None or ".." in model):
        on = " and ".join([surface for surface in surfaces if surface in IN_THE_ADDRESS])
        raise row.fault("id", f"cannot stand in an address, as it must on {on}: {ADDRESSABLE_IDS}")
    return Identity(
        subject=Subject(
            surfaces=surfaces, models=(model,), upstream=None, owner=owner, place=f"{row.file}, {row.place}"
        ),
        model=model,
        market_name=_name(row, "market_name"),
        family=_name(row, "family"),
        line=_name(row, "line"),
        transport=row.word(Transport, "transport") if row.has("transport") else Transport.GENERATE_CONTENT,
        aliases=row.texts("aliases") if row.has("aliases") else (),
        preview_of=ModelId(row.text("preview_of")) if row.has("preview_of") else None,
        upstreams=row.texts("upstreams") if row.has("upstreams") else (),
        provenance=provenance_of(row, owner=owner),
        like=ModelId(row.text("like")) if row.has("like") else None,
    )


def _name(row: Row, field: str) -> str:
    """Return a name that a model `like` another may leave to that one (then empty)."""
    return "" if row.has("like") and not row.has(field) else row.text(field)


def _capability(row: Row, scope: Scope) -> CapabilitySays:
    row.allow((ROW_FIELDS - {"upstream"}) | CAPABILITY_FIELDS)
    return capability_of(row, subject_of(row, scope), provenance_of(row, owner=scope.owner))


def _lifecycle(row: Row, scope: Scope) -> LifecycleSays:
    row.allow((ROW_FIELDS - {"upstream"}) | {"event", "on"})
    provenance = provenance_of(row, owner=scope.owner)
    on = row.day("on") if row.has("on") else None
    event = row.word(LifecycleEvent, "event")
    if on is None and event is LifecycleEvent.RELEASED:
        raise row.fault("on", "is missing: a release has a day")
    if on is not None and event is LifecycleEvent.SHUTDOWN and on < provenance.valid_from:
        # Otherwise the book would say that the model lived on days on which it was already gone.
        raise row.fault("valid_from", f"comes after the shutdown of {on} that it announces")
    return LifecycleSays(subject=subject_of(row, scope), event=event, on=on, provenance=provenance)


def _successor(row: Row, scope: Scope) -> SuccessorSays:
    row.allow((ROW_FIELDS - {"upstream"}) | {"to", "thinking"})
    return SuccessorSays(
        subject=subject_of(row, scope),
        to=ModelId(row.text("to")),
        thinking=row.word(Thinking, "thinking") if row.has("thinking") else None,
        provenance=provenance_of(row, owner=scope.owner),
    )


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
    return Grid(name=name, pixels=pixels, provenance=provenance_of(row))


def _pixels(text: str) -> Pixels:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ValueError("must be written like 1376x768")
    return Pixels(int(width), int(height))

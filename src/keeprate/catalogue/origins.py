"""What every row of a facts file carries: what it speaks of, where it comes from, since when."""

from dataclasses import dataclass
from typing import Final

from keeprate.catalogue.cards import Confidence, Provenance
from keeprate.catalogue.rows import Row
from keeprate.catalogue.statements import Subject
from keeprate.domain.routes import ModelId, Surface

PROVENANCE_FIELDS: Final = frozenset({"source", "valid_from", "seen_on", "confidence", "taken", "note"})
SUBJECT_FIELDS: Final = frozenset({"model", "models", "surface", "surfaces", "upstream"})
ROW_FIELDS: Final = PROVENANCE_FIELDS | SUBJECT_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What rows of a file speak of when they do not say."""

    surfaces: tuple[Surface, ...]
    models: tuple[ModelId, ...]
    owner: bool


def provenance_of(row: Row, *, owner: bool = False) -> Provenance:
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


def subject_of(row: Row, scope: Scope) -> Subject:
    return Subject(
        surfaces=tuple(Surface(name) for name in one_or_many(row, "surface", scope.surfaces)),
        models=tuple(ModelId(name) for name in one_or_many(row, "model", scope.models)),
        upstream=row.text("upstream") if row.has("upstream") else None,
        owner=scope.owner,
        place=f"{row.file}, {row.place}",
    )


def one_or_many(row: Row, field: str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
    if row.has(field):
        return (row.text(field),)
    if row.has(f"{field}s"):
        return row.texts(f"{field}s")
    if not otherwise:
        raise row.fault(field, "is missing, and the file has no [[model]] to take it from")
    return otherwise

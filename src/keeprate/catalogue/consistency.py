"""What must hold of all rows together before they make a book."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import date
from typing import Final

from keeprate.catalogue.dossiers import Statement
from keeprate.catalogue.statements import CapabilitySays, PriceSays, Statements, Subject
from keeprate.domain.errors import CatalogueError
from keeprate.domain.routes import ModelId, Surface

# A fact of one model on one surface, on the day it began, of one side (which owner's file; upstream).
_Place = tuple[Surface, ModelId, str, date, str, str | None, int]

_NOT_A_FACT: Final = frozenset({"subject", "provenance"})


def check(statements: Statements) -> None:
    """Refuse rows that contradict each other in silence, speak of nobody, or alter official prices.

    Raises:
        CatalogueError: The row and what is wrong with it.
    """
    _check_names(statements)
    _check_owner_prices(statements)
    _check_sides(_claims(statements))


def _check_names(statements: Statements) -> None:
    known = {(surface, one.model) for one in statements.identities for surface in one.subject.surfaces}
    ids = {model for _, model in known}
    for subject, field, model in _pointers(statements):
        if model not in ids:
            raise _fault(subject, field, model, "is no known model")
    previews = {one.model for one in statements.identities if one.preview_of is not None}
    for one in statements.identities:
        if one.preview_of in previews:
            raise _fault(one.subject, "preview_of", one.preview_of, "is itself a preview")
    for subject in _subjects(statements):
        for model in subject.models:
            if not any((surface, model) in known for surface in subject.surfaces):
                raise _fault(subject, "model", model, "is not known on " + ", ".join(subject.surfaces))


def _pointers(statements: Statements) -> Iterator[tuple[Subject, str, ModelId]]:
    """Yield each place where a row names another model."""
    for one in statements.identities:
        if one.preview_of is not None:
            yield one.subject, "preview_of", one.preview_of
        if one.like is not None:
            yield one.subject, "like", one.like
    for said in statements.successors:
        yield said.subject, "to", said.to


def _subjects(statements: Statements) -> Iterator[Subject]:
    for said in (
        *statements.lifecycles,
        *statements.successors,
        *statements.capabilities,
        *statements.prices,
        *statements.lanes,
    ):
        yield said.subject


def _check_owner_prices(statements: Statements) -> None:
    official = {
        (surface, one.model)
        for one in statements.identities
        if not one.subject.owner
        for surface in one.subject.surfaces
    }
    for said in (*statements.prices, *statements.lanes):
        subject = said.subject
        if subject.owner and subject.upstream is None:
            for model in subject.models:
                if any((surface, model) in official for surface in subject.surfaces):
                    raise _fault(
                        subject,
                        "upstream",
                        None,
                        f"is missing: the official price of {model} is not yours to alter",
                    )


def _claims(statements: Statements) -> Iterator[tuple[Subject, date, str]]:
    """Yield each believed fact: what it is of, since when, and its name."""
    for said, facts in _facts(statements):
        if said.provenance.taken:
            for fact in facts:
                yield said.subject, said.provenance.valid_from, fact


def _facts(statements: Statements) -> Iterator[tuple[Statement, Iterable[str]]]:
    yield from ((one, ("id",)) for one in statements.identities)
    yield from ((one, (f"{one.event} day",)) for one in statements.lifecycles)
    yield from ((one, _stated(one)) for one in (*statements.capabilities, *statements.prices))
    yield from ((one, (f"{one.lane} lane",)) for one in statements.lanes)


def _stated(said: CapabilitySays | PriceSays) -> Iterable[str]:
    names = (field.name for field in fields(said) if field.name not in _NOT_A_FACT)
    return (name for name in names if getattr(said, name) is not None)


def _check_sides(claims: Iterable[tuple[Subject, date, str]]) -> None:
    first: dict[_Place, str] = {}
    for subject, day, fact in claims:
        for surface in subject.surfaces:
            for model in subject.models:
                # A row about fewer models or surfaces is an exception to a wider one, not its contradiction.
                place = (surface, model, fact, day, _side(subject), subject.upstream, subject.breadth)
                if place in first:
                    raise _fault(
                        subject,
                        fact,
                        None,
                        f"of {model} on {surface} is also stated by {first[place]}: mark one with taken = false",
                    )
                first[place] = subject.place


def _side(subject: Subject) -> str:
    """Return whose word it is: each of an owner's files may go over the one before it."""
    return subject.place.rpartition(", ")[0] if subject.owner else "official"


def _fault(subject: Subject, field: str, value: str | None, problem: str) -> CatalogueError:
    named = "" if value is None else f" {value}"
    return CatalogueError(
        f"{subject.place}, {field}{named} {problem}",
        field=field,
        value=value,
        remedy=f"mend {subject.place}",
    )

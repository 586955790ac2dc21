"""All that is said of one model on one surface, gathered once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol, TypeVar

from keeprate.catalogue.cards import Provenance
from keeprate.catalogue.statements import (
    CapabilitySays,
    Grid,
    Identity,
    LaneSays,
    LifecycleSays,
    PriceSays,
    Statements,
    Subject,
    SuccessorSays,
)
from keeprate.domain.routes import ModelId, Surface

Said = TypeVar("Said", bound="Statement")


class Statement(Protocol):
    """What all statements have in common."""

    @property
    def subject(self) -> Subject: ...

    @property
    def provenance(self) -> Provenance: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything said of one model on one surface, strongest last."""

    identity: Identity
    preview_ids: tuple[str, ...]
    lifecycles: tuple[LifecycleSays, ...]
    successors: tuple[SuccessorSays, ...]
    capabilities: tuple[CapabilitySays, ...]
    prices: tuple[PriceSays, ...]
    lanes: tuple[LaneSays, ...]
    grids: Mapping[str, Grid]

    @property
    def surface(self) -> Surface:
        return self.identity.subject.surfaces[0]

    @property
    def model(self) -> ModelId:
        return self.identity.model

    def change_days(self) -> frozenset[date]:
        """Return the days on which an answer about this model may change."""
        said = (*self.lifecycles, *self.successors, *self.capabilities, *self.prices, *self.lanes)
        announced = frozenset(one.on for one in self.lifecycles if one.on is not None)
        started = {self.identity.provenance.valid_from, *(one.provenance.valid_from for one in said)}
        return frozenset(started) | announced


def dossier(statements: Statements, identity: Identity, surface: Surface) -> Dossier:
    """Return what `statements` say of the model of `identity` on `surface`, the strongest last."""
    model = identity.model
    base = _base_of(statements, identity, surface)
    capabilities = _ordered(one for one in statements.capabilities if one.subject.covers(surface, model))
    if base is not None:
        inherited = (
            one for one in statements.capabilities if one.subject.covers(base.subject.surfaces[0], base.model)
        )
        capabilities = (*_ordered(inherited), *capabilities)
    return Dossier(
        identity=_named_like(replace(identity, subject=replace(identity.subject, surfaces=(surface,))), base),
        preview_ids=tuple(
            one.model
            for one in statements.identities
            if one.preview_of == model and surface in one.subject.surfaces
        ),
        lifecycles=_ordered(one for one in statements.lifecycles if one.subject.covers(surface, model)),
        successors=_ordered(one for one in statements.successors if one.subject.covers(surface, model)),
        capabilities=capabilities,
        prices=_ordered(one for one in statements.prices if one.subject.covers(surface, model)),
        lanes=_ordered(one for one in statements.lanes if one.subject.covers(surface, model)),
        grids={grid.name: grid for grid in statements.grids},
    )


def _ordered(said: Iterable[Said]) -> tuple[Said, ...]:
    return tuple(
        sorted(said, key=lambda one: (one.subject.owner, one.provenance.valid_from, -one.subject.breadth))
    )


def _base_of(statements: Statements, identity: Identity, surface: Surface) -> Identity | None:
    """Return the model it is like, on the same surface where that one is on it."""
    if identity.like is None:
        return None
    candidates = [
        replace(one, subject=replace(one.subject, surfaces=(where,)))
        for one in statements.identities
        if one.model == identity.like
        for where in one.subject.surfaces
    ]
    return max(candidates, key=lambda one: one.subject.surfaces[0] == surface, default=None)


def _named_like(identity: Identity, base: Identity | None) -> Identity:
    if base is None:
        return identity
    return replace(
        identity,
        market_name=identity.market_name or base.market_name,
        family=identity.family or base.family,
        line=identity.line or base.line,
    )

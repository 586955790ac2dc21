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
        return frozenset(one.provenance.valid_from for one in said) | announced


def dossier(statements: Statements, identity: Identity, surface: Surface) -> Dossier:
    """Return what `statements` say of the model of `identity` on `surface`."""
    model = identity.model

    def ours(said: Iterable[Said]) -> tuple[Said, ...]:
        covered = (one for one in said if one.subject.covers(surface, model))
        return tuple(sorted(covered, key=lambda one: (one.subject.owner, one.provenance.valid_from)))

    return Dossier(
        identity=replace(identity, subject=replace(identity.subject, surfaces=(surface,))),
        preview_ids=tuple(
            one.model
            for one in statements.identities
            if one.preview_of == model and surface in one.subject.surfaces
        ),
        lifecycles=ours(statements.lifecycles),
        successors=ours(statements.successors),
        capabilities=ours(statements.capabilities),
        prices=ours(statements.prices),
        lanes=ours(statements.lanes),
        grids={grid.name: grid for grid in statements.grids},
    )

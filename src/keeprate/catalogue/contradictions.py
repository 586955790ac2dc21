"""Facts that two sources state differently: both are kept, one is marked as taken."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeVar, cast

from keeprate.catalogue.cards import Provenance
from keeprate.catalogue.dossiers import Dossier, Statement
from keeprate.catalogue.statements import CapabilitySays, LaneSays, LifecycleSays, PriceSays, SuccessorSays
from keeprate.domain.routes import ModelId, Surface

Said = TypeVar("Said", bound=Statement)

_NOT_A_FACT: Final = frozenset({"subject", "provenance"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """One fact stated twice. `taken_value` None: nothing is believed about it yet."""

    surface: Surface
    model: ModelId
    fact: str
    taken_value: str | None
    taken: Provenance | None
    other_value: str
    other: Provenance


def contradictions_in(dossiers: Iterable[Dossier]) -> tuple[Contradiction, ...]:
    """Return the contradictions kept in `dossiers`, in their order."""
    return tuple(found for known in dossiers for found in _of(known))


def _of(known: Dossier) -> Iterator[Contradiction]:
    yield from _pairs(known, known.lifecycles, _lifecycle_facts)
    yield from _pairs(known, known.successors, _successor_facts)
    yield from _pairs(known, known.capabilities, _stated)
    yield from _pairs(known, known.prices, _stated)
    yield from _pairs(known, known.lanes, _lane_facts)


def _pairs(
    known: Dossier, said: Sequence[Said], facts: Callable[[Said], Mapping[str, str]]
) -> Iterator[Contradiction]:
    believed = {
        fact: (value, one.provenance)
        for one in said
        if one.provenance.taken
        for fact, value in facts(one).items()
    }
    for one in said:
        if not one.provenance.taken:
            for fact, value in facts(one).items():
                taken_value, taken = believed.get(fact, (None, None))
                yield Contradiction(
                    surface=known.surface,
                    model=known.model,
                    fact=fact,
                    taken_value=taken_value,
                    taken=taken,
                    other_value=value,
                    other=one.provenance,
                )


def _lifecycle_facts(one: LifecycleSays) -> Mapping[str, str]:
    return {f"{one.event} on": "not announced" if one.on is None else str(one.on)}


def _successor_facts(one: SuccessorSays) -> Mapping[str, str]:
    return {"successor": one.to if one.thinking is None else f"{one.to} with thinking {one.thinking}"}


def _lane_facts(one: LaneSays) -> Mapping[str, str]:
    share = "not offered" if one.numerator is None else f"{one.numerator}/{one.denominator} of the live price"
    return {f"{one.lane} lane": share}


def _stated(one: CapabilitySays | PriceSays) -> Mapping[str, str]:
    return {
        field.name: _shown(value)
        for field in fields(one)
        if field.name not in _NOT_A_FACT and (value := getattr(one, field.name)) is not None
    }


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        cells = cast("Mapping[object, object]", value)
        return ", ".join(f"{key} {item}" for key, item in cells.items())
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in cast("tuple[object, ...]", value))
    return str(value)

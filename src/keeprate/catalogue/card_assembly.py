"""Statements become a card as known on a day.

For each field the latest statement in force wins: first the owner's rows, then official ones, only
those marked as taken. "In force" means that `valid_from` is not after the day, so a past day is
answered with what was known then: on 2026-06-10 Imagen was to end on 2026-06-30.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final, TypeVar

from keeprate.catalogue.cards import (
    Announcement,
    LifecycleEvent,
    ModelCard,
    Opinion,
    Provenance,
    Succession,
    ThinkingTerms,
)
from keeprate.catalogue.dossiers import Dossier
from keeprate.catalogue.statements import CapabilitySays, LifecycleSays, SuccessorSays
from keeprate.domain.errors import CatalogueError
from keeprate.domain.geometry import Pixels, Ratio, Size
from keeprate.domain.purposes import ReferenceRole, Thinking

Value = TypeVar("Value")

_NO_TOKENS: Final[Mapping[Thinking, int]] = MappingProxyType({})
_NO_ROLES: Final[Mapping[ReferenceRole, int]] = MappingProxyType({})


class _Fields:
    """Picks the statement in force for each field, and remembers where each came from."""

    def __init__(self, said: Sequence[CapabilitySays], day: date, place: str) -> None:
        self._said = tuple(one for one in said if one.provenance.taken and one.provenance.valid_from <= day)
        self._place = place
        self.provenance: dict[str, Provenance] = {}

    def pick(self, field: str, read: Callable[[CapabilitySays], Value | None]) -> Value | None:
        for one in reversed(self._said):
            value = read(one)
            if value is not None:
                self.provenance[field] = one.provenance
                return value
        return None

    def need(self, field: str, read: Callable[[CapabilitySays], Value | None]) -> Value:
        value = self.pick(field, read)
        if value is None:
            raise CatalogueError(
                f"{self._place}: no row says {field}",
                field=field,
                remedy=f"add a [[capability]] row with {field}, its source and dates",
            )
        return value

    def opinion(self, field: str, read: Callable[[CapabilitySays], str | None]) -> Opinion | None:
        grade = self.pick(field, read)
        return None if grade is None else Opinion(grade=grade, provenance=self.provenance[field])


def announced(said: Sequence[LifecycleSays], event: LifecycleEvent, day: date) -> date | None:
    """Return the day of `event` as the latest believed announcement by `day` has it."""
    for one in reversed(said):
        if one.event is event and one.provenance.taken and one.provenance.valid_from <= day:
            return one.on
    return None


def card_on(known: Dossier, day: date) -> ModelCard | None:
    """Return what is known of the model on `day`; None where it was not out yet.

    Raises:
        CatalogueError: A capability that every card needs is stated nowhere.
    """
    # A model whose release no row tells is out since its own row began.
    released_on = (
        announced(known.lifecycles, LifecycleEvent.RELEASED, day) or known.identity.provenance.valid_from
    )
    if released_on > day:
        return None
    identity = known.identity
    fields = _Fields(known.capabilities, day, f"{known.surface}/{known.model}")
    sizes = fields.need("sizes", lambda one: one.sizes)
    ratios = fields.need("ratios", lambda one: one.ratios)
    thinking = _thinking(fields)
    return ModelCard(
        surface=known.surface,
        model=known.model,
        market_name=identity.market_name,
        family=identity.family,
        line=identity.line,
        aliases=identity.aliases,
        preview_ids=known.preview_ids,
        transport=identity.transport,
        released_on=released_on,
        deprecated_on=announced(known.lifecycles, LifecycleEvent.DEPRECATED, day),
        shutdown_on=announced(known.lifecycles, LifecycleEvent.SHUTDOWN, day),
        announcements=_announcements(known.lifecycles, day),
        successors=_successions(known.successors, day),
        sizes=sizes,
        sends_size=fields.need("sends_size", lambda one: one.sends_size),
        ratios=ratios,
        grid=_grid(known, fields, sizes, ratios),
        max_references=fields.need("max_references", lambda one: one.max_references),
        references_by_role=fields.pick("references_by_role", lambda one: one.references_by_role) or _NO_ROLES,
        max_prompt_tokens=fields.pick("max_prompt_tokens", lambda one: one.max_prompt_tokens),
        max_output_tokens=fields.pick("max_output_tokens", lambda one: one.max_output_tokens),
        thinking=thinking,
        sends_thinking=any(one.level not in {Thinking.FIXED, Thinking.NONE} for one in thinking),
        images_per_call=fields.need("images_per_call", lambda one: one.images_per_call),
        accepts_video=fields.need("accepts_video", lambda one: one.accepts_video),
        accepts_grounding=fields.need("accepts_grounding", lambda one: one.accepts_grounding),
        accepts_system=fields.need("accepts_system", lambda one: one.accepts_system),
        accepts_seed=fields.need("accepts_seed", lambda one: one.accepts_seed),
        accepts_conversation=fields.need("accepts_conversation", lambda one: one.accepts_conversation),
        signs_thoughts=fields.need("signs_thoughts", lambda one: one.signs_thoughts),
        text_rendering=fields.opinion("text_rendering", lambda one: one.text_rendering),
        context=fields.opinion("context", lambda one: one.context),
        synthid=fields.need("synthid", lambda one: one.synthid),
        c2pa=fields.pick("c2pa", lambda one: one.c2pa),
        output_mimes=fields.need("output_mimes", lambda one: one.output_mimes),
        timeout_s=fields.need("timeout_s", lambda one: one.timeout_s),
        provenance={"identity": identity.provenance, **fields.provenance},
        preview_of=identity.preview_of,
        upstreams=identity.upstreams,
    )


def _thinking(fields: _Fields) -> tuple[ThinkingTerms, ...]:
    levels = fields.need("thinking_levels", lambda one: one.thinking_levels)
    default = fields.pick("default_thinking", lambda one: one.default_thinking) or levels[0]
    expected = fields.pick("thinking_expected", lambda one: one.thinking_expected) or _NO_TOKENS
    allowance = fields.pick("thinking_allowance", lambda one: one.thinking_allowance) or _NO_TOKENS
    return tuple(
        ThinkingTerms(
            level=level,
            expected_tokens=expected.get(level, 0),
            allowance_tokens=allowance.get(level, 0),
            is_default=level is default,
        )
        for level in levels
    )


def _grid(
    known: Dossier, fields: _Fields, sizes: Sequence[Size], ratios: Sequence[Ratio]
) -> Mapping[tuple[Ratio, Size], Pixels]:
    name = fields.pick("grid", lambda one: one.grid)
    if name is None:
        return MappingProxyType({})
    if name not in known.grids:
        raise CatalogueError(
            f"{known.surface}/{known.model}: no grid is called {name!r}",
            field="grid",
            value=name,
            remedy="use one of: " + ", ".join(sorted(known.grids)),
        )
    fields.provenance["grid"] = known.grids[name].provenance
    cells = known.grids[name].pixels
    return MappingProxyType(
        {cell: pixels for cell, pixels in cells.items() if cell[0] in ratios and cell[1] in sizes}
    )


def _announcements(said: Sequence[LifecycleSays], day: date) -> tuple[Announcement, ...]:
    return tuple(
        Announcement(
            event=one.event, on=one.on, announced_on=one.provenance.valid_from, provenance=one.provenance
        )
        for one in said
        if one.provenance.valid_from <= day
    )


def _successions(said: Sequence[SuccessorSays], day: date) -> tuple[Succession, ...]:
    """Return the replacements named by `day`, the one to follow first."""
    named = [one for one in said if one.provenance.valid_from <= day]
    named.sort(
        key=lambda one: (one.subject.owner, one.provenance.taken, one.provenance.valid_from), reverse=True
    )
    return tuple(Succession(model=one.to, thinking=one.thinking, provenance=one.provenance) for one in named)

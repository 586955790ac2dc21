"""What the sources say, one statement per row, before anybody asks for a day.

A row may state several facts at once when one source says them all; a field it does not mention is
None. Rows are merged per field and per day by `assembly`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from keeprate.catalogue.cards import LifecycleEvent, Provenance, Transport
from keeprate.domain.geometry import Pixels, Ratio, Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane, ReferenceRole, Thinking
from keeprate.domain.routes import ModelId, Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a row speaks of, and who says it.

    `upstream` narrows a row to one configured connection (a contract price). `owner` is True for
    rows of the owner's file, which go before the official ones.
    """

    surfaces: tuple[Surface, ...]
    models: tuple[ModelId, ...]
    upstream: str | None
    owner: bool
    place: str

    def covers(self, surface: Surface, model: ModelId) -> bool:
        return surface in self.surfaces and model in self.models

    @property
    def breadth(self) -> int:
        """Return how many (surface, model) pairs are spoken of: the narrower of two rows wins."""
        return len(self.surfaces) * len(self.models)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """That a model exists: its id, names and how it is called.

    `like` names the model whose capabilities it shares, and whose names where its own are empty.
    """

    subject: Subject
    model: ModelId
    market_name: str
    family: str
    line: str
    transport: Transport
    aliases: tuple[str, ...]
    preview_of: ModelId | None
    upstreams: tuple[str, ...]
    provenance: Provenance
    like: ModelId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSays:
    """A date as announced from `provenance.valid_from` on; None where none was announced."""

    subject: Subject
    event: LifecycleEvent
    on: date | None
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessorSays:
    subject: Subject
    to: ModelId
    thinking: Thinking | None
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilitySays:
    """What a model can do; None where this row does not say."""

    subject: Subject
    provenance: Provenance
    sizes: tuple[Size, ...] | None = None
    sends_size: bool | None = None
    ratios: tuple[Ratio, ...] | None = None
    grid: str | None = None
    max_references: int | None = None
    references_by_role: Mapping[ReferenceRole, int] | None = None
    max_prompt_tokens: int | None = None
    max_output_tokens: int | None = None
    thinking_levels: tuple[Thinking, ...] | None = None
    default_thinking: Thinking | None = None
    thinking_expected: Mapping[Thinking, int] | None = None
    thinking_allowance: Mapping[Thinking, int] | None = None
    images_per_call: int | None = None
    accepts_video: bool | None = None
    accepts_grounding: bool | None = None
    accepts_system: bool | None = None
    accepts_seed: bool | None = None
    accepts_conversation: bool | None = None
    signs_thoughts: bool | None = None
    text_rendering: str | None = None
    context: str | None = None
    synthid: bool | None = None
    c2pa: bool | None = None
    output_mimes: tuple[str, ...] | None = None
    timeout_s: Mapping[Size, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSays:
    """What a model costs; None where this row does not say. Rates are nano-dollars a token."""

    subject: Subject
    provenance: Provenance
    input_each: NanoUSD | None = None
    text_output_each: NanoUSD | None = None
    image_output_each: NanoUSD | None = None
    per_image: Mapping[Size, NanoUSD] | None = None
    image_tokens: Mapping[Size, int] | None = None
    card: Mapping[Size, NanoUSD] | None = None
    reference_tokens: int | None = None
    reference_tokens_high: int | None = None
    grounding_each: NanoUSD | None = None
    grounding_free_monthly: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSays:
    """A lane's share of the live price, or (`numerator` None) that it is not on offer."""

    subject: Subject
    lane: Lane
    numerator: int | None
    denominator: int
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSays:
    """One field of a route record, of a surface or (`upstream`) of one configured connection."""

    surface: Surface | None
    upstream: str | None
    field: str
    says: str
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The exact pixels a family draws, by (ratio, size)."""

    name: str
    pixels: Mapping[tuple[Ratio, Size], Pixels]
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """All that the facts files and the owner say."""

    identities: tuple[Identity, ...] = ()
    lifecycles: tuple[LifecycleSays, ...] = ()
    successors: tuple[SuccessorSays, ...] = ()
    capabilities: tuple[CapabilitySays, ...] = ()
    prices: tuple[PriceSays, ...] = ()
    lanes: tuple[LaneSays, ...] = ()
    records: tuple[RecordSays, ...] = ()
    grids: tuple[Grid, ...] = ()

    def plus(self, other: "Statements") -> "Statements":
        """Return both, these first."""
        return Statements(
            identities=self.identities + other.identities,
            lifecycles=self.lifecycles + other.lifecycles,
            successors=self.successors + other.successors,
            capabilities=self.capabilities + other.capabilities,
            prices=self.prices + other.prices,
            lanes=self.lanes + other.lanes,
            records=self.records + other.records,
            grids=self.grids + other.grids,
        )

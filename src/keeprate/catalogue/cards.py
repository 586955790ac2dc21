"""What the catalogue answers with: facts as frozen values, each with its source and dates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from keeprate.domain.geometry import Pixels, Ratio, Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane, ReferenceRole, Thinking
from keeprate.domain.routes import ModelId, Surface


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a fact comes from. `seen_on` is when the source was last read, `valid_from` when it began.

    `taken` is False on the side of a contradiction that is kept but not believed.
    """

    source: str
    valid_from: date
    seen_on: date
    confidence: Confidence
    taken: bool = True
    note: str | None = None


class Transport(StrEnum):
    """The upstream method that serves a model."""

    GENERATE_CONTENT = "generateContent"
    PREDICT = "predict"


class LifecycleEvent(StrEnum):
    RELEASED = "released"
    DEPRECATED = "deprecated"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """One statement of a lifecycle date, as announced on `announced_on`. Later ones may move it.

    `on` is None where the source says that no date was announced.
    """

    event: LifecycleEvent
    on: date | None
    announced_on: date
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """What one source names as the replacement, and the thinking level it says to use."""

    model: ModelId
    thinking: Thinking | None
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingTerms:
    """One thinking level and the tokens it takes: typical, and the allowance a hold reserves."""

    level: Thinking
    expected_tokens: int
    allowance_tokens: int
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A sourced judgement, such as how well a model sets type ("excellent")."""

    grade: str
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What is known of a model on a surface, on a day.

    `shutdown_on` is the first day it does not answer, as known; None where none was announced.
    `grid` gives the exact pixels by (ratio, size). `references_by_role` are sub-limits within
    `max_references`. `max_prompt_tokens` and `max_output_tokens` are None where unpublished.
    `images_per_call` is the most one call returns. `output_mimes` are what may come back.
    `preview_of` names the id that took over from this preview id. `upstreams` names the only
    connections that serve the model; empty means every upstream of the surface.
    """

    surface: Surface
    model: ModelId
    market_name: str
    family: str
    line: str
    aliases: tuple[str, ...]
    preview_ids: tuple[str, ...]
    transport: Transport
    released_on: date
    deprecated_on: date | None
    shutdown_on: date | None
    announcements: tuple[Announcement, ...]
    successors: tuple[Succession, ...]
    sizes: tuple[Size, ...]
    sends_size: bool
    ratios: tuple[Ratio, ...]
    grid: Mapping[tuple[Ratio, Size], Pixels]
    max_references: int
    references_by_role: Mapping[ReferenceRole, int]
    max_prompt_tokens: int | None
    max_output_tokens: int | None
    thinking: tuple[ThinkingTerms, ...]
    sends_thinking: bool
    images_per_call: int
    accepts_video: bool
    accepts_grounding: bool
    accepts_system: bool
    accepts_seed: bool
    accepts_conversation: bool
    signs_thoughts: bool
    text_rendering: Opinion | None
    context: Opinion | None
    synthid: bool
    c2pa: bool | None
    output_mimes: tuple[str, ...]
    timeout_s: Mapping[Size, int]
    provenance: Mapping[str, Provenance]
    preview_of: ModelId | None = None
    upstreams: tuple[str, ...] = ()

    def lives_on(self, day: date) -> bool:
        """Return whether calls are answered on `day`."""
        return self.released_on <= day and (self.shutdown_on is None or day < self.shutdown_on)

    def served_by(self, upstream: str | None) -> bool:
        """Return whether the connection named `upstream` serves this model; None asks of any."""
        return upstream is None or not self.upstreams or upstream in self.upstreams

    @property
    def is_preview(self) -> bool:
        """Return whether this is the id of a preview, which dies when the model is generally out."""
        return self.preview_of is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTerms:
    """How a lane changes the price: numerator / denominator of the live price."""

    lane: Lane
    numerator: int
    denominator: int
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """The price in force for a model on a surface on a day. Token rates are nano-dollars a token.

    A model priced per image has `per_image` and zero token rates. `image_tokens` gives the output
    tokens one image of a size takes; `image_tokens_high` the dearer side where sources conflict.
    `card` is the rounded per-image price the vendor prints. `reference_tokens` is what one input
    image takes: listed (quoted) and the most seen (held). `grounding_each` is one grounded search,
    `grounding_free_monthly` how many of them the account gets free each month, shared with other models.
    `lanes` holds what is on offer, LIVE among it; `unlisted_lanes` says why another is not.
    `upstream` names the connection a contract price is for; None is the official list.
    """

    id: str
    surface: Surface
    model: ModelId
    input_each: NanoUSD
    text_output_each: NanoUSD
    image_output_each: NanoUSD
    per_image: Mapping[Size, NanoUSD]
    image_tokens: Mapping[Size, int]
    image_tokens_high: Mapping[Size, int]
    card: Mapping[Size, NanoUSD]
    reference_tokens: int
    reference_tokens_high: int
    grounding_each: NanoUSD
    lanes: Mapping[Lane, LaneTerms]
    provenance: Provenance
    unlisted_lanes: Mapping[Lane, Provenance] = field(default_factory=dict[Lane, Provenance])
    grounding_free_monthly: int = 0
    upstream: str | None = None

"""What an attempt really cost, from what the upstream reported."""

from dataclasses import dataclass
from enum import StrEnum

from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens the upstream reported, by modality; images are counted where it reports none.

    `thought_tokens` are billed as text output. `search_queries` counts grounded searches.
    """

    prompt_text_tokens: int = 0
    prompt_image_tokens: int = 0
    prompt_video_tokens: int = 0
    output_text_tokens: int = 0
    output_image_tokens: int = 0
    thought_tokens: int = 0
    images: int = 0
    search_queries: int = 0


class ChargeBasis(StrEnum):
    """What a charge rests on, the surest first."""

    USAGE = "usage"  # the upstream's own token counts
    PER_IMAGE = "per_image"  # images counted times the dated per-image price
    STATED_FREE = "stated_free"  # the upstream said it does not charge
    ESTIMATED = "estimated"  # an answer without usage: the quote's worst, marked uncertain
    NOT_SENT = "not_sent"  # nothing left this machine, or it was refused free of charge
    RECONCILED = "reconciled"  # a person said what the bill says


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Money booked for an attempt, with the facts it was worked out from.

    `served_model` is what answered, which may differ from what was asked for; the price is its.
    `price_id` names the dated price row. `certain` is False where usage was missing.
    """

    amount: NanoUSD
    basis: ChargeBasis
    usage: Usage | None
    served_model: ModelId | None
    lane: Lane
    price_id: str | None
    certain: bool = True

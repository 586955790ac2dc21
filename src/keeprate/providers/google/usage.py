"""Tokens as the upstream reports them, sorted into the kinds a price knows.

Where a count comes without its split by modality, it is booked where it costs most: input is one rate;
output goes to images if an image came, else to text.
Wire source: https://ai.google.dev/api/generate-content#UsageMetadata, read 2026-11.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from keeprate.domain.charges import Usage
from keeprate.domain.purposes import Lane

_PICTURES: Final = frozenset({"IMAGE"})
_FILMS: Final = frozenset({"VIDEO", "AUDIO"})

_LANES: Final = {
    "standard": Lane.LIVE,
    "flex": Lane.FLEX,
    "priority": Lane.PRIORITY,
    "on_demand": Lane.LIVE,
    "on_demand_flex": Lane.FLEX,
    "on_demand_priority": Lane.PRIORITY,
}


# A count below zero would turn a charge into a gift: such a block is taken as no usage at all.
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


class ModalityCount(msgspec.Struct, rename="camel"):
    modality: str | None = None
    token_count: Count | None = None


class UsageMetadata(msgspec.Struct, rename="camel"):
    """The usage block. Every member may be absent; numbers may come as text."""

    prompt_token_count: Count | None = None
    candidates_token_count: Count | None = None
    thoughts_token_count: Count | None = None
    tool_use_prompt_token_count: Count | None = None
    total_token_count: Count | None = None
    prompt_tokens_details: list[ModalityCount] | None = None
    candidates_tokens_details: list[ModalityCount] | None = None
    service_tier: str | None = None
    traffic_type: str | None = None


def usage_block(raw: msgspec.Raw) -> UsageMetadata | None:
    """Return the block if there is one that makes sense."""
    if not memoryview(raw).nbytes:
        return None
    try:
        return msgspec.json.decode(raw, type=UsageMetadata | None, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def usage_of(metadata: UsageMetadata | None, *, images: int, search_queries: int) -> Usage | None:
    """Return the tokens by kind, or None where no count was reported at all."""
    if metadata is None or not _counts_anything(metadata):
        return None
    prompt = _prompt_total(metadata)
    prompt_images, prompt_films, _ = _split(metadata.prompt_tokens_details)
    output = _output_total(metadata, prompt)
    output_images, _, detailed = _split(metadata.candidates_tokens_details)
    if not detailed and images:
        output_images = output
    return Usage(
        prompt_text_tokens=max(0, prompt - prompt_images - prompt_films),
        prompt_image_tokens=prompt_images,
        prompt_video_tokens=prompt_films,
        output_text_tokens=max(0, output - output_images),
        output_image_tokens=output_images,
        thought_tokens=metadata.thoughts_token_count or 0,
        images=images,
        search_queries=search_queries,
    )


def lane_of(*words: str | None) -> Lane | None:
    """Return the lane named by the first known word of a reply (header, tier, traffic type)."""
    for word in words:
        lane = _LANES.get((word or "").lower())
        if lane is not None:
            return lane
    return None


def _counts_anything(metadata: UsageMetadata) -> bool:
    counts = (
        metadata.prompt_token_count,
        metadata.candidates_token_count,
        metadata.thoughts_token_count,
        metadata.total_token_count,
    )
    return any(count is not None for count in counts) or bool(metadata.candidates_tokens_details)


def _prompt_total(metadata: UsageMetadata) -> int:
    """Return all input; what a tool read for the model is input too and is counted apart."""
    details = _sum(metadata.prompt_tokens_details)
    return max(metadata.prompt_token_count or 0, details) + (metadata.tool_use_prompt_token_count or 0)


def _output_total(metadata: UsageMetadata, prompt: int) -> int:
    if metadata.candidates_token_count is None and metadata.total_token_count is not None:
        rest = metadata.total_token_count - prompt - (metadata.thoughts_token_count or 0)
        return max(rest, _sum(metadata.candidates_tokens_details), 0)
    return max(metadata.candidates_token_count or 0, _sum(metadata.candidates_tokens_details))


def _sum(details: Sequence[ModalityCount] | None) -> int:
    return sum(detail.token_count or 0 for detail in details or ())


def _split(details: Sequence[ModalityCount] | None) -> tuple[int, int, bool]:
    """Return the tokens of pictures, those of films and sound, and whether there was a split at all."""
    pictures = sum(detail.token_count or 0 for detail in details or () if detail.modality in _PICTURES)
    films = sum(detail.token_count or 0 for detail in details or () if detail.modality in _FILMS)
    return pictures, films, bool(details)

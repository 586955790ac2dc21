"""What OpenAI's image calls take, as openai 3.54.0 sends it, and what of it means something here."""

from typing import Annotated, Final, Literal

import msgspec

MOST_IMAGES: Final = 10
MOST_REFERENCES: Final = 14

Quality = Literal["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"]
Format = Literal["png", "jpeg", "webp"]


class ImagesAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a call, but for `keeprate` and the files. None leaves it to us, as null does."""

    prompt: str | None = None
    model: str | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=MOST_IMAGES)] | None = None
    size: str | None = None
    quality: Quality | None = None
    background: str | None = None
    moderation: str | None = None
    input_fidelity: Literal["low", "high"] | None = None
    output_format: Format | None = None
    output_compression: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    response_format: Literal["b64_json", "url"] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None
    user: str | None = None
    safety_identifier: str | None = None


# Fields of OpenAI's that mean nothing here: refused with what to do instead, never dropped.
REFUSED: Final = {
    "mask": "no model here takes a mask; say in the prompt what is to change, or hand in the part alone",
    "markup": "no model here takes markup; say in the prompt what is to change",
    "style": "say in the prompt how it should look",
    "complexity": 'leave it away, or name a model and send keeprate: {"thinking": "high"}',
    "svg": "images here are made of pixels; ask for png, jpeg or webp",
    "frame_count": "images here stand still",
    "frame_duration_ms": "images here stand still",
    "images": "send the images as files of a form, named image[]",
    "prompt_rewriter": "prompts are sent as they are written; leave it away",
}
GENERATION_FIELDS: Final = frozenset(ImagesAsked.__struct_fields__) - {"input_fidelity"}
EDIT_FIELDS: Final = frozenset(ImagesAsked.__struct_fields__)
VARIATION_FIELDS: Final = frozenset({"model", "n", "size", "response_format", "user", "safety_identifier"})

"""The body of a generateContent call.

Wire source: https://ai.google.dev/api/generate-content and bodies recorded from google-genai 1.75 to 3.4
on loopback, 2026-11. The newer size field: enum names as public clients send them to /v1, 2026-10.
"""

from dataclasses import dataclass
from typing import Final

import msgspec
import pybase64

from keeprate.domain.errors import InvalidValue
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.purposes import Thinking
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import Route
from keeprate.providers.shapes import CallShape, SizeField
from keeprate.workflows.ports import Materials, ReferenceBytes

JsonObject = dict[str, object]

MAX_OUTPUT_TOKENS: Final = "generationConfig.maxOutputTokens"

# TEXT stays asked for: without it a model that will not draw may only say NO_IMAGE, and its words
# are the reason a person can act on. What the words may cost is bounded by maxOutputTokens.
_MODALITIES: Final = ("TEXT", "IMAGE")
_SILENT: Final = frozenset({Thinking.NONE, Thinking.FIXED})

_SIZE_NAMES: Final = {
    Size.HALF_K: "IMAGE_SIZE_FIVE_TWELVE",
    Size.ONE_K: "IMAGE_SIZE_ONE_K",
    Size.TWO_K: "IMAGE_SIZE_TWO_K",
    Size.FOUR_K: "IMAGE_SIZE_FOUR_K",
}
_NUMBER_NAMES: Final = {
    1: "ONE", 2: "TWO", 3: "THREE", 4: "FOUR", 5: "FIVE", 8: "EIGHT", 9: "NINE", 16: "SIXTEEN", 21: "TWENTY_ONE",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One image call in our words: what is asked, on which route, in which shape, with which bytes."""

    request: ImageRequest
    route: Route
    shape: CallShape
    materials: Materials
    images: int = 1
    size_field: SizeField = SizeField.IMAGE_CONFIG
    max_output_tokens: int | None = None


def content_body(ask: Ask, extra: JsonObject) -> bytes:
    """Return the JSON text of the call; `extra` are members only one surface has.

    Raises:
        InvalidValue: More than one image was asked of a call that cannot be told a count.
    """
    if ask.images != 1:
        raise InvalidValue(
            f"{ask.route.model} returns one image a call, {ask.images} were asked for",
            field="variants",
            value=ask.images,
            remedy="make one call for each image",
        )
    request = ask.request
    body: JsonObject = {"contents": _contents(request, ask.materials)}
    if request.system is not None:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.grounding:
        body["tools"] = [{"googleSearch": {}}]
    body["generationConfig"] = _config(ask)
    return msgspec.json.encode(body | extra)


def contents_json(request: ImageRequest, materials: Materials) -> bytes:
    """Return the turns that are sent, earlier ones first, as JSON text."""
    return msgspec.json.encode(_contents(request, materials))


def _contents(request: ImageRequest, materials: Materials) -> list[object]:
    return [*_history(materials), _turn(request, materials)]


def _history(materials: Materials) -> list[msgspec.Raw]:
    """Return earlier turns byte for byte: a signature no longer fits a picture that was re-encoded."""
    if materials.history_json is None:
        return []
    return msgspec.json.decode(materials.history_json, type=list[msgspec.Raw])


def _turn(request: ImageRequest, materials: Materials) -> JsonObject:
    parts: list[JsonObject] = [{"text": request.prompt}]
    parts.extend(_inline(reference) for reference in materials.references)
    if request.video is not None:
        parts.append({"fileData": {"mimeType": request.video.mime, "fileUri": request.video.uri}})
    return {"role": "user", "parts": parts}


def _inline(reference: ReferenceBytes) -> JsonObject:
    # The alphabet holds nothing that JSON escapes, so the text can be spliced in unread.
    data = msgspec.Raw(b'"' + pybase64.b64encode(reference.content) + b'"')
    return {"inlineData": {"mimeType": reference.mime, "data": data}}


def _config(ask: Ask) -> JsonObject:
    config: JsonObject = {"responseModalities": _MODALITIES}
    image = _image(ask)
    if image:
        config |= image
    if ask.shape.sends_thinking and ask.route.thinking not in _SILENT:
        # Said even when it is the model's default, as the hold was made for this level.
        config["thinkingConfig"] = {"thinkingLevel": ask.route.thinking.upper()}
    if ask.max_output_tokens is not None:
        config["maxOutputTokens"] = ask.max_output_tokens
    if ask.request.seed is not None:
        config["seed"] = ask.request.seed
    return config


def _image(ask: Ask) -> JsonObject:
    newer = ask.size_field is SizeField.RESPONSE_FORMAT
    image: JsonObject = {}
    if ask.request.ratio is not None:
        image["aspectRatio"] = _ratio_name(ask.request.ratio) if newer else str(ask.request.ratio)
    if ask.shape.sends_size:
        image["imageSize"] = _SIZE_NAMES[ask.route.size] if newer else str(ask.route.size)
    if not image:
        return {}
    return {"responseFormat": {"image": image}} if newer else {"imageConfig": image}


def _ratio_name(ratio: Ratio) -> str:
    try:
        return f"ASPECT_RATIO_{_NUMBER_NAMES[ratio.width]}_BY_{_NUMBER_NAMES[ratio.height]}"
    except KeyError:
        raise InvalidValue(
            f"ratio {ratio} has no name in the newer size field",
            field="ratio",
            value=str(ratio),
            remedy='choose another ratio, or set size_field = "imageConfig" on the upstream',
        ) from None

"""Imagen's `:predict`, both ways. It reports no tokens: pictures are counted.

Wire source: https://ai.google.dev/api/models#method:-models.predict and bodies recorded from google-genai
1.75 (Gemini API) and 3.4 (Vertex) on loopback, 2026-11.
"""

import msgspec

from keeprate.domain.charges import Usage
from keeprate.domain.outcomes import Outcome, OutcomeKind
from keeprate.providers.google.answers import UNREADABLE, ErrorObject, says_free, unanswered
from keeprate.providers.google.asking import Ask, JsonObject
from keeprate.providers.google.blobs import BadBlob, decoded
from keeprate.workflows.ports import Answer, ImagePart


class Prediction(msgspec.Struct, rename="camel"):
    mime_type: str | None = None
    bytes_base64_encoded: msgspec.Raw = msgspec.Raw()
    rai_filtered_reason: str | None = None


class Predictions(msgspec.Struct, rename="camel"):
    predictions: list[Prediction] | None = None
    error: ErrorObject | None = None


def predict_body(ask: Ask) -> bytes:
    """Return the JSON text of a `:predict` call for `ask.images` pictures."""
    request = ask.request
    parameters: JsonObject = {"sampleCount": ask.images}
    if request.ratio is not None:
        parameters["aspectRatio"] = str(request.ratio)
    if ask.shape.sends_size:
        parameters["sampleImageSize"] = str(ask.route.size)
    if request.seed is not None:
        parameters["seed"] = request.seed
    # Without the reason a filtered picture is only a shorter list.
    parameters["includeRaiReason"] = True
    parameters["outputOptions"] = {"mimeType": "image/png"}
    return msgspec.json.encode({"instances": [{"prompt": request.prompt}], "parameters": parameters})


def predict_answer(text: bytes | memoryview) -> Answer:
    """Return what a `:predict` reply holds: fewer pictures than asked for is a normal answer."""
    if not bytes(text[:64]).strip():
        return unanswered(OutcomeKind.EMPTY, "empty_body")
    try:
        document = msgspec.json.decode(text, type=Predictions, strict=False)
    except UNREADABLE:
        return unanswered(OutcomeKind.UNKNOWN, "undecodable")
    images, bad = _images(document)
    filtered = [
        entry.rai_filtered_reason for entry in document.predictions or () if entry.rai_filtered_reason
    ]
    return Answer(
        outcome=_outcome(document, images=len(images), bad=bad, filtered=filtered),
        images=images,
        # Counted here, as upstream counts nothing: what came is what is billed.
        usage=Usage(images=len(images) + bad),
        model_version=None,
        response_id=None,
        served_lane=None,
        stated_free=any(says_free(reason) for reason in filtered) and not images,
    )


def _images(document: Predictions) -> tuple[tuple[ImagePart, ...], int]:
    images: list[ImagePart] = []
    bad = 0
    for entry in document.predictions or ():
        try:
            content = decoded(entry.bytes_base64_encoded)
        except BadBlob:
            bad += 1
            continue
        if content:
            images.append(ImagePart(content=content, declared_mime=entry.mime_type or "", signature=None))
    return tuple(images), bad


def _outcome(document: Predictions, *, images: int, bad: int, filtered: list[str]) -> Outcome:
    reason = filtered[0] if filtered else None
    if images:
        return Outcome(kind=OutcomeKind.IMAGE, raw_reason=reason or ("bad_base64" if bad else None))
    if document.error is not None:
        error = document.error
        return Outcome(kind=OutcomeKind.UNKNOWN, raw_reason=error.status or "error", message=error.message)
    if bad:
        return Outcome(kind=OutcomeKind.FAILED, raw_reason="bad_base64", message=reason)
    if reason is not None:
        return Outcome(kind=OutcomeKind.BLOCKED, raw_reason=reason, message=reason)
    # Also how it looks when every picture was filtered and no reason was given.
    return Outcome(kind=OutcomeKind.EMPTY, raw_reason="no_predictions")

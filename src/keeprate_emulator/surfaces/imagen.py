"""Imagen's verb: `:predict`, priced by the picture, answered without usage.

Wire source: https://ai.google.dev/gemini-api/docs/imagen, and google-genai 1.75 and 3.4 recorded on loopback (2026-11).
"""

import asyncio
import math
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web

from keeprate_emulator import delivery
from keeprate_emulator.bill import BillRow
from keeprate_emulator.calls import Call
from keeprate_emulator.clock import stamp
from keeprate_emulator.depiction import Subject, depicted
from keeprate_emulator.drawing.orders import Picture
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.faults import Fault
from keeprate_emulator.generation import called_model, new_response_id
from keeprate_emulator.luck import Luck, request_hash
from keeprate_emulator.models import Family, Model, all_models
from keeprate_emulator.prices import Tokens, price_list
from keeprate_emulator.refusals import invalid
from keeprate_emulator.wire import Node, base64_text, request_node

_VERTEX_ONLY = ("negativePrompt", "seed", "addWatermark", "enhancePrompt", "storageUri", "labels")


Value = TypeVar("Value", int, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a predict call asks for."""

    prompt: str
    count: int
    ratio: str
    size: str
    mime: str
    quality: int
    with_reason: bool
    rewritten: bool


async def predict(emulator: Emulator, request: web.Request, call: Call) -> web.StreamResponse:
    """Answer `:predict`."""
    model = called_model(emulator, call)
    wish = _wish(request_node(call.body), model.family, call)
    fingerprint = request_hash(call.model_id, call.body)
    luck = emulator.luck.next(fingerprint)
    fault = emulator.faults.fault_for(call, wish.prompt, luck)
    if fault.refuses:
        if fault.billed:
            _billed(emulator, call, model, wish, fault=fault, fingerprint=fingerprint)
        return await delivery.turned_away(request, fault, call.model_id)
    row = _billed(emulator, call, model, wish, fault=fault, fingerprint=fingerprint)
    await delivery.waited(fault)
    if fault.kind == "drop_after_accept":
        return delivery.hung_up(request)
    pictures = await _drawn(emulator, model, wish, row=row, luck=luck, fault=fault)
    return await delivery.whole(request, _document(pictures, wish, fault), fault, {})


def _wish(body: Node, family: Family, call: Call) -> Wish:
    instances = body.children("instances")
    if len(instances) != 1 or not instances[0].text("prompt").strip():
        raise invalid("Request must contain exactly one instance with a prompt.")
    if instances[0].has("referenceImages") or instances[0].has("image"):
        raise invalid("Image input is not supported by this model.")
    settings = body.child("parameters")
    if call.surface == "gemini-api":
        for name in _VERTEX_ONLY:
            if settings.has(name) or body.has(name):
                raise invalid(f"{name} parameter is not supported in Gemini API.")
        if settings.text("personGeneration").lower() == "allow_all":
            raise invalid("allow_all is not supported for personGeneration in Gemini API.")
    if math.ceil(len(instances[0].text("prompt")) / 4) > family.input_tokens:
        raise invalid(f"The prompt exceeds the limit of {family.input_tokens} tokens.")
    output = settings.child("outputOptions")
    count = settings.number("sampleCount")
    return Wish(
        prompt=instances[0].text("prompt"),
        count=_allowed(4 if count is None else count, (1, 2, 3, 4), "sampleCount"),
        ratio=_allowed(settings.text("aspectRatio") or "1:1", family.ratios, "aspectRatio"),
        size=_allowed(settings.text("sampleImageSize") or "1K", family.sizes, "sampleImageSize"),
        mime=_allowed(output.text("mimeType") or "image/png", ("image/png", "image/jpeg"), "mimeType"),
        quality=output.number("compressionQuality") or 75,
        with_reason=settings.flag("includeRaiReason"),
        rewritten=call.surface == "vertex" and settings.flag("enhancePrompt"),
    )


def _allowed(value: Value, offered: tuple[Value, ...], name: str) -> Value:
    if value not in offered:
        raise invalid(f"{name} must be one of {', '.join(map(str, offered))}, got {value!r}.")
    return value


def _filtered(wish: Wish, fault: Fault) -> int:
    """Return how many pictures the output filter withholds; `images` of the fault says how many, 0 all."""
    if fault.kind in {
        "finish_reason",
        "block_reason",
        "no_candidates",
        "no_content",
        "text_only",
        "thought_only",
    }:
        return wish.count
    if fault.kind == "rai_filtered":
        return min(wish.count, fault.images or wish.count)
    return 0


def _billed(
    emulator: Emulator, call: Call, model: Model, wish: Wish, *, fault: Fault, fingerprint: str
) -> BillRow:
    served = fault.model if fault.kind == "serve_model" else model.id
    billed_as = all_models().get(served, model).family
    images = wish.count - _filtered(wish, fault)
    row = BillRow(
        response_id=new_response_id(),
        surface=call.surface,
        model=model.id,
        served_model=served,
        method=call.method,
        size=wish.size,
        lane="standard",
        outcome="image" if images else "filtered",
        fault=fault.name,
        images=images,
        nano_usd=images * price_list(billed_as.name).per_image,
        usage=Tokens(),
        key_hash=call.key_hash,
        client_request_id=call.client_request_id,
        request_hash=fingerprint,
        accepted_at=stamp(),
    )
    emulator.bill.record(row)
    return row


async def _drawn(
    emulator: Emulator, model: Model, wish: Wish, *, row: BillRow, luck: Luck, fault: Fault
) -> list[Picture]:
    subjects = (
        Subject(
            prompt=wish.prompt,
            model=model,
            size=wish.size,
            ratio=wish.ratio,
            references=(),
            mime=wish.mime,
            quality=wish.quality,
            response_id=row.response_id,
            number=number,
        )
        for number in range(row.images)
    )
    return await asyncio.gather(*(depicted(emulator, subject, luck, fault) for subject in subjects))


def _document(pictures: list[Picture], wish: Wish, fault: Fault) -> dict[str, object]:
    predictions: list[dict[str, object]] = []
    for picture in pictures:
        entry: dict[str, object] = {
            "mimeType": picture.label,
            "bytesBase64Encoded": base64_text(picture.content),
        }
        if wish.rewritten:
            entry["prompt"] = wish.prompt
        predictions.append(entry)
    if wish.with_reason and fault.kind != "no_candidates":
        reason = (
            fault.message
            or "Unable to show generated images: filtered by the responsible AI practices. Support codes: 42"
        )
        predictions.extend({"raiFilteredReason": reason} for _ in range(_filtered(wish, fault)))
    return {"predictions": predictions} if predictions else {}

"""The JSON of a generateContent answer, whole or as the chunks of a stream."""

from collections.abc import Mapping
from dataclasses import dataclass

from keeprate_emulator import signatures
from keeprate_emulator.drawing.orders import Picture
from keeprate_emulator.models import Surface
from keeprate_emulator.outcomes import Outcome
from keeprate_emulator.prices import Tokens
from keeprate_emulator.wire import base64_text

_TRAFFIC: Mapping[str, str] = {
    "standard": "ON_DEMAND",
    "flex": "ON_DEMAND_FLEX",
    "priority": "ON_DEMAND_PRIORITY",
}
_SAFETY = tuple(
    f"HARM_CATEGORY_{category}"
    for category in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Everything an answer is made of."""

    outcome: Outcome
    pictures: tuple[Picture, ...]
    response_id: str
    served_model: str
    surface: Surface
    lane: str
    signed: bool
    with_usage: bool
    searched: str = ""


def document(reply: Reply) -> dict[str, object]:
    """Return the whole answer as one document."""
    return _framed(reply, _parts(reply), last=True)


def chunks(reply: Reply) -> list[dict[str, object]]:
    """Return the answer as the documents of a stream: one part each, the reason to stop with the last."""
    parts = _parts(reply)
    if not parts:
        return [document(reply)]
    return [_framed(reply, [part], last=part is parts[-1]) for part in parts]


def usage_metadata(tokens: Tokens, surface: Surface, lane: str) -> dict[str, object]:
    """Return the usage block. Tokens of no count are left out, as upstream leaves them out."""
    usage: dict[str, object] = {
        "promptTokenCount": tokens.input,
        "candidatesTokenCount": tokens.candidates,
        "totalTokenCount": tokens.input + tokens.candidates + tokens.thoughts,
        "promptTokensDetails": token_details(tokens.prompt, tokens.references),
    }
    if tokens.candidates:
        usage["candidatesTokensDetails"] = token_details(tokens.text, tokens.image)
    if tokens.thoughts:
        usage["thoughtsTokenCount"] = tokens.thoughts
    if surface == "vertex":
        usage["trafficType"] = _TRAFFIC[lane]
    else:
        usage["serviceTier"] = lane
    return usage


def token_details(text: int, image: int) -> list[dict[str, object]]:
    """Return counts by modality."""
    counts = (("TEXT", text), ("IMAGE", image))
    return [{"modality": modality, "tokenCount": count} for modality, count in counts if count]


def _framed(reply: Reply, parts: list[dict[str, object]], *, last: bool) -> dict[str, object]:
    outcome = reply.outcome
    body: dict[str, object] = {}
    if outcome.block_reason:
        body["promptFeedback"] = _feedback(outcome)
    elif not outcome.without_candidates:
        body["candidates"] = [_candidate(reply, parts, last=last)]
    if reply.with_usage:
        body["usageMetadata"] = usage_metadata(outcome.tokens, reply.surface, reply.lane)
    body["modelVersion"] = reply.served_model
    body["responseId"] = reply.response_id
    return body


def _feedback(outcome: Outcome) -> dict[str, object]:
    feedback: dict[str, object] = {"blockReason": outcome.block_reason, "safetyRatings": []}
    if outcome.finish_message:
        feedback["blockReasonMessage"] = outcome.finish_message
    return feedback


def _candidate(reply: Reply, parts: list[dict[str, object]], *, last: bool) -> dict[str, object]:
    candidate: dict[str, object] = {"index": 0}
    if not reply.outcome.without_content:
        candidate["content"] = {"role": "model", "parts": parts}
    if not last:
        return candidate
    candidate["finishReason"] = reply.outcome.finish_reason
    if reply.outcome.finish_message:
        candidate["finishMessage"] = reply.outcome.finish_message
    if reply.outcome.finish_reason in {"SAFETY", "IMAGE_SAFETY"}:
        candidate["safetyRatings"] = [
            {"category": category, "probability": "NEGLIGIBLE"} for category in _SAFETY
        ]
    if reply.searched:
        candidate["groundingMetadata"] = {
            "webSearchQueries": [reply.searched],
            "searchEntryPoint": {"renderedContent": "<div>simulated search</div>"},
        }
    return candidate


def _parts(reply: Reply) -> list[dict[str, object]]:
    parts: list[dict[str, object]] = []
    if reply.outcome.thought:
        parts.append({"text": reply.outcome.thought, "thought": True})
    if reply.outcome.text:
        parts.append(_signed(reply, {"text": reply.outcome.text}))
    for place, picture in enumerate(reply.pictures):
        inline = {"inlineData": {"mimeType": picture.label, "data": base64_text(picture.content)}}
        draft = place < reply.outcome.drafts
        parts.append({**inline, "thought": True} if draft else _signed(reply, {**inline}))
    return parts


def _signed(reply: Reply, part: dict[str, object]) -> dict[str, object]:
    return part | {"thoughtSignature": signatures.new_signature()} if reply.signed else part

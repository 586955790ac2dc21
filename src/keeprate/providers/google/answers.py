"""A generateContent reply, understood: what came, how it is called, what was counted.

How an outcome is chosen, first match first:

1. nothing at all → empty ("empty_body"); not JSON, or of another shape → unknown ("undecodable");
2. an `error` object under status 200 → unknown, with its status word: it may have been paid;
3. an image that is not a thought → image;
4. an image whose data is not base64 → failed ("bad_base64"), or unknown where no usage tells the price;
5. `promptFeedback.blockReason` → blocked;
6. a finish reason that speaks of what is in the prompt or the picture → blocked;
7. words that are not a thought → text_only;
8. else → empty, with the finish reason, "thought_only" or "no_candidates".

`raw_reason` is the upstream's word as it came (capitals); ours, where it gave none, are lower case.
CONTINUATION is reported as it came and never followed: following it would buy again.
Wire source: https://ai.google.dev/api/generate-content and the replies in contract/, read 2026-11.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from keeprate.domain.outcomes import Outcome, OutcomeKind
from keeprate.domain.routes import ModelId
from keeprate.providers.google.blobs import BadBlob, decoded
from keeprate.providers.google.usage import lane_of, usage_block, usage_of
from keeprate.workflows.ports import Answer, ImagePart

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_REFUSALS: Final = frozenset(
    {
        "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "JAILBREAK",
        "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
    }
)  # fmt: skip
_FREE: Final = "you will not be charged for this request"
_UNSAID: Final = frozenset({"", "FINISH_REASON_UNSPECIFIED"})


class Blob(msgspec.Struct, rename="camel"):
    """Inside `content` both spellings of a key are on the wire, so each is a member here."""

    data: msgspec.Raw = msgspec.Raw()
    mime_type: str | None = None
    snake_mime_type: str | None = msgspec.field(default=None, name="mime_type")

    @property
    def mime(self) -> str:
        return self.mime_type or self.snake_mime_type or ""


class Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    inline_data: Blob | None = None
    snake_inline_data: Blob | None = msgspec.field(default=None, name="inline_data")
    thought_signature: str | None = None
    snake_thought_signature: str | None = msgspec.field(default=None, name="thought_signature")


class Content(msgspec.Struct):
    parts: list[Part] | None = None


class Grounding(msgspec.Struct, rename="camel"):
    web_search_queries: list[str] | None = None
    image_search_queries: list[str] | None = None


class Candidate(msgspec.Struct, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    grounding_metadata: Grounding | None = None


class Feedback(msgspec.Struct, rename="camel"):
    block_reason: str | None = None
    block_reason_message: str | None = None


class ErrorObject(msgspec.Struct):
    status: str | None = None
    message: str | None = None


class Document(msgspec.Struct, rename="camel"):
    """The whole reply. Nothing is required."""

    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: msgspec.Raw = msgspec.Raw()
    model_version: str | None = None
    response_id: str | None = None
    error: ErrorObject | None = None

    def parts(self) -> Iterator[Part]:
        """Give every part that is not a thought: a thought's picture is a sketch, not a result."""
        for candidate in self.candidates or ():
            if candidate.content is not None:
                yield from (part for part in candidate.content.parts or () if not part.thought)

    @property
    def finish(self) -> Candidate:
        """The candidate whose reason speaks for the reply: the first."""
        return self.candidates[0] if self.candidates else Candidate()


def content_answer(text: bytes | memoryview, *, served_tier: str | None) -> Answer:
    """Return what a reply body holds. Image bytes are decoded from `text` in place."""
    if not bytes(text[:64]).strip():
        return unanswered(OutcomeKind.EMPTY, "empty_body")
    try:
        document = msgspec.json.decode(text, type=Document, strict=False)
    except UNREADABLE:
        return unanswered(OutcomeKind.UNKNOWN, "undecodable")
    return answer_of(document, served_tier=served_tier)


def answer_of(document: Document, *, served_tier: str | None) -> Answer:
    """Return what a document holds."""
    images, bad = _images(document)
    metadata = usage_block(document.usage_metadata)
    usage = usage_of(metadata, images=len(images), search_queries=_searches(document))
    tiers = (metadata.service_tier, metadata.traffic_type) if metadata else ()
    return Answer(
        outcome=_outcome(document, images=len(images), bad=bad, counted=usage is not None),
        images=images,
        usage=usage,
        model_version=ModelId(document.model_version.rsplit("/", 1)[-1]) if document.model_version else None,
        response_id=document.response_id,
        served_lane=lane_of(served_tier, *tiers),
        stated_free=any(says_free(message) for message in _messages(document)),
    )


def unanswered(kind: OutcomeKind, reason: str) -> Answer:
    """Return the answer of a reply that says nothing we can read."""
    return Answer(
        outcome=Outcome(kind=kind, raw_reason=reason),
        images=(),
        usage=None,
        model_version=None,
        response_id=None,
        served_lane=None,
        stated_free=False,
    )


def says_free(message: str | None) -> bool:
    """Return whether the upstream's sentence says that this request costs nothing."""
    return _FREE in (message or "").lower()


def _images(document: Document) -> tuple[tuple[ImagePart, ...], bool]:
    images: list[ImagePart] = []
    bad = False
    for part in document.parts():
        blob = part.inline_data or part.snake_inline_data
        if blob is None or not _may_be_image(blob.mime):
            continue
        try:
            content = decoded(blob.data)
        except BadBlob:
            bad = True
            continue
        if content:
            signature = part.thought_signature or part.snake_thought_signature
            images.append(ImagePart(content=content, declared_mime=blob.mime, signature=signature))
    return tuple(images), bad


def _may_be_image(mime: str) -> bool:
    return mime.lower().startswith("image/") or mime in {"", "application/octet-stream"}


def _outcome(document: Document, *, images: int, bad: bool, counted: bool) -> Outcome:
    reason = document.finish.finish_reason or ""
    text = "".join(part.text for part in document.parts() if part.text) or None
    message = next((said for said in _messages(document) if said), None)
    blocked = document.prompt_feedback.block_reason if document.prompt_feedback else None
    if document.error is not None and not images:
        return Outcome(
            kind=OutcomeKind.UNKNOWN,
            raw_reason=document.error.status or "error",
            message=document.error.message,
        )
    if images:
        # STOP is how a picture normally ends; any other word is worth keeping beside it.
        said = "bad_base64" if bad else None if reason in {"STOP", *_UNSAID} else reason
        return Outcome(kind=OutcomeKind.IMAGE, raw_reason=said, message=message, text=text)
    if bad:
        kind = OutcomeKind.FAILED if counted else OutcomeKind.UNKNOWN
        return Outcome(kind=kind, raw_reason="bad_base64", message=message, text=text)
    kind, said = _without_image(reason, blocked, has_text=text is not None)
    return Outcome(kind=kind, raw_reason=said or _why_empty(document), message=message, text=text)


def _without_image(reason: str, blocked: str | None, *, has_text: bool) -> tuple[OutcomeKind, str | None]:
    if blocked:
        return OutcomeKind.BLOCKED, blocked
    if reason in _REFUSALS:
        return OutcomeKind.BLOCKED, reason
    if has_text:
        return OutcomeKind.TEXT_ONLY, reason or None
    # A bare STOP says nothing of why; what is missing does.
    return OutcomeKind.EMPTY, None if reason in {"STOP", *_UNSAID} else reason


def _why_empty(document: Document) -> str:
    if not document.candidates:
        return "no_candidates"
    thought = any(
        part.thought
        for candidate in document.candidates
        if candidate.content is not None
        for part in candidate.content.parts or ()
    )
    return "thought_only" if thought else document.finish.finish_reason or "no_content"


def _messages(document: Document) -> Iterator[str | None]:
    yield document.finish.finish_message
    if document.prompt_feedback is not None:
        yield document.prompt_feedback.block_reason_message


def _searches(document: Document) -> int:
    count = 0
    for candidate in document.candidates or ():
        found = candidate.grounding_metadata or Grounding()
        count += len(found.web_search_queries or ()) + len(found.image_search_queries or ())
    return count

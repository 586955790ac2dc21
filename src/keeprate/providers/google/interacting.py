"""An answer of the Interactions API, understood, whole or as events.

Wire source: https://ai.google.dev/gemini-api/docs/interactions and google-genai 1.75 and 3.4 recorded on
loopback, 2026-11. Keys are snake_case; counts are by modality in lower case.
"""

from collections.abc import Iterator

import msgspec

from keeprate.domain.charges import Usage
from keeprate.domain.outcomes import Outcome, OutcomeKind
from keeprate.domain.routes import ModelId
from keeprate.providers.google.answers import UNREADABLE, unanswered
from keeprate.providers.google.blobs import BadBlob, decoded
from keeprate.providers.google.streams import event_data
from keeprate.providers.google.usage import ModalityCount, UsageMetadata, usage_of
from keeprate.workflows.ports import Answer, ImagePart


class Said(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    mime_type: str | None = None
    data: msgspec.Raw = msgspec.Raw()


class Step(msgspec.Struct):
    type: str | None = None
    content: list[Said] | None = None


class Tokens(msgspec.Struct):
    modality: str | None = None
    tokens: int | None = None


class Counted(msgspec.Struct):
    total_input_tokens: int | None = None
    total_output_tokens: int | None = None
    total_thought_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_by_modality: list[Tokens] | None = None
    output_tokens_by_modality: list[Tokens] | None = None


class Failure(msgspec.Struct):
    code: str | int | None = None
    message: str | None = None


class Interaction(msgspec.Struct):
    """The whole answer. Nothing is required."""

    id: str | None = None
    model: str | None = None
    status: str | None = None
    steps: list[Step] | None = None
    outputs: list[Said] | None = None
    usage: Counted | None = None
    error: Failure | None = None

    def said(self) -> Iterator[Said]:
        """Give all content, in order."""
        yield from self.outputs or ()
        for step in self.steps or ():
            if step.type != "thought":
                yield from step.content or ()


class Event(msgspec.Struct):
    event_type: str | None = None
    interaction: Interaction | None = None
    delta: Said | None = None
    error: Failure | None = None


def interaction_answer(text: bytes | memoryview) -> Answer:
    """Return what a whole interaction holds."""
    if not bytes(text[:64]).strip():
        return unanswered(OutcomeKind.EMPTY, "empty_body")
    try:
        return _answer(msgspec.json.decode(text, type=Interaction, strict=False))
    except UNREADABLE:
        return unanswered(OutcomeKind.UNKNOWN, "undecodable")


def interaction_events_answer(text: bytes) -> Answer:
    """Return what the events of an interaction come to."""
    try:
        events = [msgspec.json.decode(data, type=Event, strict=False) for data in event_data(text)]
    except UNREADABLE:
        return unanswered(OutcomeKind.UNKNOWN, "undecodable")
    if not events:
        return unanswered(OutcomeKind.EMPTY, "empty_body")
    told = [event.interaction for event in events if event.interaction is not None]
    whole = told[-1] if told else Interaction()
    if not any(True for _ in whole.said()):
        whole.outputs = [event.delta for event in events if event.delta is not None]
    whole.error = whole.error or next((event.error for event in events if event.error is not None), None)
    return _answer(whole)


def _answer(document: Interaction) -> Answer:
    images: list[ImagePart] = []
    bad = False
    for said in document.said():
        if said.type not in {"image", None}:
            continue
        try:
            content = decoded(said.data)
        except BadBlob:
            bad = True
            continue
        if content:
            images.append(ImagePart(content=content, declared_mime=said.mime_type or "", signature=None))
    usage = _usage(document.usage, images=len(images))
    return Answer(
        outcome=_outcome(document, images=len(images), bad=bad, counted=usage is not None),
        images=tuple(images),
        usage=usage,
        model_version=ModelId(document.model.rsplit("/", 1)[-1]) if document.model else None,
        response_id=document.id,
        served_lane=None,
        stated_free=False,
    )


def _usage(counted: Counted | None, *, images: int) -> Usage | None:
    if counted is None:
        return None
    metadata = UsageMetadata(
        prompt_token_count=counted.total_input_tokens,
        candidates_token_count=counted.total_output_tokens,
        thoughts_token_count=counted.total_thought_tokens,
        total_token_count=counted.total_tokens,
        prompt_tokens_details=_details(counted.input_tokens_by_modality),
        candidates_tokens_details=_details(counted.output_tokens_by_modality),
    )
    return usage_of(metadata, images=images, search_queries=0)


def _details(counts: list[Tokens] | None) -> list[ModalityCount]:
    return [
        ModalityCount(modality=(one.modality or "").upper(), token_count=max(0, one.tokens or 0))
        for one in counts or ()
    ]


def _outcome(document: Interaction, *, images: int, bad: bool, counted: bool) -> Outcome:
    text = "".join(said.text for said in document.said() if said.text) or None
    if images:
        return Outcome(kind=OutcomeKind.IMAGE, raw_reason="bad_base64" if bad else None, text=text)
    if bad:
        kind = OutcomeKind.FAILED if counted else OutcomeKind.UNKNOWN
        return Outcome(kind=kind, raw_reason="bad_base64", text=text)
    if document.error is not None or document.status == "failed":
        failure = document.error or Failure()
        return Outcome(
            kind=OutcomeKind.BLOCKED if counted else OutcomeKind.UNKNOWN,
            raw_reason=str(failure.code or "failed"),
            message=failure.message,
            text=text,
        )
    if text is not None:
        return Outcome(kind=OutcomeKind.TEXT_ONLY, raw_reason=document.status, text=text)
    return Outcome(kind=OutcomeKind.EMPTY, raw_reason=document.status or "no_content")

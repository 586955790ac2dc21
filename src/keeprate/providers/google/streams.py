"""A generateContent answer in several documents: events of a stream, or a JSON array, read as the one they make.

Each event is one line that begins with "data:". Parts follow one another over the documents; of what each
document repeats (usage, finish reason, model), the last word counts.
Wire source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent and google-genai
1.75 to 3.4 recorded on loopback, 2026-11.
"""

from collections.abc import Iterator, Sequence

import msgspec

from keeprate.domain.outcomes import OutcomeKind
from keeprate.providers.google.answers import (
    UNREADABLE,
    Candidate,
    Content,
    Document,
    Part,
    answer_of,
    unanswered,
)
from keeprate.workflows.ports import Answer


def events_answer(text: bytes, *, served_tier: str | None) -> Answer:
    """Return what a stream of events holds, typed from the whole of it."""
    try:
        documents = [msgspec.json.decode(data, type=Document, strict=False) for data in event_data(text)]
    except UNREADABLE:
        return unanswered(OutcomeKind.UNKNOWN, "undecodable")
    return _joined(documents, served_tier)


def array_answer(text: bytes, *, served_tier: str | None) -> Answer:
    """Return what an array of documents holds."""
    try:
        documents = msgspec.json.decode(text or b"[]", type=list[Document], strict=False)
    except UNREADABLE:
        return unanswered(OutcomeKind.UNKNOWN, "undecodable")
    return _joined(documents, served_tier)


def event_data(text: bytes) -> Iterator[bytes]:
    """Yield the data of each event; a closing "[DONE]" is none."""
    for line in text.splitlines():
        if line.startswith(b"data:"):
            data = line[5:].strip()
            if data != b"[DONE]":
                yield data


def _joined(documents: Sequence[Document], served_tier: str | None) -> Answer:
    if not documents:
        return unanswered(OutcomeKind.EMPTY, "empty_body")
    whole = Document()
    parts: list[Part] = []
    candidate = Candidate()
    for document in documents:
        for name in ("prompt_feedback", "model_version", "response_id", "error"):
            setattr(whole, name, getattr(document, name) or getattr(whole, name))
        if memoryview(document.usage_metadata).nbytes:
            whole.usage_metadata = document.usage_metadata
        for said in document.candidates or ():
            parts.extend((said.content.parts or ()) if said.content is not None else ())
            for name in ("finish_reason", "finish_message", "grounding_metadata"):
                setattr(candidate, name, getattr(said, name) or getattr(candidate, name))
    if any(document.candidates for document in documents):
        candidate.content = Content(parts=parts)
        whole.candidates = [candidate]
    return answer_of(whole, served_tier=served_tier)

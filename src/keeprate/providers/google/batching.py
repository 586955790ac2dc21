"""The answer to a batch that was handed in: taken on, and nothing made yet.

Wire source: https://ai.google.dev/gemini-api/docs/batch-api and google-genai 3.4 recorded on loopback, 2026-11.
"""

from dataclasses import replace

import msgspec

from keeprate.domain.outcomes import OutcomeKind
from keeprate.providers.google.answers import UNREADABLE, ErrorObject, unanswered
from keeprate.workflows.ports import Answer


class Handed(msgspec.Struct):
    name: str | None = None
    error: ErrorObject | None = None


def batch_answer(text: bytes) -> Answer:
    """Return that a batch was taken on, with its name as the response id; what it costs is not known yet."""
    try:
        document = msgspec.json.decode(text or b"{}", type=Handed, strict=False)
    except UNREADABLE:
        return unanswered(OutcomeKind.UNKNOWN, "undecodable")
    if document.name is None:
        reason = "error" if document.error is None else document.error.status or "error"
        return unanswered(OutcomeKind.UNKNOWN, reason)
    taken_on = unanswered(OutcomeKind.EMPTY, "batch_taken_on")
    return replace(taken_on, response_id=document.name.rpartition("/")[2])

"""The shapes in which an upstream answers. A spooled reply carries its shape, so that it can be read after a crash."""

from enum import StrEnum
from typing import Final

_MARK: Final = "; keeprate-shape="


class ReplyShape(StrEnum):
    """What the body of a reply is."""

    CONTENT = "content"  # one generateContent document
    EVENTS = "events"  # generateContent documents as events
    ARRAY = "array"  # generateContent documents as a JSON array
    PREDICT = "predict"
    INTERACTION = "interaction"
    INTERACTION_EVENTS = "interaction-events"
    BATCH = "batch"  # a batch taken on: what it makes, and costs, comes later

    @property
    def is_stream(self) -> bool:
        """Return whether its first words are for the client at once, whatever comes of it."""
        return self in {ReplyShape.EVENTS, ReplyShape.ARRAY, ReplyShape.INTERACTION_EVENTS}


def marked(content_type: str, shape: ReplyShape) -> str:
    """Return `content_type` with the shape noted in it."""
    return f"{content_type}{_MARK}{shape}"


def shape_in(content_type: str) -> ReplyShape | None:
    """Return the shape noted in `content_type`, or None."""
    _, found, name = content_type.partition(_MARK)
    return ReplyShape(name) if found and name in set(ReplyShape) else None

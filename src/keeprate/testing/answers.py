"""Answers and failures for a scripted upstream: what it says, without a wire."""

import struct
import zlib

from keeprate.domain.charges import Usage
from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import ModelId
from keeprate.workflows.ports import Answer, ImagePart, SendFailure

# What a 1K picture of the current models takes, with a short prompt and little thinking.
USUAL = Usage(prompt_text_tokens=10, output_image_tokens=1120, thought_tokens=40, images=1)


def png(width: int = 1024, height: int = 1024, shade: int = 128) -> bytes:
    """Return a whole grey PNG of that many pixels; another `shade` (0 to 255) is another image."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * width) * height
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def pictures(
    *contents: bytes,
    usage: Usage | None = USUAL,
    model: str | None = None,
    lane: Lane | None = None,
) -> Answer:
    """Return an answer with these images; `model` is what says it served, `usage` None is none told."""
    return Answer(
        outcome=Outcome(kind=OutcomeKind.IMAGE, raw_reason="STOP"),
        images=tuple(
            ImagePart(content=content, declared_mime="image/png", signature=None) for content in contents
        ),
        usage=usage,
        model_version=None if model is None else ModelId(model),
        response_id="r-1",
        served_lane=lane,
        stated_free=False,
    )


def without_picture(
    kind: OutcomeKind, reason: str, *, usage: Usage | None = USUAL, is_free: bool = False
) -> Answer:
    """Return an answer that brings no image, and tells why."""
    return Answer(
        outcome=Outcome(kind=kind, raw_reason=reason),
        images=(),
        usage=usage,
        model_version=None,
        response_id="r-1",
        served_lane=None,
        stated_free=is_free,
    )


def busy(*, retry_after_s: float | None = None, status: int = 503, is_final: bool = False) -> SendFailure:
    """Return a refusal that cost nothing."""
    return SendFailure(
        FailureClass.REFUSED_FREE,
        Outcome(kind=OutcomeKind.FAILED, raw_reason="UNAVAILABLE"),
        http_status=status,
        retry_after_s=retry_after_s,
        is_final=is_final,
    )


def unreachable() -> SendFailure:
    """Return a failure before a byte was sent."""
    return SendFailure(
        FailureClass.NOT_SENT,
        Outcome(kind=OutcomeKind.FAILED, raw_reason="cannot_connect"),
        http_status=None,
        retry_after_s=None,
        is_final=False,
    )


def lost() -> SendFailure:
    """Return a failure after which nobody knows whether it was paid."""
    return SendFailure(
        FailureClass.UNKNOWN,
        Outcome(kind=OutcomeKind.UNKNOWN, raw_reason="connection_lost"),
        http_status=None,
        retry_after_s=None,
        is_final=False,
    )

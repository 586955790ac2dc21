"""From a finished purchase to an answer in OpenAI's shape: whole, or as the events of a stream.

The shapes pass openai 3.54.0's own strict validation; `usage` is what the charges rest on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from keeprate.domain.attempts import Attempt
from keeprate.domain.charges import Usage
from keeprate.domain.errors import KeeprateError, NoImage
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.gateway.ends import without_image
from keeprate.gateway.exchange import Pairs
from keeprate.gateway.marks import PREFIX, header_text, marks_of
from keeprate.gateway.openai.asked import Asked
from keeprate.gateway.openai.links import placeholder
from keeprate.gateway.problems import openai_error, plain
from keeprate.workflows.intents import is_free
from keeprate.workflows.kept_answers import Bought, ImagePiece, KeptAnswer, Piece
from keeprate.workflows.ports import StoredImage
from keeprate.workflows.results import Result

_FORMATS: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}
_QUALITIES: Final = {"low": "low", "high": "high", "hd": "high", "xhigh": "xhigh", "max": "max"}
# What OpenAI's clients look for where a filter said no.
_CODES: Final = {OutcomeKind.BLOCKED: "content_policy_violation"}
# Refusals of the upstream that cost nothing and have a class of their own in the SDK.
_REFUSALS: Final[Mapping[str, tuple[int, Mapping[str, str]]]] = {
    "RESOURCE_EXHAUSTED": (429, {"type": "rate_limit_error", "code": "upstream_throttled"}),
    "INVALID_ARGUMENT": (400, {"type": "invalid_request_error", "code": "upstream_refused"}),
    "UNAVAILABLE": (503, {}),
}
_ANSWERED: Final = frozenset({OutcomeKind.BLOCKED, OutcomeKind.TEXT_ONLY, OutcomeKind.EMPTY})
NO_RETRY: Final = ("x-should-retry", "false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An image as it is answered: `image` is stored, in the format asked for; `source` as it was bought."""

    image: StoredImage
    source: StoredImage


def bought(asked: Asked, result: Result, shown: Sequence[Shown]) -> Bought:
    """Return the answer to `asked`. It is kept, unless it is unknown or was free: then asking again may help."""
    rows = result.attempts
    settled = all(row.state is not AttemptState.UNKNOWN for row in rows) and not all(map(is_free, rows))
    headers = (*marks_of(result).headers(), *_adjusted(asked, result, shown))
    if not shown:
        return Bought(answer=_without(result, headers), settled=settled)
    pieces = _events(asked, result, shown) if asked.streams else _whole(asked, result, shown)
    return Bought(answer=KeptAnswer(status=200, headers=headers, pieces=pieces), settled=settled)


def _without(result: Result, headers: Pairs) -> KeptAnswer:
    told = _told(result)
    body = msgspec.json.encode(plain({"error": dict(told.members)}))
    return KeptAnswer(status=told.status, headers=(*headers, NO_RETRY), pieces=(body,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An error in OpenAI's shape."""

    status: int
    members: Mapping[str, object]


def _told(result: Result) -> _Told:
    """Return why no image came, with the status that makes the SDK raise the fitting class."""
    error, kind = without_image(result), result.outcome.kind
    if kind in _ANSWERED:
        code = _CODES.get(kind, error.code)
        changes = {"type": "image_generation_user_error", "param": "prompt", "code": code}
        return _Told(status=400, members=_renamed(error, changes))
    said = (result.outcome.raw_reason or "").partition(" ")[0]
    if kind is OutcomeKind.FAILED and said in _REFUSALS:
        status, changes = _REFUSALS[said]
        return _Told(status=status, members=_renamed(error, changes))
    return _Told(status=error.http_status, members=_renamed(error, {}))


def _renamed(error: KeeprateError, members: Mapping[str, str]) -> Mapping[str, object]:
    return {**cast("Mapping[str, object]", openai_error(error)["error"]), **members}


def _whole(asked: Asked, result: Result, shown: Sequence[Shown]) -> tuple[Piece, ...]:
    pieces: list[Piece] = [b'{"data":[']
    for place, one in enumerate(shown):
        pieces.append(b"," if place else b"")
        pieces += _as_link(one) if asked.wants_links else (b'{"b64_json":"', _piece(one), b'"}')
    rest: dict[str, object] = {"created": _made_at(result), **_described(asked, shown[0])}
    usage = _usage(result.attempts)
    if usage is not None:
        rest["usage"] = usage
    if result.is_partial:
        rest |= _partial(result)
    pieces.append(b"]," + msgspec.json.encode(plain(rest))[1:])
    return tuple(piece for piece in pieces if piece)


def _events(asked: Asked, result: Result, shown: Sequence[Shown]) -> tuple[Piece, ...]:
    """Return the events: the finished images alone, for no upstream sends us unfinished ones."""
    name = f"{asked.kind}.completed"
    pieces: list[Piece] = []
    for one in shown:
        rest = {
            "created_at": _made_at(result),
            **_described(asked, one),
            "usage": _usage(_once(result.attempts, one, shown)) or _counted(Usage()),
        }
        head = f'event: {name}\ndata: {{"type":"{name}","b64_json":"'.encode()
        pieces += (head, _piece(one), b'",' + msgspec.json.encode(plain(rest))[1:] + b"\n\n")
    if result.is_partial:
        pieces.append(b"event: error\ndata: " + msgspec.json.encode(plain(_partial(result))) + b"\n\n")
    pieces.append(b"data: [DONE]\n\n")
    return tuple(pieces)


def _piece(one: Shown) -> ImagePiece:
    return ImagePiece(sha256=one.image.sha256)


def _as_link(one: Shown) -> tuple[bytes]:
    return (b'{"url":"' + placeholder(one.image.sha256, one.image.extension).encode() + b'"}',)


def _described(asked: Asked, one: Shown) -> dict[str, object]:
    return {
        "background": "opaque",
        "output_format": _FORMATS[one.image.mime],
        "quality": _QUALITIES.get(asked.fields.quality or "", "medium"),
        "size": f"{one.image.width}x{one.image.height}",
    }


def _adjusted(asked: Asked, result: Result, shown: Sequence[Shown]) -> tuple[tuple[str, str], ...]:
    """Return what is answered otherwise than it was asked, each with both values."""
    told: list[str] = []
    wanted = asked.fields.size
    real = f"{shown[0].image.width}x{shown[0].image.height}" if shown else None
    if real is not None and wanted is not None and wanted != "auto" and wanted.lower() != real:
        told.append(f"size={real} (asked {wanted})")
    if asked.fields.partial_images:
        told.append(f"partial_images=0 (asked {asked.fields.partial_images})")
    if asked.fields.model is not None and asked.model is None and asked.fields.model != "auto":
        told.append(f"model={result.decision.chosen.route.model} (asked {asked.fields.model})")
    adjusted = [(f"{PREFIX}adjusted", header_text("; ".join(told)))] if told else []
    if result.is_partial:
        adjusted.append((f"{PREFIX}partial", f"{len(result.images)}/{result.request.variants}"))
    return tuple(adjusted)


def _partial(result: Result) -> Mapping[str, object]:
    """Return the error that stands beside the images where some of those wanted did not come."""
    came, wanted = len(result.images), result.request.variants
    failed = [row for row in result.attempts if row.state is not AttemptState.IMAGE]
    why = ", ".join(dict.fromkeys(str(row.outcome or row.state) for row in failed))
    error = NoImage(
        f"{came} of {wanted} images came" + (f": {why}" if why else ""),
        field="n",
        remedy="; ".join(result.notices) or "ask again for the rest",
    )
    told = _renamed(error, {"type": "partial_failure", "code": "partial_failure"})
    failures = [
        {
            "attempt": row.id,
            "outcome": str(row.state),
            "reason": row.outcome.raw_reason if row.outcome else None,
        }
        for row in failed
    ]
    return {"error": told, "keeprate": {"wanted": wanted, "came": came, "failures": failures}}


def _made_at(result: Result) -> int:
    rows = [row for row in result.attempts if row.image_sha256s] or result.attempts
    return int((rows[0].settled_at or rows[0].new.created_at).timestamp())


def _once(rows: Sequence[Attempt], one: Shown, shown: Sequence[Shown]) -> Sequence[Attempt]:
    """Return the attempt that brought an image, where it is the first of that attempt's."""
    found = [row for row in rows if one.source.sha256 in row.image_sha256s][:1]
    if not found:
        return ()
    first = next(other for other in shown if other.source.sha256 in found[0].image_sha256s)
    return found if first is one else ()


def _usage(rows: Sequence[Attempt]) -> Mapping[str, object] | None:
    told = [row.charge.usage for row in rows if row.charge is not None and row.charge.usage is not None]
    return _counted(*told) if told else None


def _counted(*told: Usage) -> Mapping[str, object]:
    words = sum(usage.prompt_text_tokens + usage.prompt_video_tokens for usage in told)
    references = sum(usage.prompt_image_tokens for usage in told)
    text = sum(usage.output_text_tokens + usage.thought_tokens for usage in told)
    images = sum(usage.output_image_tokens for usage in told)
    return {
        "input_tokens": words + references,
        "input_tokens_details": {"text_tokens": words, "image_tokens": references},
        "output_tokens": text + images,
        "output_tokens_details": {"text_tokens": text, "image_tokens": images},
        "total_tokens": words + references + text + images,
    }

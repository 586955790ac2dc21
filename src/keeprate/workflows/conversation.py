"""Conversations without their pictures: image bytes leave the JSON for their hash, and come back.

A turn repeats whole images as base64; the asset store holds them already. Folding replaces the data
of each inline image by the hash of its bytes; unfolding puts standard base64 back. Signatures and
everything else stay as they came.
"""

import hashlib
from collections.abc import Callable
from typing import cast

import msgspec
import pybase64

_FOLDED = "keeprate.sha256"


def folded(turn: bytes, stored: frozenset[str]) -> bytes:
    """Return the turn with the data of each inline image in `stored` replaced by its hash."""

    def fold(blob: dict[str, object]) -> dict[str, object]:
        sha256 = _hash_of(blob.get("data"))
        if sha256 not in stored:
            return blob
        kept = {name: value for name, value in blob.items() if name != "data"}
        return {**kept, _FOLDED: sha256}

    return msgspec.json.encode(_walked(msgspec.json.decode(turn), fold))


def unfolded(turn: bytes, bytes_of: Callable[[str], bytes]) -> bytes:
    """Return the turn as it is sent, with images read by hash."""

    def unfold(blob: dict[str, object]) -> dict[str, object]:
        sha256 = blob.get(_FOLDED)
        if not isinstance(sha256, str):
            return blob
        kept = {name: value for name, value in blob.items() if name != _FOLDED}
        return {**kept, "data": pybase64.b64encode(bytes_of(sha256)).decode()}

    return msgspec.json.encode(_walked(msgspec.json.decode(turn), unfold))


def hashes_in(turn: bytes) -> tuple[str, ...]:
    """Return the hashes of the images a folded turn stands for."""
    found: list[str] = []

    def note(blob: dict[str, object]) -> dict[str, object]:
        sha256 = blob.get(_FOLDED)
        if isinstance(sha256, str):
            found.append(sha256)
        return blob

    _walked(msgspec.json.decode(turn), note)
    return tuple(found)


def _hash_of(data: object) -> str | None:
    if not isinstance(data, str):
        return None
    # Both base64 alphabets occur, padded or not (wire contract, inlineData).
    standard = data.replace("-", "+").replace("_", "/")
    try:
        content = pybase64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError:
        return None
    return hashlib.sha256(content).hexdigest()


def _walked(value: object, change: Callable[[dict[str, object]], dict[str, object]]) -> object:
    if isinstance(value, list):
        return [_walked(item, change) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    table = cast("dict[str, object]", value)
    return {
        name: change(cast("dict[str, object]", inner))
        if name in {"inlineData", "inline_data"} and isinstance(inner, dict)
        else _walked(inner, change)
        for name, inner in table.items()
    }

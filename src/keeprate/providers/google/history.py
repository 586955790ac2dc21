"""A conversation, carried on byte for byte: earlier turns as sent, then the model's turn as it came.

Gemini 3 models sign their parts and refuse an edit whose signatures do not come back on the same parts
(https://ai.google.dev/gemini-api/docs/thought-signatures, read 2026-11), so nothing here is parsed further
than to find where a turn begins and ends.
"""

import msgspec

from keeprate.providers.google.answers import UNREADABLE


class _Candidate(msgspec.Struct):
    content: msgspec.Raw = msgspec.Raw()


class _Received(msgspec.Struct):
    candidates: list[_Candidate] = []


def model_turn(reply: bytes | memoryview) -> bytes | None:
    """Return the model's turn as it came, or None where it said nothing (blocked, empty, `:predict`)."""
    try:
        received = msgspec.json.decode(reply, type=_Received)
    except UNREADABLE:
        return None
    if not received.candidates:
        return None
    turn = bytes(memoryview(received.candidates[0].content))
    return turn if turn.startswith(b"{") else None

"""Thought signatures: issued on pictures, demanded back when the conversation goes on.

Wire source: https://ai.google.dev/gemini-api/docs/thought-signatures (2025-11). The value names neither picture nor
conversation; what is imitated is that it must come back, unchanged.
"""

import hashlib
import hmac
import secrets

import pybase64

_KEY = b"keeprate emulator thought signature"
_NONCE = 24
_TAG = 16
# The documentation names these two as stand-ins for histories that come from another model.
_STAND_INS = frozenset({"context_engineering_is_the_way_to_go", "skip_thought_signature_validator"})


def new_signature() -> str:
    """Return a signature in the standard base64 alphabet."""
    nonce = secrets.token_bytes(_NONCE)
    return pybase64.b64encode_as_string(nonce + _tag(nonce))


def is_ours(signature: str) -> bool:
    """Return whether this is a signature as issued, in either base64 alphabet."""
    if signature in _STAND_INS:
        return True
    try:
        content = pybase64.b64decode(signature.replace("-", "+").replace("_", "/") + "==")
    except ValueError:
        return False
    if content.decode("latin-1") in _STAND_INS:
        return True
    return len(content) == _NONCE + _TAG and hmac.compare_digest(content[_NONCE:], _tag(content[:_NONCE]))


def _tag(nonce: bytes) -> bytes:
    return hmac.digest(_KEY, nonce, hashlib.sha256)[:_TAG]

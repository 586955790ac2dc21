"""Base64 inside JSON, decoded in place: a 4K picture is 30 MB of text and should not be copied twice."""

import binascii
from typing import Final

import msgspec
import pybase64

_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_LINE_ENDS: Final = b"\r\n\t "


class BadBlob(Exception):
    """The text is not base64."""


def decoded(raw: msgspec.Raw) -> bytes:
    """Return the bytes that a JSON string of base64 stands for; empty where it is absent or null.

    Either alphabet is taken, padded or not, and line ends inside are passed over: what was paid for is
    not thrown away for its spelling.

    Raises:
        BadBlob: Not a string, or not base64.
    """
    # `raw` is a view of the reply, which may be a mapped file: nothing is copied until decoding.
    text = memoryview(raw)
    if len(text) < 2 or bytes(text[:4]) == b"null":
        return b""
    if text[0] != ord('"'):
        raise BadBlob("a picture's data is not text")
    return _from_base64(text[1:-1])


def _from_base64(text: memoryview) -> bytes:
    if len(text) % 4 == 0:
        try:
            return pybase64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            pass  # an unusual spelling: take the slow road below
    return _unusual(text)


def _unusual(text: memoryview) -> bytes:
    plain = bytes(text)
    try:
        if b"\\" in plain:  # some writers escape "=" and "/"
            plain = msgspec.json.decode(b'"' + plain + b'"', type=str).encode("ascii")
        plain = plain.translate(_URL_SAFE, _LINE_ENDS).rstrip(b"=")
        return pybase64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, msgspec.DecodeError, ValueError) as fault:
        raise BadBlob("a picture's data is not base64") from fault

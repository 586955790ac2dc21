"""Where the parts of a PNG, JPEG or WebP file lie, by offset: nothing is decoded, nothing is copied.

Sources: PNG (W3C, third edition, 2025), JPEG (ITU-T T.81, annex B), WebP container (RFC 9649).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

PNG_START: Final = b"\x89PNG\r\n\x1a\n"
JPEG_START: Final = b"\xff\xd8\xff"
MOST_PARTS: Final = 10_000  # a camera file has tens; 50 MB of PNG in the usual 8 KB chunks have 6,100

_U32_BIG: Final = struct.Struct(">I")
_U32_LITTLE: Final = struct.Struct("<I")
_U16_BIG: Final = struct.Struct(">H")


class Malformed(Exception):
    """The bytes do not keep to their format; the text says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A chunk or segment: its name, its whole extent, and where its own data lie within."""

    name: bytes
    start: int
    body: int
    body_end: int
    end: int

    def of(self, content: bytes) -> bytes:
        """Return the part's own data."""
        return content[self.body : self.body_end]


def png_parts(content: bytes) -> Iterator[Part]:
    """Yield the chunks from IHDR to IEND.

    Raises:
        Malformed: A chunk does not fit, or the file ends before IEND.
    """
    at = len(PNG_START)
    for _ in range(MOST_PARTS):
        if at + 12 > len(content):
            raise Malformed("it is cut short")
        (size,) = _U32_BIG.unpack_from(content, at)
        end = at + 12 + size
        if end > len(content):
            raise Malformed("it is cut short")
        name = content[at + 4 : at + 8]
        yield Part(name=name, start=at, body=at + 8, body_end=end - 4, end=end)
        if name == b"IEND":
            return
        at = end
    raise Malformed("it has too many parts")


def jpeg_parts(content: bytes) -> Iterator[Part]:
    """Yield the segments after SOI up to the first scan; the last one, SOS, reaches to the file's end.

    Raises:
        Malformed: A segment does not fit, or there is no scan.
    """
    at = 2
    for _ in range(MOST_PARTS):
        while content[at : at + 2] == b"\xff\xff":
            at += 1  # fill bytes may stand before a marker
        if at + 4 > len(content):
            raise Malformed("it is cut short")
        if content[at] != 0xFF:
            raise Malformed("a segment does not start where the one before ends")
        (size,) = _U16_BIG.unpack_from(content, at + 2)
        end = at + 2 + size
        if size < 2 or end > len(content):
            raise Malformed("it is cut short")
        name = content[at + 1 : at + 2]
        if name == b"\xda":
            yield Part(name=name, start=at, body=at + 4, body_end=end, end=len(content))
            return
        yield Part(name=name, start=at, body=at + 4, body_end=end, end=end)
        at = end
    raise Malformed("it has too many parts")


def webp_parts(content: bytes) -> Iterator[Part]:
    """Yield the chunks within the RIFF frame.

    Raises:
        Malformed: A chunk does not fit, or the file is shorter than its frame says.
    """
    frame_end = webp_end(content)
    at = 12
    for _ in range(MOST_PARTS):
        if at == frame_end:
            return
        if at + 8 > frame_end:
            raise Malformed("it is cut short")
        (size,) = _U32_LITTLE.unpack_from(content, at + 4)
        body_end = at + 8 + size
        end = body_end + size % 2
        if body_end > frame_end:
            raise Malformed("it is cut short")
        # Some writers leave out the last chunk's padding byte.
        end = min(end, frame_end)
        yield Part(name=content[at : at + 4], start=at, body=at + 8, body_end=body_end, end=end)
        at = end
    raise Malformed("it has too many parts")


def webp_end(content: bytes) -> int:
    """Return where the RIFF frame ends; bytes after it belong to no format.

    Raises:
        Malformed: The file is shorter than its frame says.
    """
    if len(content) < 12:
        raise Malformed("it is cut short")
    frame_end = 8 + _U32_LITTLE.unpack_from(content, 4)[0]
    if frame_end > len(content) or frame_end < 12:
        raise Malformed("it is cut short")
    return frame_end

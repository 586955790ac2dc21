"""Takes out of an image file what tells about a person: place, device, serial numbers, thumbnails.

Works on the file's parts, so the pixels stay as they are, bit for bit. Kept is what is needed to show
them right (colour profile, palette, transparency, gamma); everything else goes, known or not.
"""

import re
import struct
from typing import Final

from keeprate.safety.containers import (
    JPEG_START,
    PNG_START,
    Malformed,
    Part,
    jpeg_parts,
    png_parts,
    webp_parts,
)
from keeprate.safety.images import ImageKind

UPRIGHT: Final = 1

_PNG_KEPT: Final = frozenset(
    [
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"iCCP",
        b"sRGB",
        b"gAMA",
        b"cHRM",
        b"sBIT",
        b"cICP",
        b"pHYs",
    ]
)
_WEBP_KEPT: Final = frozenset([b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP"])
_WEBP_ICC_AND_ALPHA: Final = 0x30
# Application segments that pixels need: the colour profile, and Adobe's word on how colours are coded.
_JPEG_KEPT: Final = {b"\xe2": b"ICC_PROFILE\0", b"\xee": b"Adobe"}
_EXIF: Final = b"Exif\0\0"
_ORIENTATION: Final = 0x0112
# Within a scan 0xFF is followed by 0x00, or by a restart marker; any other byte ends the scan.
_NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def without_personal(content: bytes, kind: ImageKind) -> bytes:
    """Return the same picture without anything but its pixels and their colours.

    Raises:
        Malformed: The file does not keep to its format.
    """
    match kind:
        case ImageKind.PNG:
            kept = [content[part.start : part.end] for part in png_parts(content) if part.name in _PNG_KEPT]
            return PNG_START + b"".join(kept)
        case ImageKind.JPEG:
            return JPEG_START[:2] + b"".join(_kept_of_jpeg(part, content) for part in jpeg_parts(content))
        case ImageKind.WEBP:
            kept = [_kept_of_webp(part, content) for part in webp_parts(content) if part.name in _WEBP_KEPT]
            body = b"WEBP" + b"".join(kept)
            return b"RIFF" + struct.pack("<I", len(body)) + body


def orientation(content: bytes, kind: ImageKind) -> int:
    """Return the EXIF orientation, 1 (upright) to 8; 1 where none is given.

    Raises:
        Malformed: The file does not keep to its format.
    """
    match kind:
        case ImageKind.PNG:
            found = [part.of(content) for part in png_parts(content) if part.name == b"eXIf"]
        case ImageKind.JPEG:
            found = [
                body
                for part in jpeg_parts(content)
                if part.name == b"\xe1" and (body := part.of(content)).startswith(_EXIF)
            ]
        case ImageKind.WEBP:
            found = [part.of(content) for part in webp_parts(content) if part.name == b"EXIF"]
    return _orientation_of(found[0].removeprefix(_EXIF)) if found else UPRIGHT


def _kept_of_jpeg(part: Part, content: bytes) -> bytes:
    if part.name == b"\xda":
        return content[part.start : _end_of_picture(part, content)]
    if part.name == b"\xe0":
        # JFIF says version and density in twelve bytes; a thumbnail may follow, and is left out.
        density = part.of(content)[:12]
        is_whole = density.startswith(b"JFIF\0") and len(density) == 12
        return b"\xff\xe0" + struct.pack(">H", 16) + density + b"\0\0" if is_whole else b""
    if b"\xe0" <= part.name <= b"\xef" or part.name == b"\xfe":
        wanted = _JPEG_KEPT.get(part.name)
        if wanted is None or not part.of(content).startswith(wanted):
            return b""
    return content[part.start : part.end]


def _end_of_picture(scan: Part, content: bytes) -> int:
    """Return the offset behind the EOI marker: phones hang further pictures and films on behind it."""
    at = scan.body_end
    while (found := _NEXT_MARKER.search(content, at)) is not None:
        at = found.start()
        if content[at + 1] == 0xD9:
            return at + 2
        if at + 4 > len(content):
            break
        at += 2 + max(2, struct.unpack_from(">H", content, at + 2)[0])
    raise Malformed("it is cut short")


def _kept_of_webp(part: Part, content: bytes) -> bytes:
    whole = content[part.start : part.end] + b"\0" * (
        (part.body_end - part.body) % 2 - (part.end - part.body_end)
    )
    if part.name != b"VP8X":
        return whole
    # The flags must no longer announce the chunks that go.
    return whole[:8] + bytes([whole[8] & _WEBP_ICC_AND_ALPHA]) + whole[9:]


def _orientation_of(tiff: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return UPRIGHT
    (at,) = struct.unpack_from(f"{order}I", tiff, 4)
    if at + 2 > len(tiff):
        return UPRIGHT
    (entries,) = struct.unpack_from(f"{order}H", tiff, at)
    for number in range(min(entries, (len(tiff) - at - 2) // 12)):
        tag, kind, count, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * number)
        if tag == _ORIENTATION and kind == 3 and count == 1:
            return value if UPRIGHT <= value <= 8 else UPRIGHT
    return UPRIGHT

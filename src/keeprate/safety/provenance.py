"""Puts an XMP packet into an image file and takes it out again, byte for byte, touching nothing else.

A file that already carries a packet, or signed credentials (C2PA) that a further byte would break, is
left as it is. Sources: XMP part 3 (Adobe, January 2020) for where packets go, C2PA 2.2 for manifests.
"""

import struct
import zlib
from typing import Final

from keeprate.safety.containers import (
    JPEG_START,
    PNG_START,
    Malformed,
    Part,
    jpeg_parts,
    png_parts,
    webp_end,
    webp_parts,
)
from keeprate.safety.images import ImageKind, read_header, sniff
from keeprate.safety.xmp import Packet, parsed, written

_PNG_XMP: Final = b"XML:com.adobe.xmp\0"
_PNG_XMP_PLAIN: Final = _PNG_XMP + b"\0\0\0\0"  # not compressed, no language, no translated keyword
_JPEG_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_LARGEST_SEGMENT: Final = 65_533
_WEBP_XMP_FLAG: Final = 0x04
_WEBP_ALPHA_FLAG: Final = 0x10


def embed(content: bytes, packet: Packet) -> bytes | None:
    """Return the image with `packet` in it; None where it carries a packet or credentials already.

    A JPEG takes at most 64 KB; a longer packet goes in without its prompt.

    Raises:
        Malformed: The file does not keep to its format.
    """
    kind = sniff(content)
    if kind is None or _is_marked(content, kind):
        return None
    match kind:
        case ImageKind.PNG:
            return _png_with(content, written(packet))
        case ImageKind.JPEG:
            return _jpeg_with(content, _fitting(packet))
        case ImageKind.WEBP:
            return _webp_with(content, packet)


def read_packet(content: bytes) -> Packet | None:
    """Return the packet of ours that the image carries, if any; damaged files carry none."""
    found = _found(content)
    return None if found is None else found[1]


def without_packet(content: bytes) -> bytes:
    """Return the image as it was before `embed`; as it is where there is no packet of ours."""
    found = _found(content)
    if found is None:
        return content
    part, packet = found
    bare = content[: part.start] + content[part.end :]
    if sniff(content) is not ImageKind.WEBP:
        return bare
    return _webp_without(bare, part.end - part.start, packet)


def _found(content: bytes) -> tuple[Part, Packet] | None:
    kind = sniff(content)
    if kind is None:
        return None
    try:
        for part in _PARTS[kind](content):
            text = _packet_text(part, content, kind)
            packet = None if text is None else parsed(text)
            if packet is not None:
                return part, packet
    except Malformed:
        return None
    return None


def _packet_text(part: Part, content: bytes, kind: ImageKind) -> bytes | None:
    match kind, part.name:
        case ImageKind.PNG, b"iTXt" if content.startswith(_PNG_XMP_PLAIN, part.body):
            return content[part.body + len(_PNG_XMP_PLAIN) : part.body_end]
        case ImageKind.JPEG, b"\xe1" if content.startswith(_JPEG_XMP, part.body):
            return content[part.body + len(_JPEG_XMP) : part.body_end]
        case ImageKind.WEBP, b"XMP ":
            return part.of(content)
        case _:
            return None


def _is_marked(content: bytes, kind: ImageKind) -> bool:
    """Return whether a packet, or a C2PA manifest (a JUMBF box), is there."""
    return any(_is_mark(part, content, kind) for part in _PARTS[kind](content))


def _is_mark(part: Part, content: bytes, kind: ImageKind) -> bool:
    match kind:
        case ImageKind.PNG:
            return part.name == b"caBX" or (part.name == b"iTXt" and content.startswith(_PNG_XMP, part.body))
        case ImageKind.JPEG:
            return (part.name == b"\xeb" and content.startswith(b"JP", part.body)) or (
                part.name == b"\xe1" and content.startswith(_JPEG_XMP, part.body)
            )
        case ImageKind.WEBP:
            announced = part.name == b"VP8X" and bool(content[part.body] & _WEBP_XMP_FLAG)
            return announced or part.name in {b"XMP ", b"C2PA"}


def _png_with(content: bytes, text: bytes) -> bytes:
    body = b"iTXt" + _PNG_XMP_PLAIN + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    at = len(PNG_START) + 25  # behind IHDR, which always comes first and has this length
    return content[:at] + chunk + content[at:]


def _fitting(packet: Packet) -> bytes:
    text = written(packet)
    if len(text) + len(_JPEG_XMP) <= _LARGEST_SEGMENT:
        return text
    return written(
        Packet(
            attempt_id=packet.attempt_id,
            image_sha256=packet.image_sha256,
            simulated=packet.simulated,
            source_type=packet.source_type,
            facts=packet.facts,
        )
    )


def _jpeg_with(content: bytes, text: bytes) -> bytes:
    at = len(JPEG_START) - 1
    for part in jpeg_parts(content):
        # JFIF and EXIF each want to be first; readers look for XMP behind them.
        if part.name not in {b"\xe0", b"\xe1"}:
            break
        at = part.end
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(_JPEG_XMP) + len(text)) + _JPEG_XMP + text
    return content[:at] + segment + content[at:]


def _webp_with(content: bytes, packet: Packet) -> bytes | None:
    end = webp_end(content)
    if end % 2:
        return None  # its writer left out the last padding byte, which taking the packet out would keep
    first = content[12:16]
    is_simple = first in {b"VP8 ", b"VP8L"}
    if not is_simple and first != b"VP8X":
        raise Malformed("its header is missing")
    if is_simple:
        packet = Packet(
            attempt_id=packet.attempt_id,
            image_sha256=packet.image_sha256,
            simulated=packet.simulated,
            source_type=packet.source_type,
            prompt=packet.prompt,
            was_simple_webp=True,
            facts=packet.facts,
        )
        head = _extended_header(content)
        body = content[12:end]
    else:
        head = content[12:20] + bytes([content[20] | _WEBP_XMP_FLAG])
        body = content[21:end]
    text = written(packet)
    text += b"\n" * (len(text) % 2)  # white space may follow a packet; then no padding is needed
    frame = (
        b"WEBP" + head + body + b"\0" * (len(body + head) % 2) + b"XMP " + struct.pack("<I", len(text)) + text
    )
    return b"RIFF" + struct.pack("<I", len(frame)) + frame + content[end:]


def _extended_header(content: bytes) -> bytes:
    header = read_header(content, field="image")
    alpha = _WEBP_ALPHA_FLAG if content[12:16] == b"VP8L" and content[24] & 0x10 else 0
    flags = bytes([_WEBP_XMP_FLAG | alpha, 0, 0, 0])
    size = (header.width - 1).to_bytes(3, "little") + (header.height - 1).to_bytes(3, "little")
    return b"VP8X" + struct.pack("<I", 10) + flags + size


def _webp_without(bare: bytes, removed: int, packet: Packet) -> bytes:
    if packet.was_simple_webp:
        bare, removed = bare[:12] + bare[30:], removed + 18
    else:
        bare = bare[:20] + bytes([bare[20] & ~_WEBP_XMP_FLAG & 0xFF]) + bare[21:]
    size = struct.unpack_from("<I", bare, 4)[0] - removed
    return bare[:4] + struct.pack("<I", size) + bare[8:]


_PARTS: Final = {ImageKind.PNG: png_parts, ImageKind.JPEG: jpeg_parts, ImageKind.WEBP: webp_parts}

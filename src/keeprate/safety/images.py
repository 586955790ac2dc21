"""What image bytes are, told from the bytes alone, and whether they are safe to decode.

Nothing here decodes a pixel: type, size in pixels and the marks of a decompression bomb are read from
the file's own headers, in time and memory that do not depend on what the file claims to hold.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, cast

from keeprate.domain.errors import UnreadableReference
from keeprate.safety.containers import (
    JPEG_START,
    PNG_START,
    Malformed,
    Part,
    jpeg_parts,
    png_parts,
    webp_parts,
)
from keeprate.safety.foreign import foreign_type

MOST_PIXELS: Final = 50_000_000
MOST_BYTES: Final = 50_000_000
_SMALL: Final = 1_000_000  # bytes; a file below is read at once
MOST_SCANS: Final = 200  # a progressive JPEG has about ten; each costs a pass over all pixels
MOST_PACKED_BYTES: Final = 4_000_000  # what one compressed text or colour profile may unpack to

_PNG_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_DEPTHS: Final = frozenset({1, 2, 4, 8, 16})
# All start-of-frame markers but 0xC4 (tables), 0xC8 (reserved) and 0xCC (arithmetic conditioning).
_JPEG_FRAMES: Final = frozenset(bytes([n]) for n in range(0xC0, 0xD0) if n not in {0xC4, 0xC8, 0xCC})


class ImageKind(Enum):
    """The formats that are read and kept; each value is (MIME type, file extension)."""

    PNG = ("image/png", "png")
    JPEG = ("image/jpeg", "jpg")
    WEBP = ("image/webp", "webp")

    @property
    def mime(self) -> str:
        return self.value[0]

    @property
    def extension(self) -> str:
        """Return the extension without its dot."""
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHeader:
    """What a file's headers say: its format and its pixels, before any turning."""

    kind: ImageKind
    width: int
    height: int


def sniff(content: bytes) -> ImageKind | None:
    """Return the format that the first bytes show, whatever a name or header claims; None for others."""
    if content.startswith(PNG_START):
        return ImageKind.PNG
    if content.startswith(JPEG_START):
        return ImageKind.JPEG
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return ImageKind.WEBP
    return None


def read_header(content: bytes, *, field: str) -> ImageHeader:
    """Return what `content` is, once it is known to be whole, still, and safe to decode.

    Raises:
        UnreadableReference: No PNG, JPEG or WebP, cut short, animated, over 50 megapixels or 50 MB, or
            built to unpack to far more than it shows.
    """
    return _header(content, sniff(content), field=field, read=_READ)


def read_file_header(path: Path, *, field: str) -> ImageHeader:
    """Return what the file at `path` is, as `read_header` does, without holding a large one in memory.

    Of a large PNG the sums over its pixels are not worked out: its bytes came over a connection that sums.

    Raises:
        UnreadableReference: As `read_header`.
        OSError: As the system says.
    """
    with path.open("rb") as file:
        head = file.read(16)
        if sniff(head) is ImageKind.JPEG or os.fstat(file.fileno()).st_size < _SMALL:
            return read_header(head + file.read(), field=field)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            # A map of a file has all that is asked of bytes here: a length, slices, a buffer.
            return _header(cast("bytes", mapped), sniff(head), field=field, read=_READ_LARGE)


def _header(
    content: bytes,
    kind: ImageKind | None,
    *,
    field: str,
    read: Mapping[ImageKind, Callable[[bytes], tuple[int, int]]],
) -> ImageHeader:
    try:
        if kind is None:
            raise Malformed(_not_an_image(content[:4096]))
        if len(content) > MOST_BYTES:
            raise Malformed(f"it has {len(content) / 1e6:.0f} MB; at most 50 MB are read")
        width, height = read[kind](content)
        _bounded(width, height)
    except Malformed as error:
        raise UnreadableReference(
            f"{field} cannot be read as an image: {error}",
            field=field,
            value=f"{len(content)} bytes",
            remedy="hand in a still PNG, JPEG or WebP of at most 50 megapixels and 50 MB",
        ) from error
    return ImageHeader(kind=kind, width=width, height=height)


def known_header(head: bytes) -> ImageHeader | None:
    """Return the header of a file that passed `read_header` before, from its first bytes alone.

    None where the first bytes do not reach to the size, as in a JPEG with large metadata.
    """
    kind = sniff(head)
    try:
        size = None if kind is None or len(head) < 30 else _size_in_head(head, kind)
    except Malformed:
        return None
    return None if kind is None or size is None else ImageHeader(kind=kind, width=size[0], height=size[1])


def _size_in_head(head: bytes, kind: ImageKind) -> tuple[int, int] | None:
    match kind:
        case ImageKind.PNG:
            width, height = struct.unpack_from(">II", head, 16)
            return width, height
        case ImageKind.WEBP:
            name, body = head[12:16], head[20:30]
            return _webp_canvas(body) if name == b"VP8X" else _webp_frame(name, body)
        case ImageKind.JPEG:
            found = (part for part in jpeg_parts(head) if part.name in _JPEG_FRAMES)
            return next((_jpeg_frame(part, head) for part in found), None)


def _not_an_image(content: bytes) -> str:
    if not content:
        return "it is empty"
    foreign = foreign_type(content)
    if foreign is None:
        return "its bytes are of no image format that is read"
    return f"it is {foreign}, which is not read; save it as PNG, JPEG or WebP"


def _bounded(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise Malformed("it has no pixels")
    if width * height > MOST_PIXELS:
        raise Malformed(
            f"it has {width}x{height} = {width * height / 1e6:.0f} megapixels; at most 50 are decoded"
        )


def _large_png(content: bytes) -> tuple[int, int]:
    return _png(content, unsummed=frozenset({b"IDAT"}))


def _png(content: bytes, *, unsummed: frozenset[bytes] = frozenset()) -> tuple[int, int]:
    parts = tuple(png_parts(content))
    if parts[0].name != b"IHDR" or parts[0].body_end - parts[0].body != 13:
        raise Malformed("its header is missing")
    width, height, depth, colour = struct.unpack_from(">IIBB", content, parts[0].body)
    if depth not in _PNG_DEPTHS or colour not in _PNG_CHANNELS:
        raise Malformed("its header is not one of the format's")
    _bounded(width, height)
    packed = 0
    for part in parts:
        if part.name not in unsummed:
            _check_png_part(part, content)
        if part.name == b"IDAT":
            packed += part.body_end - part.body
    if not packed:
        raise Malformed("it holds no pixels")
    unpacked = height * (1 + (width * _PNG_CHANNELS[colour] * depth + 7) // 8)
    # Packed pixels are smaller than unpacked ones; interlacing and stored blocks add a little.
    if packed > 2 * unpacked + 65_536:
        raise Malformed("it holds far more data than its pixels need")
    return width, height


def _check_png_part(part: Part, content: bytes) -> None:
    if part.name == b"acTL" and part.of(content)[:4] not in {b"\0\0\0\0", b"\0\0\0\1"}:
        raise Malformed("it is animated; save one frame of it")
    if part.name in {b"zTXt", b"iCCP", b"iTXt"}:
        _check_unpacks(part, content)
    summed = zlib.crc32(memoryview(content)[part.start + 4 : part.body_end])
    if summed != int.from_bytes(content[part.body_end : part.end]):
        raise Malformed("it is damaged")


def _check_unpacks(part: Part, content: bytes) -> None:
    body = part.of(content)
    text = body[body.find(b"\0") + 1 :]
    if part.name == b"iTXt":
        if text[:1] != b"\1":
            return
        text = text[text.find(b"\0", text.find(b"\0", 2) + 1) + 1 :]
    else:
        text = text[1:]
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(text, MOST_PACKED_BYTES)
    except zlib.error as error:
        raise Malformed("it is damaged") from error
    if unpacker.unconsumed_tail:
        raise Malformed("a text or colour profile in it unpacks to far more than it shows")


def _jpeg(content: bytes) -> tuple[int, int]:
    frame: tuple[int, int] | None = None
    scan = len(content)
    for part in jpeg_parts(content):
        if part.name in _JPEG_FRAMES:
            if frame is not None or part.body_end - part.body < 6:
                raise Malformed("its header is not one of the format's")
            frame = _jpeg_frame(part, content)
        scan = part.start
    if frame is None:
        raise Malformed("its header is missing")
    if content.rfind(b"\xff\xd9", scan) < 0:
        raise Malformed("it is cut short")
    if content.count(b"\xff\xda", scan) > MOST_SCANS:
        raise Malformed("it is built to be decoded over and over")
    return frame


def _jpeg_frame(part: Part, content: bytes) -> tuple[int, int]:
    height, width = struct.unpack_from(">HH", content, part.body + 1)
    return width, height


def _webp(content: bytes) -> tuple[int, int]:
    sizes: list[tuple[int, int]] = []
    still: tuple[int, int] | None = None
    for part in webp_parts(content):
        body = content[part.body : min(part.body_end, part.body + 10)]
        if part.name in {b"ANIM", b"ANMF"}:
            raise Malformed("it is animated; save one frame of it")
        if part.name == b"VP8X" and len(body) == 10:
            sizes.append(_webp_canvas(body))
        elif part.name in {b"VP8 ", b"VP8L"}:
            if still is not None:
                raise Malformed("it holds more than one picture")
            still = _webp_frame(part.name, body)
    if still is None:
        raise Malformed("it holds no pixels")
    if any(size != still for size in sizes):
        raise Malformed("its canvas and its picture differ in size")
    return still


def _webp_canvas(body: bytes) -> tuple[int, int]:
    return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")


def _webp_frame(name: bytes, body: bytes) -> tuple[int, int]:
    if name == b"VP8 ":
        if len(body) < 10 or body[3:6] != b"\x9d\x01\x2a":
            raise Malformed("its header is missing")
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if len(body) < 5 or body[0] != 0x2F:
        raise Malformed("its header is missing")
    bits = int.from_bytes(body[1:5], "little")
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


_READ: Final = {ImageKind.PNG: _png, ImageKind.JPEG: _jpeg, ImageKind.WEBP: _webp}
_READ_LARGE: Final = {**_READ, ImageKind.PNG: _large_png}

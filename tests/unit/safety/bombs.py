"""Forty files made to do harm, each a few kilobytes that claim or unpack to far more, or that lie."""

import gzip
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache

from tests.unit.safety.pictures import (
    PNG_START,
    chunk,
    dot,
    encoded,
    ihdr,
    noise,
    picture,
    png,
    riff,
    riff_chunk,
    segment,
)

HUGE = 200_000_000


@cache
def _packed(byte_count: int) -> bytes:
    """Return `byte_count` zeros, deflated: a thousandth of that."""
    packer = zlib.compressobj(9)
    block = bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(byte_count // len(block))) + packer.flush()


def _text_bomb(name: bytes) -> bytes:
    return png(chunk(name, b"Comment\0\0" + _packed(HUGE)), dot())


def _itxt_bomb() -> bytes:
    return png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + _packed(HUGE)), dot())


def _gifs(frames: int) -> bytes:
    screen = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\2\2\x4c\1\0"
    return screen + frame * frames + b"\x3b"


def _tiff(order: str) -> bytes:
    tags = ((256, 4, 1, 60_000), (257, 4, 1, 60_000), (259, 3, 1, 5), (273, 4, 1, 8), (279, 4, 1, 8))
    entries = b"".join(struct.pack(f"{order}HHII", *tag) for tag in tags)
    start = b"II*\0" if order == "<" else b"MM\0*"
    return start + struct.pack(f"{order}IH", 8, len(tags)) + entries + bytes(4)


def _jpeg2000() -> bytes:
    header = struct.pack(">IIHBBBB", 60_000, 60_000, 3, 7, 7, 0, 0)
    boxes = b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
    return (
        boxes
        + struct.pack(">I", 8 + 8 + len(header))
        + b"jp2h"
        + struct.pack(">I4s", 8 + len(header), b"ihdr")
        + header
    )


def _fits() -> bytes:
    cards = (
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    2",
        "NAXIS1  =                60000",
        "NAXIS2  =                60000",
        "END",
    )
    return "".join(card.ljust(80) for card in cards).ljust(2880).encode() + gzip.compress(bytes(1_000_000))


def _jpeg_with_size(width: int, height: int) -> bytes:
    content = bytearray(picture("JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def _endless_scans() -> bytes:
    content = encoded(noise(640, 640), "JPEG", progressive=True)
    scan = content.rindex(b"\xff\xda")
    return content[:scan] + content[scan:-2] * 2_000 + b"\xff\xd9"


def _vp8x(width: int, height: int, *, flags: int = 0) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)


def _webp_frame() -> bytes:
    return picture("WEBP")[12:]


def _apng() -> bytes:
    frames = [noise(16, 16) for _ in range(30)]
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])


def _animated_webp() -> bytes:
    frames = [noise(16, 16) for _ in range(30)]
    return encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])


def _damaged(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


BOMBS: Mapping[str, Callable[[], bytes]] = {
    "a PNG of sixty megapixels": lambda: png(chunk(b"IDAT", _packed(1_000_000)), width=10_000, height=6_000),
    "a PNG of four thousand megapixels": lambda: png(dot(), width=65_535, height=65_535),
    "a PNG wider than can be counted": lambda: png(dot(), width=2**31 - 1, height=2**31 - 1),
    "a PNG of no width": lambda: png(dot(), width=0, height=10),
    "a PNG whose text unpacks to 200 MB": lambda: _text_bomb(b"zTXt"),
    "a PNG whose colour profile unpacks to 200 MB": lambda: _text_bomb(b"iCCP"),
    "a PNG whose XMP unpacks to 200 MB": _itxt_bomb,
    "a PNG of one pixel and 200 MB of data": lambda: png(chunk(b"IDAT", _packed(HUGE)), width=1, height=1),
    "a PNG without pixels": png,
    "a PNG without a header": lambda: PNG_START + dot() + chunk(b"IEND", b""),
    "a PNG of an unknown depth": lambda: PNG_START + ihdr(1, 1, 77, 99) + dot() + chunk(b"IEND", b""),
    "a PNG cut in half": lambda: (whole := picture("PNG"))[: len(whole) // 2],
    "a PNG chunk that claims four gigabytes": lambda: PNG_START + ihdr(1, 1) + b"\xff\xff\xff\xffIDATx",
    "a PNG of a hundred thousand chunks": lambda: png(chunk(b"tEXt", b"a\0b") * 100_000, dot()),
    "a PNG with a flipped bit": lambda: _damaged(picture("PNG"), 60),
    "an animated PNG": _apng,
    "a JPEG of sixty megapixels": lambda: _jpeg_with_size(10_000, 6_000),
    "a JPEG of four thousand megapixels": lambda: _jpeg_with_size(65_535, 65_535),
    "a JPEG of no height": lambda: _jpeg_with_size(100, 0),
    "a JPEG of two thousand scans": _endless_scans,
    "a JPEG with two headers": lambda: (
        (whole := picture("JPEG"))[:2] + whole[whole.index(b"\xff\xc0") :][:19] + whole[2:]
    ),
    "a JPEG cut in half": lambda: (whole := picture("JPEG", 400, 400))[: len(whole) // 2],
    "a JPEG of nothing but comments": lambda: b"\xff\xd8" + segment(0xFE, bytes(60_000)) * 500,
    "a JPEG of three bytes": lambda: b"\xff\xd8\xff",
    "an animated WebP": _animated_webp,
    "a WebP with a canvas of four thousand megapixels": lambda: riff(_vp8x(65_535, 65_535), _webp_frame()),
    "a WebP frame larger than its canvas": lambda: riff(_vp8x(8, 8), _webp_frame()),
    "a WebP with two pictures": lambda: riff(_vp8x(48, 32), _webp_frame(), _webp_frame()),
    "a WebP that claims more than it has": lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8 \xff\xff\xff\x7f",
    "a WebP without pictures": lambda: riff(_vp8x(48, 32)),
    "a GIF of a thousand large frames": lambda: _gifs(1_000),
    "a TIFF of 3,600 megapixels": lambda: _tiff("<"),
    "a TIFF of 3,600 megapixels, big end first": lambda: _tiff(">"),
    "a JPEG 2000 of 3,600 megapixels": _jpeg2000,
    "a FITS file": _fits,
    "a Photoshop file": lambda: (
        b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 60_000, 60_000, 8, 3) + bytes(64)
    ),
    "an icon": lambda: b"\0\0\1\0\1\0" + bytes(16) + picture("PNG"),
    "SVG with a billion laughs": lambda: (
        b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa">]><svg>&a;</svg>'
    ),
    "HTML that calls itself a PNG": lambda: b"<html><script>alert(1)</script></html>",
    "nothing at all": lambda: b"",
}

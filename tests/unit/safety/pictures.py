"""Small pictures for tests, drawn with Pillow, and files cut and built by hand."""

import io
import struct
import zlib

from PIL import Image

PNG_START = b"\x89PNG\r\n\x1a\n"
FORMATS = ("PNG", "JPEG", "WEBP")


def noise(width: int = 48, height: int = 32, mode: str = "RGB") -> Image.Image:
    return Image.effect_noise((width, height), 60).convert(mode)


def encoded(picture: Image.Image, image_format: str, **options: object) -> bytes:
    written = io.BytesIO()
    picture.save(written, image_format, **options)
    return written.getvalue()


def picture(image_format: str, width: int = 48, height: int = 32, **options: object) -> bytes:
    return encoded(noise(width, height), image_format, **options)


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def ihdr(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png(*chunks: bytes, width: int = 1, height: int = 1) -> bytes:
    """Return a PNG of the given header with `chunks` between header and end."""
    return PNG_START + ihdr(width, height) + b"".join(chunks) + chunk(b"IEND", b"")


def dot() -> bytes:
    """Return the IDAT chunk of a picture of one pixel."""
    return chunk(b"IDAT", zlib.compress(b"\0\1\2\3"))


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(body)) + body


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def riff_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

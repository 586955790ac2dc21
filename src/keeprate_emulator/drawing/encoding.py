"""Picture files: encoded once, signed with text of their own."""

import io
import zlib

from PIL import Image

from keeprate_emulator.drawing.mark import SENTENCE

_PNG_TAIL = 12  # the IEND chunk: length, name, checksum


def encoded(picture: Image.Image, mime: str, quality: int) -> bytes:
    """Return the picture as PNG or JPEG, without text."""
    buffer = io.BytesIO()
    if mime == "image/jpeg":
        picture.save(buffer, "JPEG", quality=max(1, min(quality, 100)))
    else:
        # Level 1: at the usual level a 4K picture takes seconds, and nobody keeps these.
        picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def signed(content: bytes, mime: str, response_id: str) -> bytes:
    """Return the file with its text: what drew it, and for which answer. No two answers share bytes."""
    comment = f"{SENTENCE} response-id={response_id}"
    if mime == "image/jpeg":
        return content[:2] + _jpeg_comment(comment) + content[2:]
    texts = _png_text("Software", "keeprate-emulator") + _png_text("Comment", comment)
    return content[:-_PNG_TAIL] + texts + content[-_PNG_TAIL:]


def _png_text(keyword: str, text: str) -> bytes:
    body = b"tEXt" + keyword.encode("latin-1") + b"\0" + text.encode("latin-1")
    return (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def _jpeg_comment(text: str) -> bytes:
    body = text.encode("latin-1")
    return b"\xff\xfe" + (len(body) + 2).to_bytes(2, "big") + body

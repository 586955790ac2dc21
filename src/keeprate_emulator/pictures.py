"""Looking at picture bytes: what they are, and how large."""

import io

from PIL import Image, UnidentifiedImageError

_MIMES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_FORMATS = tuple(_MIMES)


def sniffed(content: bytes) -> str | None:
    """Return the MIME type by content, None when it is no picture that the API reads."""
    if content[4:8] == b"ftyp" and content[8:12] in {b"heic", b"heix", b"mif1", b"heif"}:
        return "image/heif" if content[8:12] in {b"mif1", b"heif"} else "image/heic"
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            return _MIMES[picture.format or ""]
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError, KeyError):
        return None


def pixels(content: bytes) -> tuple[int, int]:
    """Return width and height, square where the bytes cannot be read here."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return (1, 1)


def opened(content: bytes) -> Image.Image | None:
    """Return the decoded picture in RGB, None when it cannot be read here."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            return picture.convert("RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return None

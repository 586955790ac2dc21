"""Names for bytes that are not accepted, so that a refusal can say what was handed in."""

from typing import Final

_STARTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"GIF8", "a GIF"),
    (b"BM", "a BMP"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"II+\0", "a BigTIFF"),
    (b"MM\0+", "a BigTIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL"),
    (b"SIMPLE  =", "a FITS file"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\1\0", "an icon"),
    (b"\0\0\2\0", "a cursor"),
    (b"icns", "an icon"),
    (b"%PDF", "a PDF"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"RIFF", "a RIFF file other than WebP"),
    (b"\x1aE\xdf\xa3", "a video"),
)
_HEIF: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
_TEXT_MARKS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"<svg", "SVG"),
    (b"<!doctype html", "HTML"),
    (b"<html", "HTML"),
    (b"<script", "HTML"),
    (b"<?xml", "XML"),
)


def foreign_type(content: bytes) -> str | None:
    """Return what the first bytes look like, with its article; None where nothing is known of them."""
    for start, name in _STARTS:
        if content.startswith(start):
            return name
    if content[4:8] == b"ftyp":
        return _of_brand(content[8:12])
    head = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((name for mark, name in _TEXT_MARKS if mark in head), None)


def _of_brand(brand: bytes) -> str:
    if brand in _HEIF:
        return "a HEIC photo"
    return "an AVIF" if brand in {b"avif", b"avis"} else "a video"

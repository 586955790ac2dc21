"""An answer kept for whoever asks again: status, headers, and a body whose images are known by hash."""

import hashlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import pybase64

from keeprate.workflows.ports import Assets

SLICE: Final = 64 * 1024
# Three bytes become four characters, so this much becomes one slice.
_RAW: Final = SLICE // 4 * 3
# Shorter runs are words, signatures and ids; no picture is that small.
_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{1024,}={0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePiece:
    """The base64 of a stored image, in the alphabet and with the padding it was first written in."""

    sha256: str
    urlsafe: bool = False
    padded: bool = True


Piece = bytes | ImagePiece


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What a caller was told, so that it can be told again byte for byte."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    pieces: tuple[Piece, ...] = ()

    @property
    def images(self) -> tuple[str, ...]:
        """Return the hashes of the images in it."""
        return tuple(piece.sha256 for piece in self.pieces if isinstance(piece, ImagePiece))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What a purchase was answered with. `settled` False: it may have been paid, and nobody knows."""

    answer: KeptAnswer
    settled: bool = True


def packed(answer: KeptAnswer) -> bytes:
    """Return the answer as bytes to store."""
    return msgspec.msgpack.encode(answer)


def unpacked(data: bytes) -> KeptAnswer:
    """Return the answer that `packed` made bytes of."""
    return msgspec.msgpack.decode(data, type=KeptAnswer)


def folded(body: bytes, is_stored: Callable[[str], bool]) -> tuple[Piece, ...]:
    """Return a body in pieces: every base64 run that is a stored image by its hash, the rest as it is."""
    pieces: list[Piece] = []
    copied = 0
    for run in _RUN.finditer(body):
        piece = _image_in(run[0])
        if piece is None or not is_stored(piece.sha256):
            continue
        pieces += [body[copied : run.start()], piece]
        copied = run.end()
    pieces.append(body[copied:])
    return tuple(piece for piece in pieces if piece)


async def slices(answer: KeptAnswer, assets: Assets, workspace: str) -> AsyncIterator[bytes]:
    """Yield the body in slices of at most 64 KiB, with the images read from the store.

    Raises:
        NotFound: An image is no longer in the store.
    """
    for piece in answer.pieces:
        if isinstance(piece, bytes):
            for start in range(0, len(piece), SLICE):
                yield piece[start : start + SLICE]
            continue
        content = await assets.read(workspace, piece.sha256)
        for start in range(0, len(content), _RAW):
            yield _written(content[start : start + _RAW], piece)


def _written(content: bytes, piece: ImagePiece) -> bytes:
    text = pybase64.urlsafe_b64encode(content) if piece.urlsafe else pybase64.b64encode(content)
    return text if piece.padded else text.rstrip(b"=")


def _image_in(run: bytes) -> ImagePiece | None:
    urlsafe = b"-" in run or b"_" in run
    padded = run.endswith(b"=") or len(run) % 4 == 0
    filled = run if padded else run + b"=" * (-len(run) % 4)
    try:
        content = pybase64.b64decode(filled, altchars=b"-_" if urlsafe else None, validate=True)
    except ValueError:
        return None
    piece = ImagePiece(sha256=hashlib.sha256(content).hexdigest(), urlsafe=urlsafe, padded=padded)
    # Two texts can mean the same bytes; only the one we would write ourselves may be left out.
    return piece if _written(content, piece) == run else None

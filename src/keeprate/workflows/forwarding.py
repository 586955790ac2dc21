"""What relaying needs of the world: a call sent as it came, an answer passed on while it comes.

These ports are apart from `ports.py` because a surface may be bought from without being relayed to.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from keeprate.domain.purposes import Lane
from keeprate.domain.routes import Upstream
from keeprate.workflows.ports import Answer, Assets, SendFailure, Spool, StoredImage
from keeprate.workflows.reply_shapes import ReplyShape

# A body as bytes that are there, or as they come.
Body = bytes | memoryview | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Where a call goes in its surface's own words, whatever the address by which it came.

    `collection` is what stands after the version: a method on a model ("models/X:generateContent"), or a
    resource ("files/abc", "interactions"). `version` None takes the surface's usual one. `is_upload`
    tells a path below `/upload`. `query` is already encoded, without its question mark.
    """

    collection: str
    version: str | None = None
    is_upload: bool = False
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A call to be sent once, as it is.

    `length` is the body's in bytes. `address` is an absolute path with its query, relative to the
    upstream's base URL. `attempt_id` is None where nothing is bought.
    """

    upstream: Upstream
    method: str
    address: str
    headers: Mapping[str, str]
    body: Body
    length: int
    lane: Lane
    timeout_s: int
    attempt_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An answer on its way: status and headers are here, the body comes in slices of at most 64 KiB.

    Iterating raises SendFailure (`unknown`) where the connection is lost.
    """

    status: int
    headers: Mapping[str, str]
    slices: AsyncIterator[bytes]


@runtime_checkable
class Forwarder(Protocol):
    """An upstream that takes calls as callers wrote them. Never re-sends by itself."""

    @property
    def upstream(self) -> Upstream:
        """The connection it speaks for."""
        ...

    def address(self, errand: Errand) -> str:
        """Return where an errand goes, relative to the base URL.

        Raises:
            ConfigError: A name in it cannot stand in an address.
        """
        ...

    def forward(self, parcel: Parcel) -> AbstractAsyncContextManager[Incoming]:
        """Send once and give whatever comes back.

        Raises:
            SendFailure: Nothing was sent, or the connection was lost before an answer.
        """
        ...

    def refusal(self, status: int, headers: Mapping[str, str], start: bytes) -> SendFailure:
        """Return what an answer other than 200 means for money; `start` is the beginning of its body."""
        ...

    def read(self, text: bytes, *, shape: ReplyShape, served_tier: str | None) -> Answer:
        """Return the typed answer that a reply's text holds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An image of a reply, decoded in a file of the spool. `stand_in` are the bytes in its place in the text."""

    stand_in: bytes
    path: Path
    sha256: str
    bytes_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A whole reply in parts: the text is the first `text_bytes` of a file, the images are drafts."""

    text_path: Path
    text_bytes: int
    sha256: str
    content_type: str
    served_tier: str | None
    request_id: str | None
    drafts: tuple[Draft, ...]


class PartedReply(Protocol):
    """A reply on its way to disk with its images taken out."""

    @property
    def images_begun(self) -> int:
        """Return how many images have been seen to begin."""
        ...

    def write(self, data: bytes) -> None:
        """Take the next slice as it comes.

        Raises:
            StorageError: The disk refused.
        """
        ...

    def complete(self, *, content_type: str, served_tier: str | None, request_id: str | None) -> Spooled:
        """Flush to disk, mark whole, and return what came. Waits for the disk: call it in a thread.

        Raises:
            StorageError: The disk refused; what came is kept.
        """
        ...

    def abandon(self) -> None:
        """Keep what came, marked incomplete."""
        ...


@runtime_checkable
class PartingSpool(Spool, Protocol):
    """A spool that takes replies in parts."""

    def begin_parted(self, attempt_id: str) -> PartedReply:
        """Return a parted file for the reply of `attempt_id`.

        Raises:
            Conflict: A whole reply to this attempt is already here.
            StorageError: The disk cannot take it.
        """
        ...


@runtime_checkable
class AdoptingAssets(Assets, Protocol):
    """A store that takes over images the spool has on disk already."""

    def adopt(self, workspace: str, draft: Draft) -> StoredImage:
        """Store a draft without copying it; flushed to disk before this returns. Call it in a thread.

        Raises:
            UnreadableReference: Not a whole PNG, JPEG or WebP, or too large to decode safely.
            StorageError: The disk refused.
        """
        ...

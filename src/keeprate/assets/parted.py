"""A reply on its way to disk in parts: its text in one file, each image decoded in a file of its own.

Writing a 4K image once instead of twice is most of what a large answer costs. Names in the spool's folder:

    <attempt>.parts       the text, each image's base64 replaced by words that name its part; at its end,
                          once everything is flushed, a line that describes the whole
    <attempt>.parts-<n>   the n-th image, decoded

The description is the last thing written, so a file that ends with one is whole. Whoever finds parts of a
dead process puts them together again as the reply came.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pybase64

from keeprate.assets.spans import Splitter
from keeprate.safety.disks import storage_error
from keeprate.safety.failpoints import failpoint
from keeprate.safety.paths import Folder
from keeprate.workflows.forwarding import Draft, Spooled

_STAND_IN: Final = "keeprate part {number} sha256 {sha256}"
_STOOD_IN: Final = re.compile(rb"keeprate part (\d{1,6}) sha256 ([0-9a-f]{64})\Z")
# Base64 of the words above always begins so; it is looked for only to put parts together again.
_WRITTEN: Final = re.compile(
    rb'(?<=")' + pybase64.b64encode(b"keeprate part ")[:18] + rb'[A-Za-z0-9+/=]+(?=")'
)
_TRAILER: Final = re.compile(rb"\n(\{[^\n]*\})\nkeeprate whole\n\Z")
_SLICE: Final = 48 * 1024  # a multiple of three: base64 of it has no padding inside


class _Description(msgspec.Struct, frozen=True, kw_only=True):
    text_bytes: int
    sha256: str
    content_type: str
    served_tier: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What a finished set of parts says of its reply."""

    content_type: str
    served_tier: str | None
    request_id: str | None


class PartedFile:
    """One reply on its way to disk, parted. `write` is quick; `complete` waits for the disk."""

    def __init__(self, folder: Folder, attempt_id: str) -> None:
        """Open the text's file, new.

        Raises:
            OSError: As the system says.
        """
        self._folder = folder
        self._name = f"{attempt_id}.parts"
        self._handle = folder.open_new(self._name)
        self._hash = hashlib.sha256()
        self._length = 0
        self._splitter = Splitter(self)
        self._drafts: list[Draft] = []
        self._number = 0
        self._image: int | None = None
        self._image_hash = hashlib.sha256()
        self._image_length = 0

    @property
    def images_begun(self) -> int:
        """Return how many images have been seen to begin."""
        return self._number

    def write(self, data: bytes) -> None:
        """Take the next slice of the reply.

        Raises:
            StorageError: The disk refused; what came before is kept.
        """
        try:
            failpoint("spool.write.chunk")
            self._splitter.feed(data)
        except OSError as error:
            raise storage_error(error, self._folder.path / self._name) from error

    def complete(self, *, content_type: str, served_tier: str | None, request_id: str | None) -> Spooled:
        """Flush to disk, mark whole, and return what came.

        Raises:
            StorageError: The disk refused; what came is kept.
        """
        try:
            failpoint("spool.complete.before")
            self._splitter.finish()
            description = _Description(
                text_bytes=self._length,
                sha256=self._hash.hexdigest(),
                content_type=content_type,
                served_tier=served_tier,
                request_id=request_id,
            )
            _write(self._handle, b"\n" + msgspec.json.encode(description) + b"\nkeeprate whole\n")
            self._close(flush=True)
            failpoint("spool.complete.synced")
            self._folder.flush()
        except OSError as error:
            raise storage_error(error, self._folder.path / self._name) from error
        failpoint("spool.complete.done")
        return Spooled(
            text_path=self._folder.path / self._name,
            text_bytes=self._length,
            sha256=description.sha256,
            content_type=content_type,
            served_tier=served_tier,
            request_id=request_id,
            drafts=tuple(self._drafts),
        )

    def abandon(self) -> None:
        """Keep what came, marked incomplete.

        Raises:
            StorageError: The disk refused.
        """
        if self._handle < 0:
            return
        empty = self._length == 0 and self._number == 0
        try:
            failpoint("spool.abandon.before")
            self._splitter.finish()
            self._close(flush=not empty)
        except OSError as error:
            raise storage_error(error, self._folder.path / self._name) from error
        if empty and self._length == 0:
            self._folder.remove(self._name)

    def text(self, data: bytes | memoryview) -> None:
        """Take text that stands between images."""
        self._hash.update(data)
        self._length += len(data)
        _write(self._handle, data)

    def open_image(self) -> None:
        """Start the next image's file."""
        self._image = self._folder.open_new(self._part)
        self._image_hash = hashlib.sha256()
        self._image_length = 0
        self._number += 1

    def image(self, contents: list[bytes]) -> None:
        """Append decoded bytes of the image under way."""
        if self._image is None:
            return
        for content in contents:
            self._image_hash.update(content)
            self._image_length += len(content)
        # A slice rarely begins where a group of four does, so its first three bytes come apart.
        written = os.writev(self._image, contents)
        if written < sum(map(len, contents)):
            _write(self._image, memoryview(b"".join(contents))[written:])

    def close_image(self) -> None:
        """Flush the image and let its words stand in the text in its place."""
        handle, self._image = self._image, None
        if handle is None:
            return
        os.close(handle)
        sha256 = self._image_hash.hexdigest()
        number = self._number - 1
        name = f"{self._name}-{number}"
        self._drafts.append(
            Draft(
                stand_in=_STAND_IN.format(number=number, sha256=sha256).encode(),
                path=self._folder.path / name,
                sha256=sha256,
                bytes_count=self._image_length,
            )
        )
        self.text(pybase64.b64encode(self._drafts[-1].stand_in))

    def spoil_image(self) -> None:
        """Write the image so far as the base64 it came as, and let its file go."""
        handle, self._image = self._image, None
        if handle is None:
            return
        os.close(handle)
        self._number -= 1
        name = self._part
        for content in _slices(self._folder.path / name):
            self.text(pybase64.b64encode(content))
        self._folder.remove(name)

    @property
    def _part(self) -> str:
        return f"{self._name}-{self._number}"

    def _close(self, *, flush: bool) -> None:
        handle, self._handle = self._handle, -1
        try:
            if flush:
                for draft in self._drafts:
                    _flush(draft.path)
                os.fsync(handle)
        finally:
            os.close(handle)


def rejoined(
    folder: Folder, attempt_id: str, *, even_if_broken_off: bool
) -> tuple[Whole, Iterator[bytes]] | None:
    """Return what the parts of `attempt_id` say, and the reply's bytes as they came.

    None where there are no parts, where they were broken off (unless that is asked for), or where an image
    is not the one the text names.

    Raises:
        StorageError: The disk refused.
    """
    content = folder.read(f"{attempt_id}.parts")
    if content is None:
        return None
    whole, text = _described(content)
    if whole is None:
        if not even_if_broken_off:
            return None
        whole = Whole(content_type="application/json", served_tier=None, request_id=None)
    places = [(found.span(), _draft_in(found[0])) for found in _WRITTEN.finditer(text)]
    known = [(span, part) for span, part in places if part is not None]
    for _, (number, sha256) in known:
        if _sha256_of(folder.path / f"{attempt_id}.parts-{number}") != sha256:
            return None
    return whole, _joined(folder.path / f"{attempt_id}.parts", text, known)


def _joined(
    path: Path, text: bytes, places: list[tuple[tuple[int, int], tuple[int, str]]]
) -> Iterator[bytes]:
    at = 0
    for (start, end), (number, _) in places:
        yield text[at:start]
        for content in _slices(path.with_name(f"{path.name}-{number}")):
            yield pybase64.b64encode(content)
        at = end
    yield text[at:]


def _described(content: bytes) -> tuple[Whole | None, bytes]:
    found = _TRAILER.search(content, max(0, len(content) - 8192))
    if found is None:
        return None, content
    text = content[: found.start()]
    try:
        said = msgspec.json.decode(found[1], type=_Description)
    except msgspec.DecodeError:
        return None, content
    if len(text) != said.text_bytes or hashlib.sha256(text).hexdigest() != said.sha256:
        return None, content
    return Whole(
        content_type=said.content_type, served_tier=said.served_tier, request_id=said.request_id
    ), text


def _draft_in(base64_text: bytes) -> tuple[int, str] | None:
    try:
        found = _STOOD_IN.match(pybase64.b64decode(base64_text, validate=True))
    except ValueError:
        return None
    return None if found is None else (int(found[1]), found[2].decode())


def _sha256_of(path: Path) -> str | None:
    digest = hashlib.sha256()
    try:
        for content in _slices(path):
            digest.update(content)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _slices(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while content := file.read(_SLICE):
            yield content


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(handle: int, data: bytes | memoryview) -> None:
    written = os.write(handle, data)
    if written < len(data):
        view = memoryview(data)[written:]
        while view:
            view = view[os.write(handle, view) :]

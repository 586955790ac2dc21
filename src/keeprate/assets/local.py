"""The image store on this machine: a file per image, under the hash of its untouched bytes.

    <root>/<workspace>/<first two digits>/<sha256>.<extension by content>

A file appears whole or not at all and is on the disk when `put` returns, so a ledger row may say
"stored". Images are never changed in place: what is exported is a copy (`export.py`).
"""

import asyncio
import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from keeprate.domain.errors import NotFound, StorageError
from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.disks import storage_error
from keeprate.safety.failpoints import failpoint
from keeprate.safety.images import ImageHeader, ImageKind, known_header, read_file_header, read_header
from keeprate.safety.names import folder_name
from keeprate.safety.paths import Folder
from keeprate.workflows.forwarding import Draft
from keeprate.workflows.ports import StoredImage

_HEAD: Final = 262_144  # bytes; a size stands in the first few hundred, behind metadata at worst
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")


class LocalAssets:
    """Images in a folder of the home, per workspace."""

    def __init__(self, root: Path, *, decoder: ImageDecoder) -> None:
        """Use the folder at `root`, made with the first image."""
        self._root = root
        self._decoder = decoder

    async def put(self, workspace: str, content: bytes) -> StoredImage:
        """Store untouched bytes and return them known; on the disk before this returns.

        Raises:
            UnreadableReference: Not a whole PNG, JPEG or WebP, or too large to decode safely.
            StorageError: The disk refused; nothing is left at the image's name.
        """
        return await asyncio.to_thread(self._put, workspace, content, "image")

    async def put_reference(self, workspace: str, content: bytes, *, field: str) -> StoredImage:
        """Store a reference as it may be sent: upright, without place, serial numbers or thumbnails.

        Raises:
            UnreadableReference: As `put`, or its pixels cannot be decoded; `field` names where it came from.
            StorageError: The disk refused.
        """
        return await asyncio.to_thread(self._put_reference, workspace, content, field)

    def adopt(self, workspace: str, draft: Draft) -> StoredImage:
        """Store an image that the spool has on disk already, without copying it.

        Raises:
            UnreadableReference: As `put`.
            StorageError: The disk refused.
        """
        try:
            header = read_file_header(draft.path, field="image")
            path = self._path(workspace, draft.sha256, header.kind)
            failpoint("assets.put.before")
            with self._shelf(path) as shelf:
                shelf.take(draft.path, path.name)
            failpoint("assets.put.after")
        except OSError as error:
            raise storage_error(error, draft.path) from error
        return _stored(header, draft.sha256, path, draft.bytes_count)

    async def read(self, workspace: str, sha256: str) -> bytes:
        """Return the bytes, checked against their hash.

        Raises:
            NotFound: No such image in this workspace.
            StorageError: The disk refused, or holds other bytes than were stored.
        """
        return await asyncio.to_thread(self._read, workspace, sha256)

    def find(self, workspace: str, sha256: str) -> StoredImage | None:
        """Return what is stored under `sha256`, or None.

        Raises:
            StorageError: The disk refused.
        """
        for path in self._places(workspace, sha256):
            head = _content(path, limit=_HEAD)
            if head is not None:
                header = known_header(head) or read_header(_content(path) or b"", field="image")
                return _stored(header, sha256, path, path.stat().st_size)
        return None

    def sweep(self, before: datetime) -> int:
        """Remove drafts that dead writers left before `before`; return how many."""
        swept = 0
        for shelf in self._root.glob("*/*"):
            with Folder.at(shelf) as folder:
                for name in folder.unfinished(before):
                    failpoint("assets.sweep.before_remove")
                    swept += folder.remove(name)
        return swept

    def _put(self, workspace: str, content: bytes, field: str) -> StoredImage:
        header = read_header(content, field=field)
        return self._shelve(workspace, content, header)

    def _put_reference(self, workspace: str, content: bytes, field: str) -> StoredImage:
        cleaned = self._decoder.cleaned(content, field=field)
        return self._shelve(workspace, cleaned, read_header(cleaned, field=field))

    def _shelve(self, workspace: str, content: bytes, header: ImageHeader) -> StoredImage:
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(workspace, sha256, header.kind)
        try:
            failpoint("assets.put.before")
            with self._shelf(path) as shelf:
                shelf.write_once(path.name, content)
            failpoint("assets.put.after")
        except OSError as error:
            raise storage_error(error, path) from error
        return _stored(header, sha256, path, len(content))

    @contextmanager
    def _shelf(self, path: Path) -> Generator[Folder]:
        with (
            Folder.at(self._root) as root,
            root.inside(path.parent.parent.name) as ours,
            ours.inside(path.parent.name) as shelf,
        ):
            yield shelf

    def _read(self, workspace: str, sha256: str) -> bytes:
        contents = (_content(path) for path in self._places(workspace, sha256))
        content = next((content for content in contents if content is not None), None)
        if content is None:
            raise NotFound(
                f"no image {sha256[:12]} in workspace {workspace!r}",
                field="sha256",
                value=sha256,
                remedy="list what there is with `keeprate attempts`",
            )
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StorageError(
                f"image {sha256[:12]} on disk is not the image that was stored",
                field="sha256",
                value=sha256,
                remedy="restore the file from a backup; the disk or another program changed it",
            )
        return content

    def _places(self, workspace: str, sha256: str) -> tuple[Path, ...]:
        if _SHA256.match(sha256) is None:
            return ()
        return tuple(self._path(workspace, sha256, kind) for kind in ImageKind)

    def _path(self, workspace: str, sha256: str, kind: ImageKind) -> Path:
        return self._root / folder_name(workspace) / sha256[:2] / f"{sha256}.{kind.extension}"


def _content(path: Path, *, limit: int | None = None) -> bytes | None:
    if not path.parent.is_dir():
        return None
    with Folder.at(path.parent) as shelf:
        return shelf.read(path.name, limit=limit)


def _stored(header: ImageHeader, sha256: str, path: Path, bytes_count: int) -> StoredImage:
    return StoredImage(
        sha256=sha256,
        mime=header.kind.mime,
        extension=header.kind.extension,
        width=header.width,
        height=header.height,
        bytes_count=bytes_count,
        path=path,
    )

"""The one path writer: every file Keeprate leaves behind is written here.

A file appears under its name whole or not at all: it is written beside its place, flushed to the disk,
put in place in one step, and the folder is flushed. Names are looked up in an open folder, so swapping
a parent for a link in between leads nowhere; a link at the name itself is never followed.
"""

import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from keeprate.domain.errors import InvalidValue
from keeprate.safety.disks import storage_error
from keeprate.safety.failpoints import failpoint
from keeprate.safety.handles import FolderHandle
from keeprate.safety.names import checked_name

UNFINISHED: Final = ".tmp-"  # how the names of files still being written begin
_PRIVATE: Final = 0o600
_USUAL: Final = 0o666  # less what the user's umask takes away


class Folder:
    """An open folder that files are written to and read from by name."""

    def __init__(self, handle: FolderHandle) -> None:
        self._handle = handle
        self.path = handle.path

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the folder at `path`, made if missing (private to the user); links to it are followed.

        Raises:
            StorageError: It cannot be made or opened.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(FolderHandle.at(path, new_file_mode=_PRIVATE))
        except OSError as error:
            raise storage_error(error, path) from error

    @classmethod
    def existing(cls, path: Path, *, field: str) -> Self:
        """Return the folder at `path`, which a user named; files in it get the user's usual rights.

        Raises:
            InvalidValue: There is no such folder.
        """
        try:
            return cls(FolderHandle.at(path, new_file_mode=_USUAL))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InvalidValue(
                f"{field}: there is no folder {path}",
                field=field,
                value=str(path),
                remedy="make the folder first, or name one that exists",
            ) from error
        except OSError as error:
            raise storage_error(error, path) from error

    def inside(self, name: str) -> "Folder":
        """Return the folder `name` in this one, made if missing. A link there is not followed.

        Raises:
            StorageError: It cannot be made or opened, or is a link.
        """
        try:
            return Folder(self._handle.inside(name))
        except OSError as error:
            raise storage_error(error, self.path / name) from error

    def write_once(self, name: str, content: bytes) -> bool:
        """Write `name` unless it is there; return whether this call wrote it.

        Raises:
            StorageError: The disk refused. Nothing is left at `name`.
        """
        try:
            try:
                self._write(name, content, self._handle.link)
            except FileExistsError:
                self.flush()  # its writer may not have come that far
                return False
        except OSError as error:
            raise storage_error(error, self.path / name) from error
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Write `name`, over what is there; a link there is replaced, not followed.

        Raises:
            StorageError: The disk refused. What was at `name` is whole, as it was or as it should be.
        """
        try:
            self._write(name, content, self._handle.rename)
        except OSError as error:
            raise storage_error(error, self.path / name) from error

    def read(self, name: str, *, limit: int | None = None) -> bytes | None:
        """Return the file's bytes, or its first `limit`; None where there is none.

        Raises:
            StorageError: The disk refused, or a link is there.
        """
        try:
            with os.fdopen(self._handle.open_old(name), "rb") as file:
                return file.read() if limit is None else file.read(limit)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error, self.path / name) from error

    def open_new(self, name: str) -> int:
        """Return a handle to write the new file `name` with; it must not exist.

        Raises:
            OSError: As the system says.
        """
        return self._handle.open_new(name)

    def rename(self, name: str, new_name: str) -> None:
        """Call the file `name` by `new_name` from now on, over whatever had that name.

        Raises:
            OSError: As the system says.
        """
        self._handle.rename(name, new_name)

    def take(self, path: Path, name: str) -> bool:
        """Let `name` stand for the flushed file at `path` too, unless it is there; return whether it now does.

        Where the two are on different disks, or links are unknown, the bytes are copied.

        Raises:
            StorageError: The disk refused. Nothing is left at `name`.
        """
        try:
            self._handle.link_from(path, name)
        except FileExistsError:
            self.flush()  # its writer may not have come that far
            return False
        except OSError:
            return self.write_once(name, path.read_bytes())
        try:
            self.flush()
        except OSError as error:
            raise storage_error(error, self.path / name) from error
        return True

    def remove(self, name: str) -> bool:
        """Remove the file `name`; return whether there was one.

        Raises:
            StorageError: The disk refused.
        """
        try:
            self._handle.remove(name)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise storage_error(error, self.path / name) from error
        return True

    def names(self) -> tuple[str, ...]:
        """Return the names in this folder, sorted."""
        try:
            return self._handle.names()
        except OSError as error:
            raise storage_error(error, self.path) from error

    def unfinished(self, before: datetime) -> tuple[str, ...]:
        """Return files whose writers died: still unfinished, and last written before `before`."""
        drafts = (name for name in self.names() if name.startswith(UNFINISHED))
        return tuple(name for name in drafts if self._is_older(name, before))

    def flush(self) -> None:
        """Make names durable.

        Raises:
            OSError: As the system says.
        """
        self._handle.flush()

    def close(self) -> None:
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _is_older(self, name: str, before: datetime) -> bool:
        try:
            return self._handle.written_at(name) < before.timestamp()
        except FileNotFoundError:
            return False  # its writer lives and has just put it in place

    def _write(self, name: str, content: bytes, put_in_place: Callable[[str, str], None]) -> None:
        checked_name(name, field="file")
        draft = f"{UNFINISHED}{secrets.token_hex(16)}"
        handle = self.open_new(draft)
        try:
            try:
                failpoint("paths.write.opened")
                write_all(handle, content)
                failpoint("paths.write.written")
                os.fsync(handle)
                failpoint("paths.write.synced")
            finally:
                os.close(handle)
            put_in_place(draft, name)
            failpoint("paths.write.linked")
            self.flush()
        finally:
            self.remove(draft)
        failpoint("paths.write.done")


def write_all(handle: int, content: bytes) -> None:
    """Write all of `content`, in two parts so that a test can stop between them.

    Raises:
        OSError: As the system says.
    """
    view = memoryview(content)
    half = len(view) // 2
    _write_part(handle, view[:half])
    failpoint("paths.write.half")
    _write_part(handle, view[half:])


def _write_part(handle: int, view: memoryview) -> None:
    while view:
        view = view[os.write(handle, view) :]

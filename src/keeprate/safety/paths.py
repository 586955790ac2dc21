"""The one path writer: every file Keeprate leaves behind is written here.

A file appears under its name whole or not at all: it is written beside its place, flushed to the disk,
put in place in one step, and the folder is flushed. Names are looked up in an open folder, not along a
path, so swapping a parent for a link in between leads nowhere; a link at the name itself is never
followed. Systems without folder handles (Windows) get the same steps by path.
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
from keeprate.safety.names import checked_name

_BY_HANDLE: Final = os.open in os.supports_dir_fd
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)
UNFINISHED: Final = ".tmp-"  # how the names of files still being written begin


class Folder:
    """An open folder that files are written to and read from by name."""

    def __init__(self, path: Path, handle: int | None, *, mode: int = 0o600) -> None:
        self.path = path
        self._handle = handle
        self._mode = mode

    @classmethod
    def at(cls, path: Path) -> Self:
        """Return the folder at `path`, made if missing (private to the user); links to it are followed.

        Raises:
            StorageError: It cannot be made or opened.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(path, os.open(path, _FOLDER) if _BY_HANDLE else None)
        except OSError as error:
            raise storage_error(error, path) from error

    @classmethod
    def existing(cls, path: Path, *, field: str) -> Self:
        """Return the folder at `path`, which a user named; files in it get the user's usual rights.

        Raises:
            InvalidValue: There is no such folder.
        """
        try:
            return cls(path, os.open(path, _FOLDER) if _BY_HANDLE else None, mode=0o666)
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
        checked_name(name, field="folder")
        place = self.path / name
        try:
            try:
                os.mkdir(self._named(name), 0o700, dir_fd=self._handle)
                self.flush()
            except FileExistsError:
                pass
            if self._handle is None:
                return Folder(place, None)
            return Folder(place, os.open(name, _FOLDER | _NO_FOLLOW, dir_fd=self._handle))
        except OSError as error:
            raise storage_error(error, place) from error

    def write_once(self, name: str, content: bytes) -> bool:
        """Write `name` unless it is there; return whether this call wrote it.

        Raises:
            StorageError: The disk refused. Nothing is left at `name`.
        """
        try:
            try:
                self._write(name, content, self._link)
            except FileExistsError:
                self.flush()  # its writer may not have come that far
                return False
        except OSError as error:
            raise storage_error(error, self.path / name) from error
        return True

    def replace(self, name: str, content: bytes) -> None:
        """Write `name`, over what is there; a link there is replaced, not followed.

        Raises:
            StorageError: The disk refused. What was at `name` is untouched.
        """
        try:
            self._write(name, content, self._rename)
        except OSError as error:
            raise storage_error(error, self.path / name) from error

    def read(self, name: str, *, limit: int | None = None) -> bytes | None:
        """Return the file's bytes, or its first `limit`; None where there is none (or a link).

        Raises:
            StorageError: The disk refused.
        """
        checked_name(name, field="file")
        try:
            handle = os.open(self._named(name), os.O_RDONLY | _NO_FOLLOW | _BINARY, dir_fd=self._handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error, self.path / name) from error
        with os.fdopen(handle, "rb") as file:
            try:
                return file.read() if limit is None else file.read(limit)
            except OSError as error:
                raise storage_error(error, self.path / name) from error

    def open_new(self, name: str) -> int:
        """Return a handle to write the new file `name` with; it must not exist.

        Raises:
            OSError: As the system says.
        """
        checked_name(name, field="file")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
        return os.open(self._named(name), flags, self._mode, dir_fd=self._handle)

    def rename(self, name: str, new_name: str) -> None:
        """Call the file `name` by `new_name` from now on, over whatever had that name.

        Raises:
            OSError: As the system says.
        """
        checked_name(new_name, field="file")
        self._rename(name, new_name)

    def remove(self, name: str) -> bool:
        """Remove the file `name`; return whether there was one.

        Raises:
            StorageError: The disk refused.
        """
        try:
            os.unlink(self._named(name), dir_fd=self._handle)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise storage_error(error, self.path / name) from error
        return True

    def names(self) -> tuple[str, ...]:
        """Return the names in this folder, sorted."""
        try:
            with os.scandir(self.path if self._handle is None else self._handle) as entries:
                return tuple(sorted(entry.name for entry in entries))
        except OSError as error:
            raise storage_error(error, self.path) from error

    def unfinished(self, before: datetime) -> tuple[str, ...]:
        """Return files whose writers died: still unfinished, and last written before `before`."""
        found: list[str] = []
        for name in self.names():
            if name.startswith(UNFINISHED):
                try:
                    status = os.stat(self._named(name), dir_fd=self._handle, follow_symlinks=False)
                except FileNotFoundError:
                    continue  # its writer lives and has just put it in place
                if status.st_mtime < before.timestamp():
                    found.append(name)
        return tuple(found)

    def flush(self) -> None:
        """Make names durable.

        Raises:
            OSError: As the system says.
        """
        if self._handle is not None:
            os.fsync(self._handle)

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

    def _link(self, draft: str, name: str) -> None:
        try:
            os.link(self._named(draft), self._named(name), src_dir_fd=self._handle, dst_dir_fd=self._handle)
        except FileExistsError:
            raise
        except OSError as error:
            # File systems without hard links (exFAT, some network mounts): a look, then a rename.
            if os.access(self._named(name), os.F_OK, dir_fd=self._handle, follow_symlinks=False):
                raise FileExistsError from error
            self._rename(draft, name)

    def _rename(self, name: str, new_name: str) -> None:
        os.replace(self._named(name), self._named(new_name), src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def _named(self, name: str) -> str:
        return name if self._handle is not None else str(self.path / name)


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

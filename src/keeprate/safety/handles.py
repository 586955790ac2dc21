"""An open folder as the system sees it: names are looked up in it, not along a path that may be swapped."""

import os
from pathlib import Path
from typing import Final, Self

from keeprate.safety.names import checked_name

_BY_HANDLE: Final = os.open in os.supports_dir_fd
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)


class FolderHandle:
    """Raises OSError as the system says, and InvalidValue for names that could lead elsewhere.

    Systems without folder handles (Windows) look names up along `path`.
    """

    def __init__(self, path: Path, handle: int | None, *, new_file_mode: int) -> None:
        """Take over `handle`; None where the system has none for folders."""
        self.path = path
        self._handle = handle
        self._mode = new_file_mode

    @classmethod
    def at(cls, path: Path, *, new_file_mode: int) -> Self:
        """Return the folder at `path`; links on the way to it are followed."""
        return cls(path, os.open(path, _FOLDER) if _BY_HANDLE else None, new_file_mode=new_file_mode)

    def inside(self, name: str) -> "FolderHandle":
        """Return the folder `name` in this one, made if missing; a link there is not followed."""
        checked_name(name, field="folder")
        try:
            os.mkdir(self._named(name), 0o700, dir_fd=self._handle)
            self.flush()
        except FileExistsError:
            pass
        inner = None
        if self._handle is not None:
            inner = os.open(name, _FOLDER | _NO_FOLLOW, dir_fd=self._handle)
        return FolderHandle(self.path / name, inner, new_file_mode=self._mode)

    def open_new(self, name: str) -> int:
        """Return a handle to write the new file `name` with; it must not exist."""
        checked_name(name, field="file")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
        return os.open(self._named(name), flags, self._mode, dir_fd=self._handle)

    def open_old(self, name: str) -> int:
        """Return a handle to read the file `name` with; a link is refused."""
        checked_name(name, field="file")
        return os.open(self._named(name), os.O_RDONLY | _NO_FOLLOW | _BINARY, dir_fd=self._handle)

    def link(self, name: str, new_name: str) -> None:
        """Give the file `name` a second name that nothing has yet, or its only one where links are unknown."""
        checked_name(new_name, field="file")
        try:
            os.link(
                self._named(name), self._named(new_name), src_dir_fd=self._handle, dst_dir_fd=self._handle
            )
        except FileExistsError:
            raise
        except OSError as error:
            # File systems without hard links (exFAT, some network mounts): a look, then a rename.
            if os.access(self._named(new_name), os.F_OK, dir_fd=self._handle, follow_symlinks=False):
                raise FileExistsError from error
            self.rename(name, new_name)

    def link_from(self, path: Path, new_name: str) -> None:
        """Give the file at `path` a second name here that nothing has yet; a link at `path` is not followed."""
        checked_name(new_name, field="file")
        os.link(path, self._named(new_name), dst_dir_fd=self._handle, follow_symlinks=False)

    def rename(self, name: str, new_name: str) -> None:
        """Call the file `name` by `new_name` from now on, over whatever had that name."""
        checked_name(new_name, field="file")
        os.replace(self._named(name), self._named(new_name), src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def remove(self, name: str) -> None:
        os.unlink(self._named(name), dir_fd=self._handle)

    def names(self) -> tuple[str, ...]:
        """Return the names in the folder, sorted."""
        with os.scandir(self.path if self._handle is None else self._handle) as entries:
            return tuple(sorted(entry.name for entry in entries))

    def written_at(self, name: str) -> float:
        """Return when the file was last written, in seconds since 1970."""
        return os.stat(self._named(name), dir_fd=self._handle, follow_symlinks=False).st_mtime

    def flush(self) -> None:
        """Make names durable."""
        if self._handle is not None:
            os.fsync(self._handle)

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _named(self, name: str) -> str:
        return name if self._handle is not None else str(self.path / name)

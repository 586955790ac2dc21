"""Locks that processes of one machine share: a turn at writing, and a sign of life.

`flock` rather than POSIX record locks: it belongs to the open file, so threads exclude each other too and
closing an unrelated handle does not drop it. The kernel lets go when a process dies, however it dies.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Final

from keeprate.domain.errors import ConfigError, StorageError

# Locks and shared memory do not hold across machines on these (https://sqlite.org/faq.html#q5).
NETWORK_FILE_SYSTEMS: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "beegfs"),
        *("gpfs", "davfs", "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.glusterfs"),
    }
)
MOUNTS: Final = Path("/proc/self/mountinfo")


class WriteLock:
    """One writer at a time, over all processes and threads that name the same file."""

    def __init__(self, path: Path) -> None:
        """Open (and make) the lock file.

        Raises:
            StorageError: The folder cannot be written.
        """
        self._path = path
        self._turn = threading.Lock()
        self._handle: int | None = _opened(path)

    @contextlib.contextmanager
    def exclusive(self) -> Generator[None]:
        """Wait for the turn to write, first come first served."""
        with self._turn:
            if self._handle is None:
                raise StorageError(
                    "the database is closed", field="database_url", remedy="open it again to write"
                )
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._handle, fcntl.LOCK_UN)

    @contextlib.contextmanager
    def shared(self) -> Generator[None]:
        """Keep writers out while reading, for the journal in which they would meet."""
        handle = _opened(self._path)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)

    def close(self) -> None:
        """Let go of the file; nobody of this process may write any more."""
        with self._turn:
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None


class LifeLock:
    """A file that stays locked as long as this process lives."""

    def __init__(self, path: Path) -> None:
        """Make and lock `path`.

        Raises:
            StorageError: It cannot be made, or another process holds it.
        """
        self.path = path
        handle = _opened(path)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise _refused(path, error) from error
        self._handle: int | None = handle

    @property
    def is_on_disk(self) -> bool:
        """Return whether the locked file is still the one others find at its path."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return False
        if self._handle is None:
            return False
        mine = os.fstat(self._handle)
        return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)

    def close(self) -> None:
        """Remove the file, then let go: whoever looks sees either a living owner or none."""
        if self._handle is not None:
            self.path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None


def is_held(path: Path) -> bool:
    """Return whether a living process holds the life lock at `path`."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who look at the same moment do not take each other for the owner.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def refuse_network_disk(folder: Path, mounts: str | None = None) -> None:
    """Make sure `folder` lies on a disk of this machine, as far as the system tells.

    Raises:
        ConfigError: It is on a network file system, where two machines would corrupt the database.
    """
    if mounts is None:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="replace") if MOUNTS.exists() else ""
    kind = _file_system(folder.resolve(), mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise ConfigError(
            f"{folder} is on a network file system ({kind}), where SQLite loses data",
            field="KEEPRATE_HOME",
            value=str(folder),
            remedy="use a folder on a local disk, or set database_url to a PostgreSQL server",
        )


def _file_system(folder: Path, mounts: str) -> str | None:
    best, kind = -1, None
    for line in mounts.splitlines():
        head, _, tail = line.partition(" - ")
        fields, types = head.split(" "), tail.split(" ")
        if len(fields) < 5 or not tail:
            continue
        # The kernel writes blanks in paths as \040 (man 5 proc).
        point = Path(fields[4].replace("\\040", " "))
        # The last mount on a point hides earlier ones, so equal depth wins.
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), types[0]
    return kind


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot lock {path}: {error.strerror}",
        field="KEEPRATE_HOME",
        value=str(path),
        remedy="make the folder writable for you, or set KEEPRATE_HOME to one that is",
    )

"""What a failing disk means to the person in front of it, and how much room there is."""

import errno
import os
from pathlib import Path

from keeprate.domain.errors import StorageError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def storage_error(error: OSError, path: Path) -> StorageError:
    """Return what to raise when reading or writing `path` failed with `error`."""
    if error.errno in _NO_ROOM:
        why, remedy = "the disk is full", f"free space where {path.parent} lies, then run the command again"
    elif error.errno in _FORBIDDEN:
        why, remedy = "it may not be written", f"make {path.parent} writable, or set KEEPRATE_HOME elsewhere"
    elif error.errno == errno.EIO:
        why, remedy = (
            "the disk reported a fault",
            f"check the disk that holds {path.parent}; copy it off first",
        )
    else:
        why, remedy = error.strerror or type(error).__name__, f"see why {path} cannot be used"
    facts = {"errno": errno.errorcode.get(error.errno or 0, "")}
    return StorageError(f"{path}: {why}", field="path", value=str(path), remedy=remedy, facts=facts)


def room(path: Path) -> int:
    """Return the bytes that may still be written where `path` lies.

    Raises:
        StorageError: The disk cannot be asked.
    """
    try:
        # Windows has no statvfs; shutil.disk_usage would not tell root's reserve apart elsewhere.
        disk = os.statvfs(path)
    except OSError as error:
        raise storage_error(error, path) from error
    return disk.f_bavail * disk.f_frsize

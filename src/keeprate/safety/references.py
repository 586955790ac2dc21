"""Where a reference may come from: a file on this machine. Addresses are never fetched."""

import os
import re
import stat
from pathlib import Path
from typing import Final

from keeprate.domain.errors import InvalidValue, UnreadableReference
from keeprate.safety.images import MOST_BYTES

# A scheme of two letters or more: "C:\photo.png" is a Windows path, "file:/photo.png" is not a path.
_ADDRESS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:|//")


def local_reference(text: str, *, field: str = "reference") -> Path:
    """Return the path of the file that `text` names, once it can be read and is not too large.

    Raises:
        InvalidValue: It is an address; fetching is off, so that nobody makes this machine call another.
        UnreadableReference: There is no such file, it is no ordinary file, may not be read, or is over 50 MB.
    """
    if _ADDRESS.match(text):
        raise InvalidValue(
            f"{field} {text!r} is an address; only files on this machine are read",
            field=field,
            value=text,
            remedy="download the picture and name the file",
        )
    try:
        path = Path(text).expanduser()
        status = path.stat()
    except (OSError, ValueError, RuntimeError) as error:  # ValueError: a NUL; RuntimeError: "~nobody"
        raise _unreadable(field, text, "there is no such file", "check the name") from error
    if not stat.S_ISREG(status.st_mode):
        why = "it is a folder" if stat.S_ISDIR(status.st_mode) else "it is no ordinary file"
        raise _unreadable(field, text, why, "name one picture file")
    if not os.access(path, os.R_OK):
        raise _unreadable(field, text, "it may not be read", f"give yourself the right: chmod u+r {path}")
    if status.st_size > MOST_BYTES:
        size = f"it has {status.st_size / 1e6:.0f} MB; at most 50 MB are read"
        raise _unreadable(field, text, size, "save it smaller, for example as JPEG")
    return path


def _unreadable(field: str, text: str, why: str, remedy: str) -> UnreadableReference:
    return UnreadableReference(f"{field} {text!r}: {why}", field=field, value=text, remedy=remedy)

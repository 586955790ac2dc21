"""An append-only file of JSON lines: written by one call to the system each, so that a kill leaves whole lines.

Several emulators may share a state folder (every process of a home starts its own), so the file is the truth and memory
only follows it. Nothing is fsynced: power loss is not among the things that the emulator referees.
"""

import os
import secrets
from pathlib import Path

_EDITION_LENGTH = 24


class Journal:
    """Lines in the order in which they were written, whoever wrote them."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._followed = 0
        self._edition = b""
        size = os.fstat(self._file).st_size
        if size == 0:
            self._begin()
        elif os.pread(self._file, 1, size - 1) != b"\n":
            # A death inside a write: its line was never answered for, and must not run into the next.
            os.write(self._file, b"\n")

    def append(self, line: bytes) -> None:
        """Write a line, given without its end; when this returns, killing the process does not lose it."""
        os.write(self._file, line + b"\n")

    def news(self) -> tuple[bool, list[tuple[int, bytes]]]:
        """Return whether the file was emptied since the last look, and the lines since then with their places."""
        edition = os.pread(self._file, _EDITION_LENGTH, 0)
        emptied = edition != self._edition
        if emptied:
            self._edition, self._followed = edition, 0
        found: list[tuple[int, bytes]] = []
        content = self._unread()
        for line in content.splitlines(keepends=True):
            if line.endswith(b"\n"):
                if line.startswith(b"{") and line.endswith(b"}\n"):
                    found.append((self._followed, line[:-1]))
                self._followed += len(line)
        return emptied, found

    def line_at(self, place: int, length: int) -> bytes:
        """Return a line found before."""
        return os.pread(self._file, length, place)

    def clear(self) -> None:
        """Empty the file."""
        os.ftruncate(self._file, 0)
        self._begin()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _begin(self) -> None:
        """Write a first line that no other edition has: by its length alone a refilled file could pass for the old one."""
        os.write(self._file, b"# " + secrets.token_hex(_EDITION_LENGTH // 2).encode() + b"\n")

    def _unread(self) -> bytes:
        parts: list[bytes] = []
        place = self._followed
        while part := os.pread(self._file, 1 << 20, place):
            parts.append(part)
            place += len(part)
        return b"".join(parts)

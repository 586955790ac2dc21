"""Uploaded files: kept on disk for their owner, also across a restart."""

import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

_FILE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One uploaded file. Times are RFC 3339."""

    id: str
    display_name: str
    mime: str
    size: int
    sha256: str
    key_hash: str
    created_at: str
    expires_at: str


class Shelf:
    """Each file is two: `ID.bin`, and `ID.json` written last, so that a half-written one does not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, file: StoredFile, content: bytes) -> None:
        """Keep a file."""
        (self._folder / f"{file.id}.bin").write_bytes(content)
        note = self._folder / f"{file.id}.note"
        note.write_bytes(msgspec.json.encode(file))
        note.rename(self._folder / f"{file.id}.json")

    def file(self, file_id: str, key_hash: str) -> StoredFile | None:
        """Return a file of this owner; None when there is none, or it is someone else's."""
        path = self._folder / f"{file_id}.json"
        if not is_file_id(file_id) or not path.exists():
            return None
        found = msgspec.json.decode(path.read_bytes(), type=StoredFile)
        return found if found.key_hash == key_hash else None

    def content(self, file: StoredFile) -> bytes:
        """Return the bytes as uploaded."""
        return (self._folder / f"{file.id}.bin").read_bytes()

    def files_of(self, key_hash: str) -> tuple[StoredFile, ...]:
        """Return an owner's files, the newest first."""
        own = (self.file(path.stem, key_hash) for path in self._folder.glob("*.json"))
        return tuple(sorted((file for file in own if file), key=lambda file: file.created_at, reverse=True))

    def remove(self, file: StoredFile) -> None:
        """Delete a file."""
        for suffix in ("json", "bin"):
            (self._folder / f"{file.id}.{suffix}").unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete every file."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)


def is_file_id(text: str) -> bool:
    """Return whether a text can name a file: lower-case letters, digits and dashes."""
    return _FILE_ID.fullmatch(text) is not None


def new_file_id() -> str:
    """Return an id as the API makes them: twelve letters and digits."""
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(secrets.choice(alphabet) for _ in range(12))

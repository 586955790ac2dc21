"""Uploaded files: kept on disk for their owner, also across a restart."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec


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
        self._files = {
            path.stem: msgspec.json.decode(path.read_bytes(), type=StoredFile)
            for path in sorted(folder.glob("*.json"))
        }

    def put(self, file: StoredFile, content: bytes) -> None:
        """Keep a file."""
        (self._folder / f"{file.id}.bin").write_bytes(content)
        note = self._folder / f"{file.id}.note"
        note.write_bytes(msgspec.json.encode(file))
        note.rename(self._folder / f"{file.id}.json")
        self._files[file.id] = file

    def file(self, file_id: str, key_hash: str) -> StoredFile | None:
        """Return a file of this owner; None when there is none, or it is someone else's."""
        found = self._files.get(file_id)
        return found if found is not None and found.key_hash == key_hash else None

    def content(self, file: StoredFile) -> bytes:
        """Return the bytes as uploaded."""
        return (self._folder / f"{file.id}.bin").read_bytes()

    def files_of(self, key_hash: str) -> tuple[StoredFile, ...]:
        """Return an owner's files, the newest first."""
        own = [file for file in self._files.values() if file.key_hash == key_hash]
        return tuple(sorted(own, key=lambda file: file.created_at, reverse=True))

    def remove(self, file: StoredFile) -> None:
        """Delete a file."""
        del self._files[file.id]
        for suffix in ("json", "bin"):
            (self._folder / f"{file.id}.{suffix}").unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete every file."""
        self._files.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)


def new_file_id() -> str:
    """Return an id as the API makes them: twelve letters and digits."""
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(secrets.choice(alphabet) for _ in range(12))

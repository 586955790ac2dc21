"""Interactions kept on the server's side: what was said, so that the next turn need not repeat it."""

import shutil
from pathlib import Path

import msgspec


class Conversations:
    """One JSON file per interaction: its owner, its turns so far, and the answer as sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, kept: "Interaction") -> None:
        """Keep an interaction."""
        note = self._folder / f"{kept.id}.note"
        note.write_bytes(msgspec.json.encode(kept))
        note.rename(self._folder / f"{kept.id}.json")

    def interaction(self, interaction_id: str, key_hash: str) -> "Interaction | None":
        """Return an owner's interaction; None when there is none, or it is someone else's."""
        path = self._folder / f"{interaction_id}.json"
        if not interaction_id.replace("_", "").replace("-", "").isalnum() or not path.exists():
            return None
        kept = msgspec.json.decode(path.read_bytes(), type=Interaction)
        return kept if kept.key_hash == key_hash else None

    def remove(self, kept: "Interaction") -> None:
        """Delete an interaction."""
        (self._folder / f"{kept.id}.json").unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete every interaction."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One kept interaction. `contents` are generateContent turns, the answer's own included."""

    id: str
    key_hash: str
    contents: list[dict[str, object]]
    answer: dict[str, object]

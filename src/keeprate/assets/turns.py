"""What models said, a file per attempt, so that a conversation can go on."""

import asyncio
from pathlib import Path

from keeprate.safety.names import folder_name
from keeprate.safety.paths import Folder


class DiskTurns:
    """Turns in a folder of the home, per workspace."""

    def __init__(self, root: Path) -> None:
        """Use the folder at `root`, made with the first turn."""
        self._root = root

    async def save(self, workspace: str, attempt_id: str, turn: bytes) -> None:
        """Keep the model's turn of an attempt, on the disk when this returns.

        Raises:
            StorageError: The disk refused.
        """
        await asyncio.to_thread(self._save, workspace, attempt_id, turn)

    async def load(self, workspace: str, attempt_id: str) -> bytes | None:
        """Return the kept turn, or None.

        Raises:
            StorageError: The disk refused.
        """
        return await asyncio.to_thread(self._load, workspace, attempt_id)

    def _save(self, workspace: str, attempt_id: str, turn: bytes) -> None:
        with Folder.at(self._root) as root, root.inside(folder_name(workspace)) as ours:
            ours.replace(f"{attempt_id}.json", turn)

    def _load(self, workspace: str, attempt_id: str) -> bytes | None:
        place = self._root / folder_name(workspace)
        if not place.is_dir():
            return None
        with Folder.at(place) as ours:
            return ours.read(f"{attempt_id}.json")

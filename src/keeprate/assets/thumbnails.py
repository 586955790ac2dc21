"""Small pictures for lists and notebooks: made once in the decoder child, kept beside the store."""

import asyncio
from pathlib import Path
from typing import Final

from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.disks import storage_error
from keeprate.safety.names import folder_name
from keeprate.safety.paths import Folder
from keeprate.workflows.ports import StoredImage

EDGE: Final = 512  # pixels, the longest edge


class Thumbnails:
    """WebP pictures of at most 512 pixels an edge. They can be thrown away at any time."""

    def __init__(self, root: Path, *, decoder: ImageDecoder) -> None:
        """Use the folder at `root`, made with the first thumbnail."""
        self._root = root
        self._decoder = decoder

    async def of(self, workspace: str, image: StoredImage) -> bytes:
        """Return the thumbnail of a stored image as WebP.

        Raises:
            UnreadableReference: Its pixels cannot be decoded.
            StorageError: The disk refused.
        """
        return await asyncio.to_thread(self._of, workspace, image)

    def _of(self, workspace: str, image: StoredImage) -> bytes:
        name = f"{image.sha256}-{EDGE}.webp"
        with (
            Folder.at(self._root) as root,
            root.inside(folder_name(workspace)) as ours,
            ours.inside(image.sha256[:2]) as shelf,
        ):
            kept = shelf.read(name)
            if kept is not None:
                return kept
            try:
                content = image.path.read_bytes()
            except OSError as error:
                raise storage_error(error, image.path) from error
            made = self._decoder.thumbnail(content, edge=EDGE, field="image")
            shelf.write_once(name, made)
            return made

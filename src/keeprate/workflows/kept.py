"""Files for people: what the workflows need so that a picture leaves the store and finds its way back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from keeprate.domain.provenance import Provenance
from keeprate.workflows.ports import StoredImage


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file written for a person: the picture with its story in it, and the story beside it.

    `sha256` is the file's own; it differs from the image's where the story was put in. `path` is as
    asked for, but for an extension that did not fit the bytes; `notices` say so.
    """

    path: Path
    sidecar: Path
    sha256: str
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTrace:
    """What a file tells of itself. `untouched_sha256` is its hash without the story Keeprate put in.

    `attempt_id` is what that story says, None where there is none; it is a claim, not a proof.
    """

    sha256: str
    untouched_sha256: str
    attempt_id: str | None


class Keeper(Protocol):
    """Writes images out for people, and reads such files back."""

    async def check(self, target: Path, *, overwrite: bool) -> None:
        """Refuse, before anything is bought, a place that `keep` could not write to.

        Raises:
            InvalidValue: A name no system takes, no folder, no right to write, or a file is there.
        """
        ...

    async def keep(
        self,
        image: StoredImage,
        target: Path,
        provenance: Provenance,
        *,
        overwrite: bool,
        prompt_in_file: bool,
    ) -> KeptFile:
        """Write `image` to `target` with its sidecar, flushed to disk.

        Raises:
            InvalidValue: The folder is missing, or a file is there and may not be overwritten.
            StorageError: The disk refused.
        """
        ...

    async def shows(self, path: Path, picture: bytes) -> bool:
        """Return whether the file at `path` has the very pixels and colours of `picture`, whatever its format."""
        ...

    async def trace(self, path: Path) -> FileTrace:
        """Return what the file at `path` tells.

        Raises:
            UnreadableReference: There is no such file, or it is no image.
        """
        ...

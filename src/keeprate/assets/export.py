"""Writes images out for people, each with its story in it and beside it, and reads such files back.

The store's originals stay as they came. A copy gets an XMP packet between its parts, so pixels and
everything else stay byte for byte; a file that carries a packet or signed credentials is copied as it
is, and its story stands in the sidecar alone.
"""

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Final

from keeprate.assets import sidecar
from keeprate.domain.errors import InvalidValue, StorageError, UnreadableReference
from keeprate.domain.provenance import Provenance
from keeprate.safety.containers import Malformed
from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.disks import storage_error
from keeprate.safety.failpoints import failpoint
from keeprate.safety.images import ImageKind, sniff
from keeprate.safety.names import checked_name
from keeprate.safety.paths import Folder
from keeprate.safety.provenance import embed, read_packet, without_packet
from keeprate.safety.references import local_reference
from keeprate.safety.xmp import packet_of
from keeprate.workflows.kept import FileTrace, KeptFile
from keeprate.workflows.ports import StoredImage

OUTPUT: Final = "output"
# Endings that claim a picture format: a wrong one is corrected, any other text after a dot is a name.
_CLAIMS: Final = frozenset(
    {"png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff", "heic", "avif", "jp2", "svg"}
)
_FITTING: Final = {
    ImageKind.PNG.extension: frozenset({"png"}),
    ImageKind.JPEG.extension: frozenset({"jpg", "jpeg", "jpe", "jfif"}),
    ImageKind.WEBP.extension: frozenset({"webp"}),
}


class FileKeeper:
    """Kept files in folders the user names."""

    def __init__(self, decoder: ImageDecoder | None = None) -> None:
        """Use `decoder` to write PNG where that was asked for and something else came."""
        self._decoder = decoder

    async def check(self, target: Path, *, overwrite: bool) -> None:
        """Refuse, before anything is bought, a place that `keep` could not write to.

        Raises:
            InvalidValue: A name no system takes, no folder, no right to write, or a file is there.
        """
        await asyncio.to_thread(_check, target, overwrite=overwrite)

    async def keep(
        self,
        image: StoredImage,
        target: Path,
        provenance: Provenance,
        *,
        overwrite: bool,
        prompt_in_file: bool,
    ) -> KeptFile:
        """Write `image` to `target` with its sidecar, both on the disk when this returns.

        A folder as `target` gets a file named after the image. Where a PNG is asked for and another
        format came, a PNG without loss is written and the original stays in the store; any other
        extension that does not fit the bytes is corrected, and `overwrite` does not hold for that other file.
        Writing the same file again is no overwriting.

        Raises:
            InvalidValue: The folder is missing, or another file is there and may not be overwritten.
            StorageError: The disk refused. A file that was there is whole and unchanged.
        """
        story = provenance if prompt_in_file else sidecar.without_prompt(provenance)
        return await asyncio.to_thread(
            _keep, image, target, story, overwrite=overwrite, decoder=self._decoder
        )

    async def shows(self, path: Path, picture: bytes) -> bool:
        """Return whether the file at `path` has the very pixels and colours of `picture`, whatever its format."""
        return self._decoder is not None and await asyncio.to_thread(_shows, path, picture, self._decoder)

    async def trace(self, path: Path) -> FileTrace:
        """Return what the file at `path` tells.

        Raises:
            UnreadableReference: There is no such file, or it is no image.
            StorageError: The disk refused.
        """
        return await asyncio.to_thread(_trace, path)


def _check(target: Path, *, overwrite: bool) -> None:
    is_folder = _is_folder(target)
    folder = target if is_folder else target.parent
    Folder.existing(folder, field=OUTPUT).close()
    if not os.access(folder, os.W_OK):
        raise InvalidValue(
            f"{OUTPUT}: nothing may be written to {folder}",
            field=OUTPUT,
            value=str(target),
            remedy="name a folder of your own",
        )
    if not is_folder and not overwrite and os.path.lexists(target):
        raise _exists(target)


def _is_folder(target: Path) -> bool:
    """Return whether `target` is a folder.

    Raises:
        InvalidValue: Its name is one that no system takes.
    """
    # The sidecar's name is the longest; "." and ".." are folders, and have no name to check.
    if target.name:
        checked_name(target.name + sidecar.SUFFIX, field=OUTPUT)
        checked_name(target.name, field=OUTPUT)
    try:
        return target.is_dir()
    except OSError:
        return False


def _keep(
    image: StoredImage,
    target: Path,
    story: Provenance,
    *,
    overwrite: bool,
    decoder: ImageDecoder | None,
) -> KeptFile:
    content = _original(image)
    if decoder is not None and _wants_png(image, target):
        content = decoder.as_png(content, field=OUTPUT)
        place, notices = target, (f"{image.mime} came; {target.name} holds the same pixels as PNG",)
    else:
        place, notices = _place(image, target)
    marked = _marked(content, story)
    if marked is None:
        notices += (
            "the picture carries credentials or metadata of its own; its story is in the sidecar alone",
        )
    kept = content if marked is None else marked
    beside = sidecar.Sidecar(file=place.name, sha256=hashlib.sha256(kept).hexdigest(), provenance=story)
    beside_name = place.name + sidecar.SUFFIX
    checked_name(beside_name, field=OUTPUT)
    # Leave to overwrite holds for the file that was named, not for one that the bytes lead to.
    overwrite = overwrite and (place == target or _is_folder(target))
    with Folder.existing(place.parent, field=OUTPUT) as folder:
        try:
            failpoint("assets.keep.before")
            _refuse_foreign_sidecar(folder, beside_name, overwrite=overwrite)
            _put(folder, place.name, kept, overwrite=overwrite)
            failpoint("assets.keep.after_image")
            folder.replace(beside_name, sidecar.written(beside))
            failpoint("assets.keep.after_sidecar")
        except OSError as error:
            raise storage_error(error, place) from error
    return KeptFile(path=place, sidecar=place.parent / beside_name, sha256=beside.sha256, notices=notices)


def _original(image: StoredImage) -> bytes:
    with Folder.at(image.path.parent) as shelf:
        content = shelf.read(image.path.name)
    if content is None:
        raise StorageError(
            f"image {image.sha256[:12]} is no longer in the store",
            field="path",
            value=str(image.path),
            remedy="restore the home from a backup",
        )
    return content


def _wants_png(image: StoredImage, target: Path) -> bool:
    return image.extension != "png" and target.suffix.lower() == ".png" and not _is_folder(target)


def _place(image: StoredImage, target: Path) -> tuple[Path, tuple[str, ...]]:
    """Return where the file goes, by content, and what to say where that is not where it was wanted."""
    if _is_folder(target):
        return target / f"keeprate-{image.sha256[:16]}.{image.extension}", ()
    claimed = target.suffix.removeprefix(".").lower()
    if claimed in _FITTING[image.extension]:
        return target, ()
    bare = target.stem if claimed in _CLAIMS else target.name
    place = target.with_name(f"{bare}.{image.extension}")
    return place, (f"the bytes are {image.mime}, so the file is called {place.name}",)


def _marked(content: bytes, story: Provenance) -> bytes | None:
    try:
        return embed(content, packet_of(story))
    except Malformed:
        return None


def _refuse_foreign_sidecar(folder: Folder, name: str, *, overwrite: bool) -> None:
    there = folder.read(name)
    if there is not None and not overwrite and sidecar.parsed(there) is None:
        raise _exists(folder.path / name)


def _put(folder: Folder, name: str, content: bytes, *, overwrite: bool) -> None:
    if overwrite:
        folder.replace(name, content)
    elif not folder.write_once(name, content) and _other(folder, name, content):
        raise _exists(folder.path / name)


def _other(folder: Folder, name: str, content: bytes) -> bool:
    try:
        return folder.read(name, limit=len(content) + 1) != content
    except StorageError:
        return True  # a link, or a folder: not our file, whatever it holds


def _exists(path: Path) -> InvalidValue:
    return InvalidValue(
        f"{OUTPUT}: {path} is there already",
        field=OUTPUT,
        value=str(path),
        remedy="name another file, or allow it with --overwrite",
    )


def _shows(path: Path, picture: bytes, decoder: ImageDecoder) -> bool:
    found = local_reference(str(path), field="file")
    try:
        content = found.read_bytes()
        # Without its story, for what is equal must become equal bytes.
        return decoder.as_png(without_packet(content), field="file") == decoder.as_png(picture, field="file")
    except OSError as error:
        raise storage_error(error, found) from error
    except UnreadableReference:
        return False


def _trace(path: Path) -> FileTrace:
    found = local_reference(str(path), field="file")
    try:
        content = found.read_bytes()
    except OSError as error:
        raise storage_error(error, found) from error
    if sniff(content) is None:
        raise UnreadableReference(
            f"file {str(path)!r} is no PNG, JPEG or WebP",
            field="file",
            value=str(path),
            remedy="name a picture that Keeprate wrote",
        )
    packet = read_packet(content)
    sha256 = hashlib.sha256(content).hexdigest()
    untouched = sha256 if packet is None else hashlib.sha256(without_packet(content)).hexdigest()
    return FileTrace(
        sha256=sha256,
        untouched_sha256=untouched,
        attempt_id=None if packet is None else packet.attempt_id,
    )

"""Raw replies on disk until their attempt is settled: nothing paid for is only in memory.

Three names per attempt, in one folder:

    <attempt>.part        bytes as they come; after a crash or an abandoned call, all there is
    <attempt>.meta.json   how long the whole reply is, its hash and its headers
    <attempt>.reply       the whole reply

A reply that is relayed is kept in parts (`parted.py`) and put together again only where a process died.
The bytes are flushed before the description is written, and the description before the reply gets its
name. So a description without a `.reply` still means the `.part` beside it is whole: `find` checks
length and hash, and finishes the renaming a dead process left undone.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from keeprate.assets.parted import PartedFile, rejoined
from keeprate.domain.errors import Conflict
from keeprate.safety.disks import room, storage_error
from keeprate.safety.failpoints import failpoint
from keeprate.safety.names import checked_name
from keeprate.safety.paths import Folder
from keeprate.workflows.ports import Reply

RESERVE_BYTES: Final = 64_000_000  # left free, so that the ledger can always write down what was paid


class LeftoverState(StrEnum):
    COMPLETE = "complete"
    PARTIAL = "partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Something in the spool: what is there of the reply to `attempt_id`."""

    attempt_id: str
    state: LeftoverState
    bytes_count: int
    written_at: datetime
    path: Path


class _Description(msgspec.Struct, frozen=True, kw_only=True):
    bytes_count: int
    sha256: str
    content_type: str
    served_tier: str | None
    request_id: str | None


class DiskSpool:
    """The spool in a folder of its own, on the disk that holds the home."""

    def __init__(self, path: Path) -> None:
        """Use the folder at `path`, made if missing.

        Raises:
            StorageError: It cannot be made or opened.
        """
        self._folder = Folder.at(path)

    def begin(self, attempt_id: str, *, expected_bytes: int = 0) -> "DiskSpoolFile":
        """Return a file to write the reply of `attempt_id` to.

        `expected_bytes` are claimed on the disk now, so that it cannot fill up before they come.

        Raises:
            Conflict: A whole reply to this attempt is already here.
            StorageError: The disk refused.
        """
        self._refuse_taken(attempt_id)
        part = f"{attempt_id}.part"
        try:
            failpoint("spool.begin.before")
            _set_aside(self._folder, part)
            handle = self._folder.open_new(part)
            failpoint("spool.begin.opened")
        except OSError as error:
            raise storage_error(error, self._folder.path / part) from error
        spooled = DiskSpoolFile(self._folder, attempt_id, handle)
        spooled.claim(expected_bytes)
        return spooled

    def begin_parted(self, attempt_id: str) -> PartedFile:
        """Return a file to write the reply of `attempt_id` to, with its images taken out.

        Raises:
            Conflict: A whole reply to this attempt is already here.
            StorageError: The disk refused.
        """
        self._refuse_taken(attempt_id)
        try:
            failpoint("spool.begin.before")
            parted = PartedFile(self._folder, attempt_id)
            failpoint("spool.begin.opened")
        except OSError as error:
            raise storage_error(error, self._folder.path / attempt_id) from error
        return parted

    def find(self, attempt_id: str) -> Reply | None:
        """Return the whole reply an earlier process left for `attempt_id`; None if none is whole.

        Raises:
            StorageError: The disk refused.
        """
        checked_name(attempt_id, field="attempt_id")
        described = self._folder.read(f"{attempt_id}.meta.json")
        if described is None:
            return self._rejoined(attempt_id, even_if_broken_off=False)
        try:
            description = msgspec.json.decode(described, type=_Description)
        except msgspec.DecodeError:
            return None  # not ours: our descriptions appear whole or not at all
        for name in (f"{attempt_id}.reply", f"{attempt_id}.part"):
            body = self._folder.read(name)
            if body is not None and _fits(body, description):
                return self._finished(attempt_id, name, description)
        return None

    def discard(self, attempt_id: str) -> None:
        """Drop the reply of a settled attempt whose images are stored; what is gone stays gone.

        Raises:
            StorageError: The disk refused.
        """
        checked_name(attempt_id, field="attempt_id")
        path = self._folder.path / f"{attempt_id}.reply"
        try:
            failpoint("spool.discard.before")
            for name in self._folder.names():
                if name.startswith((f"{attempt_id}.reply", f"{attempt_id}.part")):
                    self._folder.remove(name)
            failpoint("spool.discard.emptied")
            self._folder.remove(f"{attempt_id}.meta.json")
        except OSError as error:
            raise storage_error(error, path) from error

    def has_room(self, byte_count: int) -> bool:
        """Return whether the disk can take `byte_count` more and keep 64 MB free.

        Raises:
            StorageError: The disk cannot be asked.
        """
        return room(self._folder.path) >= byte_count + RESERVE_BYTES

    def leftovers(self) -> tuple[Leftover, ...]:
        """Return what lies in the spool, by attempt: work for recovery, or for `doctor` to show."""
        found: list[Leftover] = []
        for name in self._folder.names():
            attempt_id, _, ending = name.partition(".")
            if not attempt_id or ending == "meta.json":
                continue
            reply = self.find(attempt_id) if ending in {"reply", "part"} else None
            path = self._folder.path / name if reply is None else reply.body_path
            try:
                status = path.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # settled and discarded meanwhile
            found.append(
                Leftover(
                    attempt_id=attempt_id,
                    state=LeftoverState.PARTIAL if reply is None else LeftoverState.COMPLETE,
                    bytes_count=status.st_size,
                    written_at=datetime.fromtimestamp(status.st_mtime, UTC),
                    path=path,
                )
            )
        return tuple(found)

    def waiting(self) -> tuple[str, ...]:
        """Return the attempts that something here belongs to, whole or not."""
        endings = ("reply", "part", "meta.json")
        names = (name.partition(".") for name in self._folder.names())
        return tuple(
            dict.fromkeys(first for first, _, ending in names if first and ending.startswith(endings))
        )

    def salvage(self, attempt_id: str) -> Reply | None:
        """Return what came of a reply nobody could mark whole; only its content tells whether it is.

        A disk may take every byte and refuse the few that describe them.

        Raises:
            StorageError: The disk refused.
        """
        checked_name(attempt_id, field="attempt_id")
        body = _without_claim(self._folder, f"{attempt_id}.part")
        if not body:
            return self._rejoined(attempt_id, even_if_broken_off=True)
        description = _Description(
            bytes_count=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            content_type="application/json",
            served_tier=None,
            request_id=None,
        )
        return _reply(self._folder.path / f"{attempt_id}.part", description)

    def sweep(self, before: datetime) -> int:
        """Remove descriptions that dead writers left unfinished before `before`; return how many.

        Replies and parts of replies are never removed here: they may be all there is of a paid answer.
        """
        swept = [name for name in self._folder.unfinished(before) if self._folder.remove(name)]
        return len(swept)

    def close(self) -> None:
        self._folder.close()

    def _refuse_taken(self, attempt_id: str) -> None:
        checked_name(attempt_id, field="attempt_id")
        if self.find(attempt_id) is not None:
            raise Conflict(
                f"attempt {attempt_id} already has its reply in the spool",
                field="attempt_id",
                value=attempt_id,
                remedy="settle it from there; sending again would pay twice",
            )

    def _rejoined(self, attempt_id: str, *, even_if_broken_off: bool) -> Reply | None:
        """Put a parted reply together again as it came, in a file of its own; None where there is none."""
        found = rejoined(self._folder, attempt_id, even_if_broken_off=even_if_broken_off)
        if found is None:
            return None
        whole, slices = found
        part = f"{attempt_id}.part"
        _set_aside(self._folder, part)
        into = DiskSpoolFile(self._folder, attempt_id, self._folder.open_new(part))
        for data in slices:
            into.write(data)
        return into.complete(
            content_type=whole.content_type, served_tier=whole.served_tier, request_id=whole.request_id
        )

    def _finished(self, attempt_id: str, name: str, description: _Description) -> Reply:
        reply = f"{attempt_id}.reply"
        if name != reply:
            try:
                self._folder.rename(name, reply)
                self._folder.flush()
            except OSError as error:
                raise storage_error(error, self._folder.path / reply) from error
        return _reply(self._folder.path / reply, description)


class DiskSpoolFile:
    """One reply on its way to disk. `write` is quick; `complete` waits for the disk: call it in a thread.

    Bytes the disk refuses are kept in memory and tried again: they are paid for, and a disk may refuse
    once and take the rest.
    """

    def __init__(self, folder: Folder, attempt_id: str, handle: int) -> None:
        self._folder = folder
        self._attempt_id = attempt_id
        self._handle = handle
        self._hash = hashlib.sha256()
        self._length = 0
        self._refused = bytearray()
        self._path = folder.path / f"{attempt_id}.part"

    def claim(self, byte_count: int) -> None:
        """Claim room for `byte_count` bytes on the disk, where the system can.

        Raises:
            StorageError: There is no such room. The file is gone again.
        """
        if byte_count <= 0 or not hasattr(os, "posix_fallocate"):
            return
        try:
            os.posix_fallocate(self._handle, 0, byte_count)
        except OSError as error:
            self.abandon()
            raise storage_error(error, self._path) from error

    def write(self, data: bytes) -> None:
        """Append bytes as they come; what the disk refuses now is tried again with the next ones."""
        self._refused += data
        with suppress(OSError):
            self._write_out()

    def _write_out(self) -> None:
        if self._refused:
            failpoint("spool.write.chunk")
        while self._refused:
            written = os.write(self._handle, self._refused)
            self._hash.update(memoryview(self._refused)[:written])
            self._length += written
            del self._refused[:written]

    def complete(self, *, content_type: str, served_tier: str | None, request_id: str | None) -> Reply:
        """Flush to disk, mark whole in one step, and return the reply.

        Raises:
            StorageError: The disk refused; what came is kept.
        """
        reply = f"{self._attempt_id}.reply"
        try:
            failpoint("spool.complete.before")
            self._write_out()
            self._end()
            failpoint("spool.complete.synced")
            description = _Description(
                bytes_count=self._length,
                sha256=self._hash.hexdigest(),
                content_type=content_type,
                served_tier=served_tier,
                request_id=request_id,
            )
            self._folder.replace(f"{self._attempt_id}.meta.json", msgspec.json.encode(description))
            failpoint("spool.complete.described")
            self._folder.rename(f"{self._attempt_id}.part", reply)
            failpoint("spool.complete.renamed")
            self._folder.flush()
        except OSError as error:
            raise storage_error(error, self._path) from error
        failpoint("spool.complete.done")
        return _reply(self._folder.path / reply, description)

    def abandon(self) -> None:
        """Keep what came, marked incomplete: it may be all there is of a paid answer.

        Raises:
            StorageError: The disk refused.
        """
        if self._handle < 0:
            return
        try:
            failpoint("spool.abandon.before")
            with suppress(OSError):
                self._write_out()
            self._end()
        except OSError as error:
            raise storage_error(error, self._path) from error
        if self._length == 0:
            self._folder.remove(f"{self._attempt_id}.part")

    def _end(self) -> None:
        """Give back what was claimed and not used, flush and close."""
        handle, self._handle = self._handle, -1
        try:
            os.ftruncate(handle, self._length)
            os.fsync(handle)
        finally:
            os.close(handle)


def _without_claim(folder: Folder, part: str) -> bytes:
    """Return what a dead writer wrote, and give back the room it had claimed behind that."""
    claimed = folder.read(part) or b""
    body = claimed.rstrip(b"\0")  # no reply ends in zeros: they are JSON
    path = folder.path / part
    try:
        if not body:
            folder.remove(part)
        elif len(body) < len(claimed):
            os.truncate(path, len(body))
    except OSError as error:
        raise storage_error(error, path) from error
    return body


def _set_aside(folder: Folder, part: str) -> None:
    """Give the bytes of an earlier, broken-off call another name rather than writing over them."""
    taken = set(folder.names())
    if part not in taken:
        return
    number = 1
    while f"{part}-{number}" in taken:
        number += 1
    folder.rename(part, f"{part}-{number}")


def _fits(body: bytes, description: _Description) -> bool:
    """Return whether `body` is the whole reply described."""
    return len(body) == description.bytes_count and hashlib.sha256(body).hexdigest() == description.sha256


def _reply(path: Path, description: _Description) -> Reply:
    return Reply(
        body_path=path,
        sha256=description.sha256,
        content_type=description.content_type,
        served_tier=description.served_tier,
        request_id=description.request_id,
    )

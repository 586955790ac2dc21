"""The stores as `paid_call` knows them, for a reply that is kept in parts and adopted without a copy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from keeprate.workflows.asides import quick
from keeprate.workflows.forwarding import AdoptingAssets, PartedReply, PartingSpool
from keeprate.workflows.ports import Reply, SpoolFile, StoredImage


@dataclass(frozen=True, slots=True)
class PartedFile:
    """A parted reply where a spool file is asked for."""

    parted: PartedReply

    def write(self, data: bytes) -> None:
        """Append bytes as they come."""
        self.parted.write(data)

    def complete(self, *, content_type: str, served_tier: str | None, request_id: str | None) -> Reply:
        """Flush to disk, mark complete and return the reply: its text, with images standing in."""
        spooled = self.parted.complete(
            content_type=content_type, served_tier=served_tier, request_id=request_id
        )
        return Reply(
            body_path=spooled.text_path,
            sha256=spooled.sha256,
            content_type=content_type,
            served_tier=served_tier,
            request_id=request_id,
        )

    def abandon(self) -> None:
        """Keep what came, marked incomplete."""
        self.parted.abandon()


def parted_in(into: SpoolFile) -> PartedReply:
    """Return the parted reply behind a spool file of `Parting`."""
    assert isinstance(into, PartedFile)  # noqa: S101 (whoever parts is given a parting spool)
    return into.parted


@dataclass(frozen=True, slots=True)
class Parting:
    """The spool, taking replies in parts."""

    inner: PartingSpool

    @quick
    def begin(self, attempt_id: str, *, expected_bytes: int = 0) -> SpoolFile:
        """Return a parted file; its text and images find their own room."""
        del expected_bytes
        return PartedFile(self.inner.begin_parted(attempt_id))

    def find(self, attempt_id: str) -> Reply | None:
        """Return the complete reply that an earlier process left."""
        return self.inner.find(attempt_id)

    @quick
    def discard(self, attempt_id: str) -> None:
        """Drop the reply of a settled attempt."""
        self.inner.discard(attempt_id)

    def waiting(self) -> Sequence[str]:
        """Return the attempts that something here belongs to."""
        return self.inner.waiting()

    def salvage(self, attempt_id: str) -> Reply | None:
        """Return what came of a reply nobody could mark whole."""
        return self.inner.salvage(attempt_id)

    def sweep(self, before: datetime) -> int:
        """Remove descriptions that dead writers left."""
        return self.inner.sweep(before)

    def has_room(self, byte_count: int) -> bool:
        """Return whether the disk can take `byte_count` more."""
        return self.inner.has_room(byte_count)


@dataclass(frozen=True, slots=True)
class Adopting:
    """The asset store; an image that only stands in for itself was adopted when its reply was complete.

    `adopted` finds it by the bytes that stand in for it; it is None for other bytes, and raises what kept the
    image from being stored.
    """

    inner: AdoptingAssets
    adopted: Callable[[bytes], StoredImage | None]

    async def put(self, workspace: str, content: bytes) -> StoredImage:
        """Store an image, without copying it where the spool has it.

        Raises:
            UnreadableReference: Not a PNG, JPEG or WebP, or too large to decode safely.
        """
        found = self.adopted(content)
        return await self.inner.put(workspace, content) if found is None else found

    async def put_reference(self, workspace: str, content: bytes, *, field: str) -> StoredImage:
        """Store a reference, cleaned."""
        return await self.inner.put_reference(workspace, content, field=field)

    async def read(self, workspace: str, sha256: str) -> bytes:
        """Return the bytes."""
        return await self.inner.read(workspace, sha256)

    def find(self, workspace: str, sha256: str) -> StoredImage | None:
        """Return what is stored under `sha256`, or None."""
        return self.inner.find(workspace, sha256)

    def sweep(self, before: datetime) -> int:
        """Remove drafts that dead writers left."""
        return self.inner.sweep(before)

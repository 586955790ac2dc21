"""A spool of one file, for tests that send."""

import hashlib
from pathlib import Path

from keeprate.workflows.ports import Reply


class OneFile:
    """Keeps what was written and how it ended. Fits the port `SpoolFile`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "reply"
        self.path.write_bytes(b"")
        self.slices: list[int] = []
        self.ended: str | None = None

    def write(self, data: bytes) -> None:
        self.slices.append(len(data))
        with self.path.open("ab") as file:
            file.write(data)

    def complete(self, *, content_type: str, served_tier: str | None, request_id: str | None) -> Reply:
        self.ended = "complete"
        return Reply(
            body_path=self.path,
            sha256=hashlib.sha256(self.path.read_bytes()).hexdigest(),
            content_type=content_type,
            served_tier=served_tier,
            request_id=request_id,
        )

    def abandon(self) -> None:
        self.ended = "abandoned"


class FullDisk(OneFile):
    """Refuses the first byte."""

    def write(self, data: bytes) -> None:
        raise OSError(28, "No space left on device")


class DyingDisk(OneFile):
    """Takes what is written and fails when it is to be flushed, one way or the other."""

    def complete(self, *, content_type: str, served_tier: str | None, request_id: str | None) -> Reply:
        raise OSError(5, "Input/output error")

    def abandon(self) -> None:
        raise OSError(5, "Input/output error")

"""What was really drawn, for tests to compare with what a check found. Kept on disk like the bill."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from keeprate_emulator.flaws import Flaw


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """One picture. `drawn` false means that a template without words stood in (`--draw fast`)."""

    response_id: str
    sha256: str
    model: str
    mime: str
    label: str
    width: int
    height: int
    drawn: bool
    wanted_labels: tuple[str, ...]
    drawn_labels: tuple[str, ...]
    references: int
    flaws: tuple[Flaw, ...]


class Truths:
    """Found again by response id or by the hash of the picture's bytes; only their places are held in memory."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "truth.jsonl"
        self._places: dict[str, tuple[int, int]] = {}
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._end = 0
        for line in self._path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                self._keep(msgspec.json.decode(line, type=Truth), len(line))
        # The torn end of a write that a kill cut short would run into the next line.
        os.ftruncate(self._file, self._end)

    def tell(self, truth: Truth) -> None:
        """Note down a picture."""
        line = msgspec.json.encode(truth) + b"\n"
        os.write(self._file, line)
        self._keep(truth, len(line))

    def about(self, name: str) -> Truth | None:
        """Return the truth about a response id or a SHA-256 in hex."""
        place = self._places.get(name)
        if place is None:
            return None
        return msgspec.json.decode(os.pread(self._file, place[1], place[0]), type=Truth)

    def clear(self) -> None:
        """Forget everything, on disk too."""
        self._places.clear()
        os.ftruncate(self._file, 0)
        self._end = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _keep(self, truth: Truth, length: int) -> None:
        self._places[truth.response_id] = self._places[truth.sha256] = (self._end, length)
        self._end += length

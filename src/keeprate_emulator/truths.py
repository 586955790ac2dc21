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
    """Found again by response id or by the hash of the picture's bytes."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "truth.jsonl"
        self._known: dict[str, Truth] = {}
        if self._path.exists():
            for line in self._path.read_bytes().splitlines(keepends=True):
                if line.endswith(b"\n"):
                    self._keep(msgspec.json.decode(line, type=Truth))
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(self, truth: Truth) -> None:
        """Note down a picture."""
        os.write(self._file, msgspec.json.encode(truth) + b"\n")
        self._keep(truth)

    def about(self, name: str) -> Truth | None:
        """Return the truth about a response id or a SHA-256 in hex."""
        return self._known.get(name)

    def clear(self) -> None:
        """Forget everything, on disk too."""
        self._known.clear()
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _keep(self, truth: Truth) -> None:
        self._known[truth.response_id] = truth
        self._known[truth.sha256] = truth

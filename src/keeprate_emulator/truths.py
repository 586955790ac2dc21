"""What was really drawn, for tests to compare with what a check found. Kept on disk like the bill."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from keeprate_emulator.flaws import Flaw
from keeprate_emulator.journal import Journal


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
    """`truth.jsonl`, found again by response id or by the hash of the picture; memory holds places only."""

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder / "truth.jsonl")
        self._places: dict[str, tuple[int, int]] = {}

    def tell(self, truth: Truth) -> None:
        """Note down a picture."""
        self._journal.append(msgspec.json.encode(truth))

    def about(self, name: str) -> Truth | None:
        """Return the truth about a response id or a SHA-256 in hex."""
        emptied, lines = self._journal.news()
        if emptied:
            self._places.clear()
        for place, line in lines:
            truth = msgspec.json.decode(line, type=Truth)
            self._places[truth.response_id] = self._places[truth.sha256] = (place, len(line))
        if name not in self._places:
            return None
        return msgspec.json.decode(self._journal.line_at(*self._places[name]), type=Truth)

    def clear(self) -> None:
        """Forget everything, on disk too."""
        self._journal.clear()

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

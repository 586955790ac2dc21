"""The referee's book: every accepted call, on disk before the answer's first byte.

One JSON line per call in `bill.jsonl`, written by a single write to an append-only file: it survives the death of
this process at any instant. It is not fsynced: power loss is not among the things that the emulator referees.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from keeprate_emulator.prices import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class BillRow:
    """One accepted call. `call_no` counts from 1; `images` are the pictures sent; `fault` is what was done wrong."""

    call_no: int
    response_id: str
    surface: str
    model: str
    served_model: str
    method: str
    size: str
    lane: str
    outcome: str
    fault: str
    images: int
    nano_usd: int
    usage: Tokens
    key_hash: str
    client_request_id: str
    request_hash: str
    accepted_at: str


class Bill:
    """Append-only and replayed at start."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "bill.jsonl"
        self._rows = _replayed(self._path)
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @property
    def next_call_no(self) -> int:
        """The number of the call that is accepted next."""
        return len(self._rows) + 1

    def record(self, row: BillRow) -> None:
        """Put a call on the bill; when this returns, killing the process does not lose it."""
        os.write(self._file, msgspec.json.encode(row) + b"\n")
        self._rows.append(row)

    def rows(self, *, offset: int = 0, limit: int | None = None, since: str = "") -> tuple[BillRow, ...]:
        """Return rows in the order of acceptance. `since` is an RFC 3339 time, inclusive."""
        chosen = [row for row in self._rows if row.accepted_at >= since] if since else self._rows
        return tuple(chosen[offset : None if limit is None else offset + limit])

    def summary(self) -> Mapping[str, object]:
        """Return totals, without the rows."""
        return {
            "accepted_calls": len(self._rows),
            "total_nano_usd": sum(row.nano_usd for row in self._rows),
            "images": sum(row.images for row in self._rows),
            "outcomes": dict(Counter(row.outcome for row in self._rows)),
            "models": dict(Counter(row.served_model for row in self._rows)),
        }

    def clear(self) -> None:
        """Forget every call, on disk too."""
        self._rows.clear()
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _replayed(path: Path) -> list[BillRow]:
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        # A death inside the write: the call was never answered, and its line would corrupt the next one.
        torn = lines.pop()
        os.truncate(path, path.stat().st_size - len(torn))
    return [msgspec.json.decode(line, type=BillRow) for line in lines]

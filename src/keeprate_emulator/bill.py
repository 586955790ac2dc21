"""The referee's book: every accepted call, on disk before the answer's first byte."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from keeprate_emulator.journal import Journal
from keeprate_emulator.prices import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class BillRow:
    """One accepted call. `images` are the pictures sent; `fault` is what was done wrong."""

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
    searches: int = 0


class Bill:
    """`bill.jsonl` in the state folder, one line a call."""

    def __init__(self, folder: Path) -> None:
        self._journal = Journal(folder / "bill.jsonl")
        self._known: list[BillRow] = []

    def record(self, row: BillRow) -> None:
        """Put a call on the bill; when this returns, killing the process does not lose it."""
        self._journal.append(msgspec.json.encode(row))

    def rows(self) -> list[BillRow]:
        """Return every row in the order of acceptance; the first is call number 1."""
        emptied, lines = self._journal.news()
        if emptied:
            self._known.clear()
        self._known += [msgspec.json.decode(line, type=BillRow) for _, line in lines]
        return self._known

    def page(self, *, offset: int = 0, limit: int | None = None, since: str = "") -> list[dict[str, object]]:
        """Return rows with their `call_no`. `since` is an RFC 3339 time, inclusive."""
        numbered = enumerate(self.rows(), start=1)
        chosen = [(number, row) for number, row in numbered if row.accepted_at >= since]
        last = None if limit is None else offset + limit
        return [{"call_no": number, **msgspec.to_builtins(row)} for number, row in chosen[offset:last]]

    def summary(self) -> Mapping[str, object]:
        """Return totals, without the rows."""
        rows = self.rows()
        return {
            "accepted_calls": len(rows),
            "total_nano_usd": sum(row.nano_usd for row in rows),
            "images": sum(row.images for row in rows),
            "outcomes": dict(Counter(row.outcome for row in rows)),
            "models": dict(Counter(row.served_model for row in rows)),
        }

    def searches_in(self, month: str) -> int:
        """Return how many searches were made in a month such as "2026-11"."""
        return sum(row.searches for row in self.rows() if row.accepted_at.startswith(month))

    def clear(self) -> None:
        """Forget every call, on disk too."""
        self._journal.clear()

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

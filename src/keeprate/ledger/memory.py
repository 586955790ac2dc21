"""What a writer remembers of the ledger between two commits, and how it knows that it still holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keeprate.domain.budgets import Budget
from keeprate.domain.outcomes import AttemptState
from keeprate.ledger.books import BookId, Books, Brake, Changes, Line, Sums, WindowId
from keeprate.ledger.rows import AnyRow

# Windows end and new ones begin: a memory that has grown past this starts afresh.
MOST_WINDOWS: Final = 256
UNDER_WAY: Final = frozenset({AttemptState.INTENT, AttemptState.SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class BookMemory:
    """A book as it was left: right as long as its row still says `change_no`."""

    change_no: int
    budgets: Sequence[Budget]
    brake: Brake | None
    windows: Mapping[WindowId, Sums]


class Memory:
    """Open rows this process wrote, and books as it left them.

    Nothing here is needed: it saves reading. A book that somebody else changed has another number. A row
    never comes back to a state and owner it had, so one that stands where it was left is the row left.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._lines: dict[str, Line] = {}
        self._books: dict[BookId, BookMemory] = {}

    def lines_of(self, ids: Iterable[str]) -> list[Line]:
        """Return those of `ids` this process wrote, wherever they may stand by now."""
        return [self._lines[one] for one in ids if one in self._lines]

    def lines_as_they_stand(self, where: Iterable[AnyRow]) -> dict[str, Line]:
        """Return the lines that still stand as they were left."""
        found: dict[str, Line] = {}
        for row in where:
            line = self._lines.get(row.id)
            if line and line.attempt.state == row.state and line.attempt.new.owner == row.owner:
                found[row.id] = line
        return found

    def book(self, book: BookId, change_no: int) -> BookMemory | None:
        """Return the book, if nobody changed it since."""
        known = self._books.get(book)
        return known if known and known.change_no == change_no else None

    def learn(self, before: Books, changes: Changes) -> None:
        """Remember what was just committed, and forget what was closed."""
        for lines in (changes.created, changes.changed):
            for attempt_id, line in lines.items():
                # An unknown may wait for weeks: its row is read again when its time comes.
                if line.attempt.state in UNDER_WAY:
                    self._lines[attempt_id] = line
                else:
                    self._lines.pop(attempt_id, None)
        for book in changes.books:
            self._books[book] = BookMemory(
                change_no=before.change_no[book] + 1,
                budgets=before.budgets.get(book, ()),
                brake=changes.brakes.get(book) or before.brakes.get(book),
                windows=self._windows(book, before, changes),
            )

    def _windows(self, book: BookId, before: Books, changes: Changes) -> Mapping[WindowId, Sums]:
        ours = {budget.id for budget in before.budgets.get(book, ())}
        new = {one: sums for one, sums in changes.windows.items() if _within(one, book, ours)}
        if len(before.windows) > MOST_WINDOWS:
            return new
        return {one: sums for one, sums in before.windows.items() if _within(one, book, ours)} | new


def _within(window: WindowId, book: BookId, ours: set[str]) -> bool:
    return window.workspace == book.workspace and window.budget_id in ours

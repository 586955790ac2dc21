"""The part of the ledger a batch of commands touches, as values, and what the batch changes in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from keeprate.domain.attempts import Attempt
from keeprate.domain.budgets import Budget
from keeprate.domain.errors import KeeprateError
from keeprate.domain.money import NanoUSD
from keeprate.ledger.commands import Command, Intend
from keeprate.ledger.moments import micros, window_start


class BookId(NamedTuple):
    """Real and simulated money of a workspace are two books that never meet."""

    workspace: str
    simulated: bool


class WindowId(NamedTuple):
    """One window of one cap."""

    workspace: str
    budget_id: str
    starts_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a window counts."""

    spent: NanoUSD
    held: NanoUSD


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An attempt's row, and the moment its money is booked for: its windows for good."""

    attempt: Attempt
    booked_us: int

    @property
    def book(self) -> BookId:
        """Return the book the row stands in."""
        return BookId(self.attempt.new.key.workspace, self.attempt.new.simulated)


class EntryKind(StrEnum):
    """Each attempt has one hold and, once it is closed, one entry that closes it.

    Where what was booked was a guess, a further one sets it right when the bill is known, and another one
    that, should a person have read the bill wrongly.
    """

    HOLD = "hold"
    CLOSE = "close"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A move between three accounts: what may be held, what is held, what is spent. Sums to zero.

    `entry_no` counts the entries of the attempt, from 0.
    """

    line: Line
    kind: EntryKind
    entry_no: int
    at_us: int
    available: int
    held: int
    spent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """Why no new hold is taken in a book until a person says go on."""

    id: str
    book: BookId
    reason: str
    attempt_id: str | None
    raised_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What a batch needs to know: the rows it names, and caps, clocks and brakes of their books.

    `corrections` counts how often each attempt that is to be reconciled was set right before.
    """

    lines: Mapping[str, Line]
    budgets: Mapping[BookId, Sequence[Budget]]
    windows: Mapping[WindowId, Sums]
    latest_us: Mapping[BookId, int]
    brakes: Mapping[BookId, Brake]
    change_no: Mapping[BookId, int]
    corrections: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True, kw_only=True)
class Changes:
    """What a batch writes. `results` answer its commands in order, each with its own row or error."""

    results: list[Attempt | KeeprateError] = field(default_factory=list["Attempt | KeeprateError"])
    created: dict[str, Line] = field(default_factory=dict[str, Line])
    changed: dict[str, Line] = field(default_factory=dict[str, Line])
    entries: list[Entry] = field(default_factory=list[Entry])
    windows: dict[WindowId, Sums] = field(default_factory=dict[WindowId, Sums])
    latest_us: dict[BookId, int] = field(default_factory=dict[BookId, int])
    brakes: dict[BookId, Brake] = field(default_factory=dict[BookId, Brake])

    @property
    def books(self) -> set[BookId]:
        """Return the books in which money moved."""
        return {entry.line.book for entry in self.entries}


def binding(budgets: Iterable[Budget], api_key: str | None) -> list[Budget]:
    """Return the caps that bind an attempt of `api_key`: the workspace's, and the key's own.

    A key called "a/b" stands for the end user "b" of key "a", whose caps bind it, too.
    """
    return [budget for budget in budgets if budget.key is None or is_within(api_key, budget.key)]


def is_within(api_key: str | None, key: str) -> bool:
    """Return whether `api_key` is `key` or stands for one of its end users."""
    return api_key is not None and (api_key == key or api_key.startswith(f"{key}/"))


def windows_touched(
    commands: Iterable[Command],
    lines: Mapping[str, Line],
    *,
    budgets: Mapping[BookId, Sequence[Budget]],
    latest_us: Mapping[BookId, int],
) -> set[WindowId]:
    """Return every window a fold over `commands` may read or change, whatever it accepts."""
    moments: dict[BookId, set[int]] = {}
    callers: dict[BookId, set[str | None]] = {}
    for command in commands:
        line = lines.get(command.attempt_id)
        if line is not None:
            moments.setdefault(line.book, set()).add(line.booked_us)
            callers.setdefault(line.book, set()).add(line.attempt.new.api_key)
        elif isinstance(command, Intend):
            new = command.new
            book = BookId(new.key.workspace, new.simulated)
            # Money is booked for the latest moment any hold had, whoever's it was, and that may be this one's.
            times = moments.setdefault(book, set())
            times.update({latest_us.get(book, 0), micros(new.created_at)})
            callers.setdefault(book, set()).add(new.api_key)
    return {
        WindowId(book.workspace, budget.id, window_start(budget.window, at))
        for book, times in moments.items()
        for caller in callers[book]
        for budget in binding(budgets.get(book, ()), caller)
        for at in times
    }

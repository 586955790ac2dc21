"""One thread per process writes the ledger, many callers to a commit.

While a commit is under way further commands queue up and share the next one, so the price of a flush to
disk is split among all who wait for it, and a lone caller does not wait for company.

A caller that is cancelled leaves its command in the queue: it is carried out once, and the row says so.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from sqlalchemy import Connection

from keeprate.database.engine import Database, is_bad_value, is_lost_race
from keeprate.domain.attempts import Attempt
from keeprate.domain.errors import KeeprateError, StorageError
from keeprate.ledger import commands
from keeprate.ledger.books import Books, Changes
from keeprate.ledger.fold import fold
from keeprate.ledger.loading import load
from keeprate.ledger.memory import Memory
from keeprate.ledger.owners import BEAT_S, Owner
from keeprate.ledger.saving import save
from keeprate.safety.failpoints import failpoint

# Enough to split a flush well; few enough that other processes get their turn within milliseconds.
LARGEST_BATCH: Final = 256
# Lost races are rare, as writers take turns; that often in a row they are a fault.
MOST_RACES: Final = 8
# What a caller's wrong value raises (a naive datetime, a number beyond 64 bits): its own command fails,
# the thread lives on.
MISTAKES: Final = (ArithmeticError, LookupError, TypeError, ValueError)

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """Somebody who waits for an answer, in the event loop they wait in."""

    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[object]"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked(_Waiting):
    command: commands.Command


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errand(_Waiting):
    """Work of another kind, alone in its transaction."""

    work: Callable[[Connection], object]


class Writer:
    """The queue in front of the ledger, and the thread behind it."""

    def __init__(self, database: Database, owner: Owner) -> None:
        """Start the thread."""
        self._database = database
        self._owner = owner
        self._queue: queue.SimpleQueue[_Asked | _Errand | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._taken: list[_Asked | _Errand] = []
        self._memory = Memory()
        # A daemon: what was acknowledged is on disk, and a forgotten `close` must not hang the program.
        self._thread = threading.Thread(target=self._run, name="keeprate-ledger", daemon=True)
        self._thread.start()

    async def carry_out(self, command: commands.Command) -> Attempt:
        """Return the row after `command`, durably committed.

        Raises:
            KeeprateError: The command was refused, and nothing of it was written.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        self._put(_Asked(loop=loop, future=future, command=command))
        return cast("Attempt", await future)

    async def run(self, work: Callable[[Connection], Done]) -> Done:
        """Return what `work` returns, in a write transaction of its own."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        done: list[Done] = []
        self._put(_Errand(loop=loop, future=future, work=lambda connection: done.append(work(connection))))
        await future
        return done[-1]

    def _put(self, item: _Asked | _Errand) -> None:
        if self._closed.is_set():
            raise _stopped()
        self._queue.put(item)

    def close(self) -> None:
        """Finish what was asked, then stop."""
        if not self._closed.is_set():
            self._closed.set()
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._serve()
        finally:
            # Whoever still waits, after `close` or after a fault of ours, must not wait for ever.
            self._closed.set()
            self._refuse_the_rest()

    def _serve(self) -> None:
        next_beat = time.monotonic() + BEAT_S
        while True:
            try:
                item = self._queue.get(timeout=max(0.0, next_beat - time.monotonic()))
            except queue.Empty:
                next_beat = self._beat()
                continue
            if item is None:
                return
            self._take(item)
            if time.monotonic() >= next_beat:
                next_beat = self._beat()

    def _beat(self) -> float:
        try:
            self._owner.beat()
        except StorageError:
            # The next write will tell a caller; a missed beat only matters if many follow.
            return time.monotonic() + 1.0
        return time.monotonic() + BEAT_S

    def _take(self, first: _Asked | _Errand) -> None:
        following: _Asked | _Errand | None = first
        while following is not None:
            if isinstance(following, _Errand):
                self._taken = [following]
                self._run_errand(following)
                following = None
            else:
                batch, following = self._batch(following)
                self._taken = [*batch, following] if following else [*batch]
                _deliver(batch, self._results(batch))
        self._taken = []

    def _batch(self, first: _Asked) -> tuple[list[_Asked], _Errand | None]:
        batch = [first]
        while len(batch) < LARGEST_BATCH:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                self._queue.put(None)
                break
            if isinstance(item, _Errand):
                return batch, item
            batch.append(item)
        return batch, None

    def _results(self, batch: Sequence[_Asked]) -> Sequence[Attempt | Exception]:
        try:
            return self._commit([item.command for item in batch])
        except StorageError as error:
            if len(batch) == 1 or not is_bad_value(error.__cause__):
                return [_as_storage_error(error) for _ in batch]
        except MISTAKES as error:
            if len(batch) == 1:
                return [_told(error)]
        # One value cannot be written (a NUL in a prompt, say): only its own caller shall hear so.
        return [result for item in batch for result in self._results([item])]

    def _commit(self, batch: Sequence[commands.Command]) -> Sequence[Attempt | KeeprateError]:
        def write(connection: Connection) -> tuple[Books, Changes]:
            before = load(connection, batch, self._memory)
            changes = fold(before, batch)
            save(connection, before, changes)
            for command in batch:
                failpoint(BEFORE[type(command)])
            return before, changes

        before, changes = self._retried(write)
        self._memory.learn(before, changes)
        try:
            for command in batch:
                failpoint(AFTER[type(command)])
        except OSError as error:
            raise _as_storage_error(error) from error
        return changes.results

    def _run_errand(self, errand: _Errand) -> None:
        try:
            result = self._retried(errand.work)
        except (KeeprateError, *MISTAKES) as error:
            _deliver([errand], [_told(error)])
        else:
            _deliver([errand], [result])

    def _retried(self, work: Callable[[Connection], Done]) -> Done:
        for _ in range(MOST_RACES):
            try:
                return self._in_one_commit(work)
            except StorageError as error:
                if not is_lost_race(error.__cause__):
                    raise
        return self._in_one_commit(work)

    def _in_one_commit(self, work: Callable[[Connection], Done]) -> Done:
        try:
            with self._database.write() as connection:
                result = work(connection)
                failpoint("ledger.writer.before_commit")
            failpoint("ledger.writer.after_commit")
        except OSError as error:
            raise _as_storage_error(error) from error
        return result

    def _refuse_the_rest(self) -> None:
        waiting = self._taken
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is not None:
                waiting.append(item)
        _deliver(waiting, [_stopped() for _ in waiting])


def _deliver(waiting: Sequence[_Waiting], results: Sequence[object]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[object], object]]] = {}
    for one, result in zip(waiting, results, strict=True):
        by_loop.setdefault(one.loop, []).append((one.future, result))
    for loop, answers in by_loop.items():
        # One wake-up per batch. A loop that has gone has nobody left to tell.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_answer, answers)


def _answer(answers: Sequence[tuple["asyncio.Future[object]", object]]) -> None:
    for future, result in answers:
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _as_storage_error(error: Exception) -> StorageError:
    if isinstance(error, StorageError):
        # A new one for each caller: an exception that several raise mixes up their traces.
        return StorageError(error.message, field=error.field, value=error.value, remedy=error.remedy)
    return StorageError(
        f"the ledger could not be written: {error}",
        field="database_url",
        remedy="see that the disk has room, then try again",
    )


def _told(error: Exception) -> Exception:
    # A number or a text the database cannot hold is its refusal; any other mistake is the caller's own.
    return _as_storage_error(error) if isinstance(error, OverflowError | UnicodeError) else error


def _stopped() -> StorageError:
    return StorageError(
        "the ledger is closed",
        field="ledger",
        remedy="open it again; what was not acknowledged was not written",
    )


BEFORE: Final[Mapping[type, str]] = {
    commands.Intend: "ledger.intend.before_commit",
    commands.Sent: "ledger.sent.before_commit",
    commands.Free: "ledger.free.before_commit",
    commands.Settle: "ledger.settle.before_commit",
    commands.MarkUnknown: "ledger.mark_unknown.before_commit",
    commands.Reconcile: "ledger.reconcile.before_commit",
    commands.Adopt: "ledger.adopt.before_commit",
}
AFTER: Final[Mapping[type, str]] = {
    commands.Intend: "ledger.intend.after_commit",
    commands.Sent: "ledger.sent.after_commit",
    commands.Free: "ledger.free.after_commit",
    commands.Settle: "ledger.settle.after_commit",
    commands.MarkUnknown: "ledger.mark_unknown.after_commit",
    commands.Reconcile: "ledger.reconcile.after_commit",
    commands.Adopt: "ledger.adopt.after_commit",
}

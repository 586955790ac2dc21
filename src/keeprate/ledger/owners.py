"""Who works on an attempt, and whether they still live: only a dead owner's rows are recovered."""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy import BigInteger, Connection, delete, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from keeprate.database.engine import Database
from keeprate.database.locks import LifeLock, is_held
from keeprate.database.schema import owners
from keeprate.safety.failpoints import failpoint

BEAT_S: Final = 5.0
# Six missed beats. A process that was only asleep finds its rows taken and its moves refused.
DEAD_AFTER_US: Final = 30_000_000
# The database's own clock on both sides: machines disagree about the time.
NOW_US: Final = literal_column("(extract(epoch from clock_timestamp()) * 1000000)::bigint", BigInteger)


class Owner(Protocol):
    """This process, as the owner of attempts."""

    @property
    def id(self) -> str:
        """Return the random name it goes by."""
        ...

    def dead(self, connection: Connection, ids: Iterable[str]) -> frozenset[str]:
        """Return those of `ids` that no living process goes by."""
        ...

    def beat(self) -> None:
        """Give a sign of life, where one has to be given again and again."""
        ...

    def close(self) -> None:
        """Leave: whatever is still open may be recovered at once."""
        ...


class FileOwner:
    """On one machine: a file that the kernel keeps locked as long as the process lives."""

    def __init__(self, folder: Path) -> None:
        """Take a fresh name and lock its file in `folder`."""
        self._folder = folder
        self._lock = _fresh_lock(folder)
        failpoint("ledger.owner.after_lock")
        self.id = self._lock.path.stem
        self._sweep()

    def dead(self, connection: Connection, ids: Iterable[str]) -> frozenset[str]:
        """Return those of `ids` whose file is unlocked or gone."""
        del connection
        return frozenset(one for one in ids if one != self.id and not is_held(self._folder / f"{one}.lock"))

    def beat(self) -> None:
        """Do nothing: the lock holds by itself."""

    def close(self) -> None:
        """Unlock and remove the file."""
        self._lock.close()

    def _sweep(self) -> None:
        # A missing file says "dead" as well as an unlocked one, so nothing is lost.
        for path in self._folder.glob("*.lock"):
            if path != self._lock.path and not is_held(path):
                path.unlink(missing_ok=True)


def _fresh_lock(folder: Path) -> LifeLock:
    while True:
        lock = LifeLock(folder / f"{secrets.token_hex(16)}.lock")
        # Another process may have swept the file away between its making and its locking.
        if lock.is_on_disk:
            return lock
        lock.close()


class BeatingOwner:
    """On many machines: a row whose time is renewed every few seconds."""

    def __init__(self, database: Database) -> None:
        """Take a fresh name and give the first sign of life."""
        self.id = secrets.token_hex(16)
        self._database = database
        with database.write() as connection:
            connection.execute(insert(owners).values(id=self.id, beat_us=NOW_US))
            connection.execute(delete(owners).where(owners.c.beat_us < NOW_US - 86_400_000_000))
        failpoint("ledger.owner.after_lock")

    def dead(self, connection: Connection, ids: Iterable[str]) -> frozenset[str]:
        """Return those of `ids` that have been silent too long, left, or never were."""
        asked = set(ids) - {self.id}
        living = select(owners.c.id).where(owners.c.id.in_(asked), owners.c.beat_us >= NOW_US - DEAD_AFTER_US)
        return frozenset(asked - set(connection.scalars(living)))

    def beat(self) -> None:
        """Renew the row."""
        with self._database.write() as connection:
            connection.execute(
                insert(owners)
                .values(id=self.id, beat_us=NOW_US)
                .on_conflict_do_update(index_elements=["id"], set_={"beat_us": NOW_US})
            )

    def close(self) -> None:
        """Remove the row."""
        with self._database.write() as connection:
            connection.execute(delete(owners).where(owners.c.id == self.id))

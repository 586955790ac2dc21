"""A database by its URL: SQLite in a file or PostgreSQL, opened safely and brought to the newest schema.

Writers take turns, readers never wait for them. On SQLite a lock file gives the turns: left to themselves,
several processes poll each other and meet "database is locked".
"""

import asyncio
import contextlib
import importlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from keeprate.database.drivers import SqliteDriver, require_postgres, sqlite_driver
from keeprate.database.locks import WriteLock, refuse_network_disk
from keeprate.database.schema import HEAD
from keeprate.domain.errors import ConfigError, StorageError

READERS: Final = 4
# Only another program (a backup, a shell) can hold our file while we have the turn: wait for it.
BUSY_TIMEOUT_S: Final = 60
# Alembic doubles the time it takes to open a home, so it is loaded only when there is work for it.
MIGRATE: Final = "keeprate.database.migrate"

Read = TypeVar("Read")


class Database:
    """An open database. Threads may share it; `close` when done."""

    def __init__(self, url: URL, *, driver: SqliteDriver | None) -> None:
        """Prepare connections; nothing is opened until it is used."""
        self.url = url
        self.driver = driver
        self._lock = None if driver is None else WriteLock(Path(f"{url.database}-lock"))
        self._writing = _sqlite_engine(url, driver, for_reading=False) if driver else _postgres_engine(url)
        self._reading = _sqlite_engine(url, driver, for_reading=True) if driver else _postgres_reader(url)
        self._closed = False
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="keeprate-read")

    @property
    def is_sqlite(self) -> bool:
        """Return whether this is a file of this machine."""
        return self.driver is not None

    @contextlib.contextmanager
    def write(self) -> Generator[Connection]:
        """Give a transaction that may write; it commits at the end and is durable then.

        Raises:
            StorageError: The database refused; nothing was written.
        """
        with self._turn(), _told_apart(), self._writing.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Generator[Connection]:
        """Give a read-only view of one moment.

        Raises:
            StorageError: The database refused.
        """
        with self._calm(), _told_apart(), self._reading.begin() as connection:
            yield connection

    async def reading(self, work: Callable[[Connection], Read]) -> Read:
        """Return what `work` reads, without holding up the event loop or a writer.

        Raises:
            StorageError: The database refused, or is closed.
        """
        if self._closed:
            raise StorageError("the database is closed", field="database_url", remedy="open it again")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read_with, work)

    def _read_with(self, work: Callable[[Connection], Read]) -> Read:
        with self.read() as connection:
            return work(connection)

    def _turn(self) -> contextlib.AbstractContextManager[None]:
        return self._lock.exclusive() if self._lock else contextlib.nullcontext()

    def _calm(self) -> contextlib.AbstractContextManager[None]:
        # Without a write-ahead log a reader and a committing writer would refuse each other.
        if self._lock and self.driver and not self.driver.is_wal_safe:
            return self._lock.shared()
        return contextlib.nullcontext()

    def close(self) -> None:
        """Close all connections; closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._threads.shutdown()
        # The last SQLite connection folds the log into the file: that, too, needs the turn.
        with self._turn():
            self._reading.dispose()
            self._writing.dispose()
        if self._lock:
            self._lock.close()


def open_database(url: str) -> Database:
    """Open the database at `url` and migrate it; several processes may do so at once.

    Raises:
        ConfigError: Not an address this build can open, or a disk that cannot be trusted.
        StorageError: It cannot be reached or written.
    """
    address, driver = _address(url)
    with contextlib.ExitStack() as undo:
        database = Database(address, driver=driver)
        undo.callback(database.close)
        _bring_up_to_date(database)
        undo.pop_all()
    return database


def _address(url: str) -> tuple[URL, SqliteDriver | None]:
    try:
        address = make_url(url)
    except ArgumentError:
        raise _bad_url(url, "is not a database address") from None
    match address.get_backend_name():
        case "sqlite":
            if address.database in {None, "", ":memory:"}:
                raise _bad_url(url, "names no file")
            file = Path(str(address.database)).absolute()
            refuse_network_disk(file.parent)
            return address.set(drivername="sqlite+pysqlite", database=str(file)), sqlite_driver()
        case "postgresql":
            require_postgres()
            return address.set(drivername="postgresql+psycopg"), None
        case other:
            raise _bad_url(url, f"is for {other}, which is not supported")


def _bad_url(url: str, why: str) -> ConfigError:
    shown = url.rsplit("@", maxsplit=1)[-1]  # a password stands before the @
    return ConfigError(
        f"database_url {shown!r} {why}",
        field="database_url",
        value=shown,
        remedy="write sqlite:////folder/keeprate.sqlite3 or postgresql://user:password@host/name",
    )


def _bring_up_to_date(database: Database) -> None:
    with database.write() as connection:
        if database.is_sqlite:
            # The turn is ours, so no other process of ours is in the middle of the same.
            revision = _revision(connection)
        else:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('keeprate.migrations'))")
            revision = _revision(connection)
        if revision != HEAD:
            importlib.import_module(MIGRATE).upgrade(connection, revision)


def _revision(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _sqlite_engine(url: URL, driver: SqliteDriver, *, for_reading: bool) -> Engine:
    engine = create_engine(
        url,
        module=driver.module,
        poolclass=QueuePool,
        pool_size=READERS if for_reading else 1,
        max_overflow=0,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    begin = "BEGIN" if for_reading else "BEGIN IMMEDIATE"
    pragmas = (
        f"PRAGMA journal_mode={driver.journal_mode}",
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
        *(("PRAGMA query_only=ON",) if for_reading else ()),
    )

    def prepare(raw: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # The driver's own idea of when to begin is replaced by ours, below.
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", start)
    return engine


def _postgres_engine(url: URL) -> Engine:
    return create_engine(url, pool_size=2, max_overflow=2, pool_pre_ping=True)


def _postgres_reader(url: URL) -> Engine:
    return create_engine(
        url,
        pool_size=READERS,
        max_overflow=0,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )


@contextlib.contextmanager
def _told_apart() -> Generator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise storage_error(error) from error


def is_lost_race(error: BaseException | None) -> bool:
    """Return whether another writer was first and the same work may simply be done again."""
    state: object = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return state in {"40001", "40P01", "23505"}


def is_bad_value(error: BaseException | None) -> bool:
    """Return whether the database refused what it was given, rather than being unable to write."""
    return isinstance(error, StatementError) and not isinstance(error, OperationalError | InternalError)


def storage_error(error: SQLAlchemyError) -> StorageError:
    """Return what a database said as an error of ours, without the statement or its values."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return StorageError(
        f"the database refused: {said[0] if said else type(error).__name__}",
        field="database_url",
        remedy="see that the disk has room and the database can be reached, then try again",
    )

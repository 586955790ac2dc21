"""Which driver speaks to the database. One SQLite per process: two copies break each other's locks."""

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from keeprate.domain.errors import ConfigError

# Two connections to a write-ahead log can lose a commit before this release. Back-ports to older branches
# exist; none was verified here, so they get the slower journal, which is safe.
# Source: https://sqlite.org/releaselog/3_51_3.html and https://sqlite.org/wal.html#walresetbug, read 2026-11-21.
WAL_SAFE_FROM: Final = (3, 51, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteDriver:
    """The module in use and what the SQLite in it may be trusted with."""

    module: ModuleType
    name: str
    version: tuple[int, ...]

    @property
    def is_wal_safe(self) -> bool:
        """Return whether this SQLite keeps a write-ahead log intact with several connections."""
        return self.version >= WAL_SAFE_FROM

    @property
    def journal_mode(self) -> str:
        """Return the journal that is safe here: slower TRUNCATE where WAL is not."""
        return "WAL" if self.is_wal_safe else "TRUNCATE"


def sqlite_driver() -> SqliteDriver:
    """Return the newest SQLite there is: the wheel's where it is installed, else Python's own."""
    name = "pysqlite3" if find_spec("pysqlite3") is not None else "sqlite3"
    module = importlib.import_module(f"{name}.dbapi2")
    return SqliteDriver(module=module, name=name, version=tuple(module.sqlite_version_info))


def require_postgres() -> None:
    """Make sure the PostgreSQL driver is there.

    Raises:
        ConfigError: psycopg is not installed.
    """
    if find_spec("psycopg") is None:
        raise ConfigError(
            "database_url names PostgreSQL but its driver is not installed",
            field="database_url",
            remedy="install keeprate[postgres]",
        )

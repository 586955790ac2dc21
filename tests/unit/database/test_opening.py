"""A database is opened safely or not at all."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, make_url, select

from keeprate.database.drivers import SqliteDriver, sqlite_driver
from keeprate.database.engine import Database, open_database
from keeprate.database.migrate import newest
from keeprate.database.records_schema import metadata
from keeprate.database.schema import HEAD, home_facts
from keeprate.domain.errors import ConfigError, StorageError

FACT = {"workspace_id": "w", "name": "n", "value": "v"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'home' / 'keeprate.sqlite3'}"


def tables(database: Database) -> dict[str, str]:
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: normal(sql) for name, sql in found if name != "alembic_version"}


def normal(sql: str) -> str:
    # Alembic and SQLAlchemy list constraints in another order; what they say is what counts.
    return " ".join(sorted(re.findall(r"[\w']+", sql)))


def test_migrations_lead_to_the_schema_in_the_code(url: str) -> None:
    migrated = open_database(url)
    driver = sqlite_driver()
    made = Database(make_url(url + "-made"), driver=driver)
    with made.write() as connection:
        metadata.create_all(connection)
    try:
        assert tables(migrated) == tables(made)
        assert newest() == HEAD
    finally:
        migrated.close()
        made.close()


def test_opening_again_changes_nothing_and_closing_twice_is_harmless(url: str) -> None:
    for _ in range(2):
        database = open_database(url)
        database.close()
        database.close()
    with pytest.raises(StorageError, match="closed"), database.write():
        pass


def test_many_may_open_an_empty_home_at_once(url: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        opened = list(threads.map(open_database, [url] * 8))
    with opened[0].read() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD
    for database in opened:
        database.close()


def test_money_is_flushed_at_every_commit(url: str) -> None:
    database = open_database(url)
    with database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with database.read() as connection:
        assert (
            connection.exec_driver_sql("PRAGMA journal_mode").scalar() == sqlite_driver().journal_mode.lower()
        )
    database.close()


def test_a_reader_cannot_write(url: str) -> None:
    database = open_database(url)
    with pytest.raises(StorageError, match="readonly"), database.read() as connection:
        connection.execute(insert(home_facts), [FACT])
    database.close()


def test_what_fails_leaves_nothing_behind(url: str) -> None:
    database = open_database(url)
    with pytest.raises(StorageError, match="UNIQUE"), database.write() as connection:
        connection.execute(insert(home_facts), [FACT, FACT | {"name": "other"}, FACT])
    with database.read() as connection:
        assert connection.execute(select(home_facts)).all() == []
    database.close()


@pytest.mark.parametrize(
    ("version", "mode"),
    [((3, 40, 1), "TRUNCATE"), ((3, 51, 2), "TRUNCATE"), ((3, 51, 3), "WAL"), ((3, 53, 4), "WAL")],
)
def test_the_log_that_loses_commits_is_not_used(version: tuple[int, ...], mode: str) -> None:
    driver = replace(sqlite_driver(), version=version)
    assert driver.journal_mode == mode


def test_the_slower_journal_lets_readers_and_writers_through_too(url: str) -> None:
    open_database(url).close()
    old: SqliteDriver = replace(sqlite_driver(), version=(3, 40, 1))
    database = Database(make_url(url), driver=old)
    stop = threading.Event()

    def read() -> int:
        times = 0
        while not stop.is_set():
            with database.read() as connection:
                connection.execute(select(home_facts)).all()
            times += 1
        return times

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        for number in range(50):
            with database.write() as connection:
                connection.execute(insert(home_facts), [FACT | {"name": f"n{number}"}])
        stop.set()
        assert all(reader.result() > 0 for reader in readers)
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "truncate"
        assert len(connection.execute(select(home_facts)).all()) == 50
    database.close()


@pytest.mark.parametrize(
    "wrong", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://me:hush@host/x", "oracle://x"]
)
def test_an_address_that_cannot_be_opened_is_refused_without_its_password(wrong: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        open_database(wrong)
    assert refusal.value.field == "database_url"
    assert refusal.value.remedy
    assert "hush" not in str(refusal.value) + str(refusal.value.value)


def test_a_database_of_a_newer_release_is_left_alone(url: str) -> None:
    database = open_database(url)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(ConfigError, match="9999"):
        open_database(url)


def test_a_file_that_is_no_database_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear database, " * 500)
    with pytest.raises(StorageError, match="not a database"):
        open_database(f"sqlite:///{tmp_path / 'letter.txt'}")


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot lock"):
        open_database(f"sqlite:///{tmp_path / 'home' / 'keeprate.sqlite3'}")

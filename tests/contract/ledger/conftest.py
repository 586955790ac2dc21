"""Each test of this folder runs on SQLite and on PostgreSQL: one contract, two stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeprate.database.engine import Database, open_database
from keeprate.ledger.ledger import SqlLedger, open_ledger


class House:
    """One database, and as many owners in it as a test opens."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home
        self.database: Database = open_database(url)
        self._open: list[SqlLedger] = []

    def open(self) -> SqlLedger:
        ledger = open_ledger(self.database, home=self.home)
        self._open.append(ledger)
        return ledger

    def close(self) -> None:
        for ledger in self._open:
            ledger.close()
        self.database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'keeprate.sqlite3'}"
    else:
        url = request.getfixturevalue("postgres_url")
    house = House(url, tmp_path)
    yield house
    house.close()


@pytest.fixture
def ledger(house: House) -> SqlLedger:
    return house.open()

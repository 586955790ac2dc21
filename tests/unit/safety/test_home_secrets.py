"""A secret of the home's own: the same for all who ask, another in each home, shown to nobody."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from keeprate.safety.home_secrets import home_secret

NAME = "some.secret"


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: home_secret(tmp_path, NAME).reveal(), range(32)))
    assert len(set(found)) == 1
    assert len(found[0]) == 64


def test_each_home_and_each_name_has_its_own(tmp_path: Path) -> None:
    found = {
        home_secret(tmp_path / home, name).reveal()
        for home in ("one", "two")
        for name in (NAME, "other.secret")
    }
    assert len(found) == 4


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    home_secret(tmp_path, NAME)
    assert (tmp_path / NAME).stat().st_mode & 0o077 == 0

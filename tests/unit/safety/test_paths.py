import errno
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keeprate.domain.errors import InvalidValue, StorageError
from keeprate.safety.disks import room, storage_error
from keeprate.safety.failpoints import FAILPOINTS, arm
from keeprate.safety.paths import UNFINISHED, Folder
from tests.trust_counts import count, record
from tests.unit.safety.test_names import HOSTILE

WRITE_SITES = sorted(name for name in FAILPOINTS if name.startswith("paths.write."))


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm("")


def test_a_file_is_written_once_and_never_over_another(tmp_path: Path) -> None:
    with Folder.at(tmp_path / "new" / "place") as folder:
        assert folder.write_once("a.png", b"first")
        assert not folder.write_once("a.png", b"second")
        assert folder.read("a.png") == b"first"
        folder.replace("a.png", b"third")
        assert folder.read("a.png") == b"third"
        assert folder.read("a.png", limit=2) == b"th"
        assert folder.names() == ("a.png",)
        assert folder.remove("a.png")
        assert not folder.remove("a.png")
        assert folder.read("a.png") is None


def test_a_home_is_private_and_a_users_folder_is_not(tmp_path: Path) -> None:
    with Folder.at(tmp_path / "home") as home:
        home.write_once("a", b"")
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "home" / "a").stat().st_mode & 0o777 == 0o600
    with Folder.existing(tmp_path, field="output") as chosen:
        chosen.write_once("b", b"")
    assert (tmp_path / "b").stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "inner"
    with Folder.at(inner) as folder:
        for write in (folder.write_once, folder.replace):
            with pytest.raises(InvalidValue):
                write(name, b"x")
        with pytest.raises(InvalidValue):
            folder.inside(name)
        assert folder.names() == ()
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


def test_a_link_at_the_name_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    inner = tmp_path / "inner"
    with Folder.at(inner) as folder:
        (inner / "a.png").symlink_to(victim)
        assert not folder.write_once("a.png", b"yours")
        with pytest.raises(StorageError):
            folder.read("a.png")
        folder.replace("a.png", b"yours")
    assert victim.read_bytes() == b"mine"
    assert not (inner / "a.png").is_symlink()


def test_a_link_in_place_of_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "aa").symlink_to(tmp_path / "outside")
    with Folder.at(tmp_path / "home") as home, pytest.raises(StorageError):
        home.inside("aa")


@pytest.mark.trust
def test_swapping_a_folder_for_a_link_while_writing_leads_nowhere(tmp_path: Path) -> None:
    """The attacker moves the folder away and puts a link to another place there, over and over."""
    writes = count("symlink-swap", quick=200, full=1_000)
    (tmp_path / "outside").mkdir()
    inner, aside = tmp_path / "inner", tmp_path / "aside"
    inner.mkdir()
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            inner.rename(aside)
            inner.symlink_to(tmp_path / "outside")
            time.sleep(0)
            inner.unlink()
            aside.rename(inner)

    with Folder.at(tmp_path) as home, home.inside("inner") as folder:
        attacker = threading.Thread(target=swap)
        attacker.start()
        try:
            for number in range(writes):
                folder.write_once(f"{number}.png", b"x")
        finally:
            stop.set()
            attacker.join()
    escaped = len(list((tmp_path / "outside").iterdir()))
    record("paths: writes outside the folder under a racing swap", escaped, "0", met=escaped == 0)
    assert escaped == 0
    assert len(list(inner.iterdir())) == writes


def test_a_missing_output_folder_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue) as raised:
        Folder.existing(tmp_path / "nowhere", field="output")
    assert raised.value.field == "output"
    assert str(tmp_path / "nowhere") in raised.value.message


@pytest.mark.parametrize("action", ["enospc", "eio"])
@pytest.mark.parametrize("site", WRITE_SITES)
def test_a_disk_that_fails_at_any_write_leaves_no_torn_file(tmp_path: Path, site: str, action: str) -> None:
    with Folder.at(tmp_path) as folder:
        folder.write_once("kept", b"before")
        arm(f"{site}:{action}")
        with pytest.raises(StorageError) as raised:
            folder.replace("kept", b"after" * 1000)
        assert raised.value.remedy
        assert raised.value.facts["errno"] == action.upper()
        assert folder.read("kept") in {b"before", b"after" * 1000}
        assert folder.names() == ("kept",)
        folder.replace("kept", b"again")
        assert folder.read("kept") == b"again"


def test_drafts_of_dead_writers_are_found_by_age(tmp_path: Path) -> None:
    with Folder.at(tmp_path) as folder:
        (tmp_path / f"{UNFINISHED}old").write_bytes(b"half")
        (tmp_path / f"{UNFINISHED}new").write_bytes(b"half")
        (tmp_path / "done").write_bytes(b"whole")
        old = datetime(2026, 4, 1, tzinfo=UTC)
        os.utime(tmp_path / f"{UNFINISHED}old", (old.timestamp(), old.timestamp()))
        os.utime(tmp_path / "done", (old.timestamp(), old.timestamp()))
        assert folder.unfinished(old + timedelta(hours=1)) == (f"{UNFINISHED}old",)


def test_file_systems_without_hard_links_still_write_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object, **_kwargs: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refused)
    with Folder.at(tmp_path) as folder:
        assert folder.write_once("a", b"first")
        assert not folder.write_once("a", b"second")
        assert folder.read("a") == b"first"


def test_eight_writers_of_one_name_leave_one_whole_file(tmp_path: Path) -> None:
    wrote: list[bool] = []
    contents = [bytes([number]) * 100_000 for number in range(8)]

    def write(content: bytes) -> None:
        with Folder.at(tmp_path) as folder:
            wrote.append(folder.write_once("same", content))

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(wrote) == [False] * 7 + [True]
    assert (tmp_path / "same").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["same"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "full"),
        (errno.EACCES, "not be written"),
        (errno.EIO, "fault"),
        (errno.ENOTDIR, "directory"),
    ],
)
def test_what_a_disk_says_becomes_something_to_do(number: int, said: str) -> None:
    error = storage_error(OSError(number, os.strerror(number)), Path("home/x"))
    assert said in error.message
    assert error.remedy


def test_room_is_told_in_bytes(tmp_path: Path) -> None:
    assert room(tmp_path) > 0
    with pytest.raises(StorageError):
        room(tmp_path / "nowhere")


def _three_hundred_names() -> list[str]:
    ways_out = (
        "../",
        "..\\",
        "/",
        "C:\\",
        "\\\\server\\share\\",
        "．．／",
        "a/../../",
        "./../",
        "\0/",
        "~/../",
    )
    aims = ("passwd", "con", "NUL.png", "x" * 300, "hero.png", "é" * 200)
    endings = ("", ".", " ", ".png", "\0.png")
    return [f"{way}{aim}{ending}" for way in ways_out for aim in aims for ending in endings]


@pytest.mark.trust
def test_three_hundred_names_write_nothing_outside_and_nothing_twice(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    names = _three_hundred_names()
    refused = 0
    with Folder.at(inner) as folder:
        for name in names:
            try:
                folder.write_once(name, b"x")
            except InvalidValue:
                refused += 1
    outside = [path for path in tmp_path.rglob("*") if not path.is_relative_to(inner)]
    record("paths: hostile names written outside their folder", len(outside), "0", met=not outside)
    assert (len(names), refused, outside) == (300, 300, [])
    assert list(inner.iterdir()) == []

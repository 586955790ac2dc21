import errno
import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keeprate.assets.spool import RESERVE_BYTES, DiskSpool, DiskSpoolFile, LeftoverState
from keeprate.domain.errors import Conflict, InvalidValue, StorageError
from keeprate.safety.disks import room
from keeprate.safety.failpoints import FAILPOINTS, arm
from keeprate.workflows.ports import Reply

BODY = b'{"candidates": []}' * 5_000
COMPLETION_SITES = sorted(
    name for name in FAILPOINTS if name.startswith("spool.complete.") and name != "spool.complete.done"
)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[DiskSpool]:
    spool = DiskSpool(tmp_path / "spool")
    yield spool
    arm("")
    spool.close()


def _completed(file: DiskSpoolFile) -> Reply:
    return file.complete(content_type="application/json", served_tier="standard", request_id="r-1")


def _spooled(spool: DiskSpool, attempt_id: str) -> Reply:
    file = spool.begin(attempt_id)
    for at in range(0, len(BODY), 7_000):
        file.write(BODY[at : at + 7_000])
    return _completed(file)


def test_a_whole_reply_is_found_again_by_the_next_process(spool: DiskSpool) -> None:
    reply = _spooled(spool, "a1")
    assert reply.body_path.read_bytes() == BODY
    assert reply.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (reply.content_type, reply.served_tier, reply.request_id) == (
        "application/json",
        "standard",
        "r-1",
    )
    later = DiskSpool(reply.body_path.parent)
    assert later.find("a1") == reply
    assert later.find("a2") is None
    later.close()


def test_a_reply_without_headers_of_interest_is_found_alike(spool: DiskSpool) -> None:
    reply = spool.begin("a1").complete(content_type="", served_tier=None, request_id=None)
    assert spool.find("a1") == reply


def test_a_settled_reply_is_dropped_and_dropping_it_again_does_nothing(
    spool: DiskSpool, tmp_path: Path
) -> None:
    _spooled(spool, "a1")
    spool.discard("a1")
    spool.discard("a1")
    assert spool.find("a1") is None
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_came_of_a_broken_reply_is_kept_and_never_taken_for_whole(spool: DiskSpool) -> None:
    file = spool.begin("a1", expected_bytes=1_000_000)
    file.write(BODY)
    file.abandon()
    file.abandon()
    assert spool.find("a1") is None
    (left,) = spool.leftovers()
    assert (left.attempt_id, left.state, left.bytes_count) == ("a1", LeftoverState.PARTIAL, len(BODY))
    assert left.path.read_bytes() == BODY


def test_a_broken_reply_of_no_bytes_leaves_nothing(spool: DiskSpool) -> None:
    spool.begin("a1", expected_bytes=1_000_000).abandon()
    assert spool.leftovers() == ()


def test_a_second_call_does_not_write_over_what_the_first_left(spool: DiskSpool) -> None:
    for number in range(3):
        file = spool.begin("a1")
        file.write(b"%d" % number)
        file.abandon()
    assert sorted(left.path.read_bytes() for left in spool.leftovers()) == [b"0", b"1", b"2"]
    assert {left.state for left in spool.leftovers()} == {LeftoverState.PARTIAL}


def test_an_attempt_that_has_its_reply_is_not_begun_again(spool: DiskSpool) -> None:
    _spooled(spool, "a1")
    with pytest.raises(Conflict):
        spool.begin("a1")


@pytest.mark.parametrize("change", [b"", b"x", BODY[:-1], BODY + b"\0", BODY[:-1] + b"x"])
def test_a_reply_that_was_changed_is_not_taken_for_whole(spool: DiskSpool, change: bytes) -> None:
    _spooled(spool, "a1").body_path.write_bytes(change)
    assert spool.find("a1") is None
    assert [left.state for left in spool.leftovers()] == [LeftoverState.PARTIAL]


def test_a_description_that_was_changed_makes_nothing_whole(spool: DiskSpool, tmp_path: Path) -> None:
    _spooled(spool, "a1")
    (tmp_path / "spool" / "a1.meta.json").write_bytes(b"{")
    assert spool.find("a1") is None


@pytest.mark.parametrize("action", ["enospc", "eio"])
@pytest.mark.parametrize("site", COMPLETION_SITES)
def test_a_disk_that_fails_while_completing_loses_no_byte(spool: DiskSpool, site: str, action: str) -> None:
    file = spool.begin("a1")
    file.write(BODY)
    arm(f"{site}:{action}")
    with pytest.raises(StorageError):
        _completed(file)
    # What the process does next is a recovery's business; the bytes are there for it, whole or partial.
    file.abandon()
    (left,) = spool.leftovers()
    assert left.path.read_bytes() == BODY
    found = spool.find("a1")
    assert found is None or found.sha256 == hashlib.sha256(BODY).hexdigest()
    assert (found is not None) == (site in {"spool.complete.described", "spool.complete.renamed"})


@pytest.mark.parametrize("site", ["spool.begin.before", "spool.begin.opened"])
def test_a_full_disk_refuses_before_anything_is_bought(spool: DiskSpool, site: str) -> None:
    arm(f"{site}:enospc")
    with pytest.raises(StorageError, match="full"):
        spool.begin("a1")


def test_a_full_disk_while_bytes_come_keeps_those_that_came(spool: DiskSpool) -> None:
    file = spool.begin("a1")
    file.write(b"first")
    arm("spool.write.chunk:enospc:*")
    file.write(b"second")
    with pytest.raises(StorageError):
        _completed(file)
    file.abandon()
    assert spool.leftovers()[0].path.read_bytes() == b"first"


def test_a_disk_that_refuses_once_loses_nothing(spool: DiskSpool) -> None:
    file = spool.begin("a1", expected_bytes=1_000_000)
    arm("spool.write.chunk:eio:2")
    for piece in (b"first", b"second", b"third"):
        file.write(piece)
    reply = _completed(file)
    assert reply.body_path.read_bytes() == b"firstsecondthird"
    assert spool.find("a1") == reply


def test_what_a_killed_writer_left_is_salvaged_without_the_room_it_claimed(
    spool: DiskSpool, tmp_path: Path
) -> None:
    for name, written in (("a1", b"half of it"), ("a2", b"")):
        spool.begin(name, expected_bytes=5_000_000).write(written)
    reply = spool.salvage("a1")
    assert reply is not None
    assert reply.body_path.read_bytes() == b"half of it"
    assert reply.sha256 == hashlib.sha256(b"half of it").hexdigest()
    assert spool.salvage("a2") is None
    assert spool.waiting() == ("a1",)
    assert spool.find("a1") is None
    assert sum(path.stat().st_size for path in (tmp_path / "spool").iterdir()) == len(b"half of it")


@pytest.mark.parametrize("site", ["spool.abandon.before", "spool.discard.before", "spool.discard.emptied"])
def test_failing_to_clear_up_is_said(spool: DiskSpool, site: str) -> None:
    file = spool.begin("a1")
    file.write(b"x")
    arm(f"{site}:eio")
    if site == "spool.abandon.before":
        with pytest.raises(StorageError):
            file.abandon()
    else:
        _completed(file)
        with pytest.raises(StorageError):
            spool.discard("a1")
        assert spool.find("a1") is None or site == "spool.discard.before"


def test_expected_bytes_are_claimed_at_once_and_given_back(
    spool: DiskSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = spool.begin("a1", expected_bytes=5_000_000)
    assert (tmp_path / "spool" / "a1.part").stat().st_blocks * 512 >= 5_000_000
    file.write(BODY)
    assert _completed(file).body_path.stat().st_size == len(BODY)

    def full(_handle: int, _offset: int, _length: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match="full"):
        spool.begin("a2", expected_bytes=5_000_000)
    assert not (tmp_path / "spool" / "a2.part").exists()


def test_room_is_what_the_disk_has_less_a_reserve(spool: DiskSpool, tmp_path: Path) -> None:
    free = room(tmp_path)
    assert spool.has_room(1)
    assert spool.has_room(free - 2 * RESERVE_BYTES)
    assert not spool.has_room(free)


@pytest.mark.parametrize("attempt_id", ["../a", "a/b", "", "con"])
def test_an_attempt_id_is_no_path(spool: DiskSpool, attempt_id: str) -> None:
    for use in (spool.begin, spool.find, spool.discard):
        with pytest.raises(InvalidValue):
            use(attempt_id)


def test_sweeping_takes_old_drafts_and_no_reply(spool: DiskSpool, tmp_path: Path) -> None:
    _spooled(spool, "a1")
    file = spool.begin("a2")
    file.write(BODY)
    draft = tmp_path / "spool" / ".tmp-0000"
    draft.write_bytes(b"{")
    assert spool.sweep(datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert not draft.exists()
    assert {left.attempt_id: left.state for left in spool.leftovers()} == {
        "a1": LeftoverState.COMPLETE,
        "a2": LeftoverState.PARTIAL,
    }
    file.abandon()

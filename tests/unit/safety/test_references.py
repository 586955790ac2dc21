import os
from pathlib import Path

import pytest

from keeprate.domain.errors import InvalidValue, KeeprateError, UnreadableReference
from keeprate.safety.images import MOST_BYTES
from keeprate.safety.references import local_reference

ADDRESSES = (
    "https://example.com/cat.png",
    "http://169.254.169.254/latest/meta-data",
    "HTTP://[::ffff:a9fe:a9fe]/",
    "file:///etc/passwd",
    "ftp://example.com/a.png",
    "data:image/png;base64,AAAA",
    "gs://bucket/cat.png",
    "//example.com/cat.png",
    "javascript:alert(1)",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_refused_and_not_fetched(address: str) -> None:
    with pytest.raises(InvalidValue, match="only files on this machine") as raised:
        local_reference(address)
    assert raised.value.field == "reference"
    assert raised.value.remedy


def test_a_file_is_found(tmp_path: Path) -> None:
    photo = tmp_path / "photo 1.png"
    photo.write_bytes(b"x")
    assert local_reference(str(photo)) == photo


def _refused(text: str) -> KeeprateError:
    with pytest.raises(UnreadableReference) as raised:
        local_reference(text, field="--reference")
    assert raised.value.field == "--reference"
    assert raised.value.remedy
    return raised.value


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    for text in (str(tmp_path / "gone.png"), "", "a\0b", "~no-such-user-here/x.png", "x" * 5000):
        _refused(text)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "folder" in _refused(str(tmp_path)).message


def test_what_would_never_end_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "no ordinary file" in _refused(str(tmp_path / "pipe")).message
    assert "no ordinary file" in _refused("/dev/zero").message


def test_a_file_too_large_is_refused_unread(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "50 MB" in _refused(str(large)).message


@pytest.mark.parametrize("readable", [True, False])
def test_a_file_without_the_right_to_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readable: bool
) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"x")
    # The tests may run as root, whom no mode bits stop.
    monkeypatch.setattr(os, "access", lambda _path, _mode: readable)
    if readable:
        assert local_reference(str(photo)) == photo
    else:
        assert "chmod" in str(_refused(str(photo)).remedy)

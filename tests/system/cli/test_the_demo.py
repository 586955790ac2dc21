"""`keeprate demo`: a story with a picture, which never touches a key or the owner's home."""

import os
from pathlib import Path

import pytest

from tests.system.cli.conftest import Shell


def test_the_demo_never_uses_a_key_or_the_owner_s_ledger(real_shell: Shell) -> None:
    before = real_shell.accepted
    shown = real_shell("demo", "--json")
    assert shown.code == 0
    assert shown.document["result"]["simulated"] is True
    assert shown.document["result"]["upstream"] == "emulator"
    assert real_shell.accepted == before
    assert real_shell("attempts", "--json").document == {"attempts": []}

    home = Path(os.environ["KEEPRATE_HOME"]) / "demo"
    assert Path(shown.document["home"]) == home
    assert Path(shown.document["result"]["file"]).parent == home
    assert shown.document["whence"]["attempt_id"] == shown.document["result"]["attempt_id"]


def test_the_demo_tells_its_story_on_80_columns(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = shell("demo", "--home", "here")
    assert told.code == 0
    assert told.err == ""
    places = [
        told.out.index(word)
        for word in (
            "nothing is spent", "The wish", "The decision", "not chosen", "The purchase", "was charged",
            "The file tells where it comes from", "Now you", "keeprate generate",
        )
    ]  # fmt: skip
    assert places == sorted(places)
    assert max(len(line) for line in told.out.splitlines()) <= 80
    assert Path("here/keeprate.sqlite3").is_file()


def test_the_demo_can_be_seen_again(shell: Shell) -> None:
    first = shell("demo", "--json").document["result"]
    second = shell("demo", "--json").document["result"]
    assert first["attempt_id"] != second["attempt_id"]

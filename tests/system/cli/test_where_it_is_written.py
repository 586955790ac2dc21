"""What becomes of an answer that cannot be shown whole: a full disk, no colours, no talk."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator_process import EmulatorProcess
from tests.system.cli.conftest import Shell

SCRIPT = Path(sys.executable).with_name("keeprate")
FULL = Path("/dev/full")  # Linux: a disk that is always full


def _ran(url: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    with FULL.open("w") as full:
        return subprocess.run(
            [SCRIPT, *arguments],
            env={**os.environ, "KEEPRATE_EMULATOR_URL": url, **environ},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )


@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"], ["--help"], ["--version"]])
def test_an_answer_that_finds_no_room_fails_in_words(arguments: list[str], emulator: EmulatorProcess) -> None:
    done = _ran(emulator.url, *arguments)
    assert done.returncode == 1
    assert "standard output cannot be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_a_purchase_whose_answer_finds_no_room_is_told_all_the_same(
    json: list[str], emulator: EmulatorProcess, tmp_path: Path
) -> None:
    done = _ran(emulator.url, "generate", "a lamp", "-o", str(tmp_path / "lamp.png"), *json)
    assert done.returncode == 1
    assert re.search(r"(?m)^attempt +att_\w+$", done.stderr)
    assert re.search(r"(?m)^charge +\$0\.\d+", done.stderr)
    assert "lamp" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_quiet_purchase_says_file_and_charge_and_no_more(shell: Shell) -> None:
    ran = shell("generate", "a lamp", "-q", "-o", "lamp.png")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["file", "charge", "note"]
    assert "simulated" in ran.out  # nothing is simulated silently
    assert ran.err == ""


def test_no_color_leaves_nothing_but_text(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    for command in (["models"], ["route", "a lamp"], ["doctor"]):
        assert "\x1b" not in shell(*command).out

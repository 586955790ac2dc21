"""Set-up on a stranger's machine: what it says when something is missing, and when it does nothing."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
POISON = "AIza-never-to-be-used"


def _make(*words: str, **surroundings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=ROOT,
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_missing_ensurepip_is_explained(tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError('taken out')\n", encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "requirements/install.py",
            "--env",
            str(tmp_path / "env"),
            "--lock",
            "requirements/core.txt",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (tmp_path / "env").exists()


def test_recipes_never_see_the_keys_of_the_owner() -> None:
    probe = "SHELL_PROBE:\n\t@env"
    keys = dict.fromkeys(
        ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "OPENAI_API_KEY"), POISON
    )
    done = _make("-f", "Makefile", "--eval", probe, "SHELL_PROBE", **keys)
    assert done.returncode == 0, done.stderr
    assert "PATH=" in done.stdout
    assert POISON not in done.stdout


def test_no_test_sees_the_keys_of_the_owner() -> None:
    assert {name for name in os.environ if name.startswith(("GEMINI_", "GOOGLE_", "OPENAI_"))} == set()


def test_make_alone_lists_every_command() -> None:
    listed = _make().stdout
    for target in ("demo", "test", "check", "test-clients", "trust", "bench", "setup"):
        assert f"make {target} " in listed

"""The first page is a program: what it tells a stranger to type works as written, and buys from the emulator."""

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("keeprate")
TUTORIAL = ROOT / "docs" / "tutorial" / "first-image.md"
POISON = "AIza-never-to-be-used"


def _typed(page: Path) -> list[list[str]]:
    """Return every `keeprate` line of a page, as words without the program."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"(?m)^ {4}\.venv/bin/keeprate (.+)$", text)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("page", [ROOT / "README.md", TUTORIAL], ids=lambda page: page.stem)
def test_the_commands_of_the_page_work_in_order(page: Path, tmp_path: Path) -> None:
    commands = _typed(page)
    assert len(commands) >= 2
    again = commands if page.name == "README.md" else []  # a first page is typed more than once
    for words in [*commands, *again]:
        done = subprocess.run([PROGRAM, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    assert (tmp_path / "poster.png").stat().st_size > 10_000


def test_the_library_lines_of_the_readme_work(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"(?s)```python\n(.+?)```", readme)
    imported, _, body = lines.partition("\n\n")
    program = f"{imported}\nimport asyncio\nasync def main():\n{textwrap.indent(body, '    ')}\nasyncio.run(main())\n"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("image ")


def test_the_demo_spends_nothing_with_a_key_lying_about(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"GEMINI_API_KEY={POISON}\n", encoding="utf-8")
    done = subprocess.run(
        [PROGRAM, "demo", "--json"],
        cwd=tmp_path,
        env={**os.environ, "GEMINI_API_KEY": POISON, "GOOGLE_API_KEY": POISON},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert POISON not in done.stdout + done.stderr
    assert '"simulated": true' in json.dumps(json.loads(done.stdout))

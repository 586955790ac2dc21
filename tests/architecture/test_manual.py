"""What the manual must mention: every command, setting, error and decision."""

import re
import subprocess
import sys
from pathlib import Path

from keeprate import settings
from keeprate.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "keeprate"


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_command_is_in_the_reference() -> None:
    page = _page("reference/cli.md")
    assert [command.name for command in COMMANDS if f"## keeprate {command.name}" not in page] == []


def test_every_setting_is_in_the_reference() -> None:
    page = _page("reference/settings.md")
    read = set(
        re.findall(r"\"((?:KEEPRATE|GOOGLE|GEMINI)_[A-Z_]+)\"", Path(settings.__file__).read_text("utf-8"))
    )
    fields = re.findall(r"(?m)^\s+(\w+): ", _struct_body("_UpstreamRow"))
    assert len(read) > 5
    assert len(fields) > 5
    assert [name for name in (*read, *settings._NAMES, *fields) if f"`{name}`" not in page] == []


def _struct_body(name: str) -> str:
    text = Path(settings.__file__).read_text("utf-8")
    return text.split(f"class {name}", maxsplit=1)[1].split("\n\n\n", maxsplit=1)[0]


def test_the_generated_pages_are_what_the_code_says() -> None:
    command = [sys.executable, "docs/generate.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_decision_is_listed_and_has_nygard_s_parts() -> None:
    index = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    decisions = sorted((DOCS / "decisions").glob("0*.md"))
    assert len(decisions) >= 6
    for number, path in enumerate(decisions, start=1):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {number:04}. "), path.name
        assert path.name in index
        for part in ("## Context", "## Decision", "## Rejected", "## Consequences"):
            assert part in text, (path.name, part)


def test_the_readme_opens_with_the_two_commands() -> None:
    opening = (ROOT / "README.md").read_text(encoding="utf-8")[:900]
    assert opening.index("make demo") < opening.index("make test")


def test_every_make_target_the_pages_name_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    named = {
        name
        for page in pages
        for name in re.findall(r"(?m)(?:`|^    )make ([a-z-]+)", page.read_text(encoding="utf-8"))
    }
    assert named - targets == set()


def test_every_map_entry_of_the_architecture_page_exists() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    folders = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or path.is_dir()}
    folders -= {"__init__", "__main__", "__pycache__", "py"}
    assert [name for name in sorted(folders) if not re.search(rf"\b{name}\b", page)] == []

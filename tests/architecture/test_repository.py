"""What must never be committed: machine paths, registry addresses, loose dependencies, generated files."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
# Spelt apart, so that this page does not find itself.
REGISTRIES = re.compile(
    r"pypi\.or" r"g/simple|files\.python" r"hosted|--(?:extra-)?index-u" r"rl[ =]|registry\.npm" r"js"
)
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:ho" r"me|ro" r"ot|Us" r"ers|wo" r"rk)/\w")
LOCKS_WITH_ADDRESSES = {"uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"}


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def _texts() -> list[tuple[str, str]]:
    texts: list[tuple[str, str]] = []
    for path in _tracked():
        content = path.read_bytes()
        if b"\0" not in content[:4096]:
            texts.append((str(path.relative_to(ROOT)), content.decode("utf-8", errors="replace")))
    return texts


def test_no_file_names_a_package_registry() -> None:
    assert [name for name, text in _texts() if REGISTRIES.search(text)] == []


def test_no_file_names_a_path_of_somebody_s_machine() -> None:
    here = str(ROOT)
    assert [name for name, text in _texts() if here in text or MACHINE_PATH.search(text)] == []


def test_no_lock_format_that_writes_addresses() -> None:
    assert [path.name for path in _tracked() if path.name in LOCKS_WITH_ADDRESSES] == []


def test_nothing_that_python_runs_at_its_start_is_committed() -> None:
    assert [
        path.name
        for path in _tracked()
        if path.suffix == ".pth" or path.stem in {"sitecustomize", "usercustomize"}
    ] == []


def test_every_locked_package_is_pinned_and_hashed() -> None:
    assert LOCKS
    for lock in LOCKS:
        for block in re.split(r"(?m)^(?=[A-Za-z0-9])", lock.read_text(encoding="utf-8")):
            if block[:1].isalnum():
                assert re.match(r"[\w.\-\[\],]+==\S+", block), (lock.name, block[:80])
                assert "--hash=sha256:" in block, (lock.name, block[:80])


def test_the_core_stays_small() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = (ROOT / "requirements" / "core.txt").read_text(encoding="utf-8")
    installed = re.findall(r"(?m)^[a-z0-9][\w.\-]*==", core)
    assert len(project["dependencies"]) <= 12
    assert len(installed) + 1 <= 40


def test_the_locks_hold_what_the_project_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for lock, wanted in {
        "core.txt": project["project"]["dependencies"],
        "dev.txt": [
            *project["project"]["dependencies"],
            *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
            *project["dependency-groups"]["dev"],
        ],
    }.items():
        pinned = set(
            re.findall(r"(?m)^([a-z0-9][\w.\-]*)==", (ROOT / "requirements" / lock).read_text("utf-8"))
        )
        names = {re.split(r"[\[<>=!~; ]", entry, maxsplit=1)[0].lower() for entry in wanted}
        assert names <= pinned, lock

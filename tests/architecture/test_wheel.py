"""What is shipped: nothing that runs by itself, and everything the program needs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def test_the_wheel_has_nothing_that_python_runs_at_its_start(shipped: frozenset[str]) -> None:
    assert [name for name in shipped if name.endswith((".pth", ".start")) or "customize" in name] == []


def test_the_wheel_has_the_two_packages_and_nothing_beside(shipped: frozenset[str]) -> None:
    tops = {name.split("/")[0] for name in shipped}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"keeprate", "keeprate_emulator"}


def test_the_wheel_has_every_fact_file_and_the_licence(shipped: frozenset[str]) -> None:
    facts = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*")
        if path.suffix in {".toml", ".typed", ".ttf"}
    }
    assert facts <= shipped
    assert any(name.endswith("licenses/LICENSE") for name in shipped)

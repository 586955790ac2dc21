"""How large a thing may grow before a reader loses it. A limit is raised for one file only, by an ADR."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
LONGEST_FILE = 400
LONGEST_TEST_FILE = 600
LONGEST_CLASS = 200
DEEPEST_FOLDER = 2
VAGUE = {
    "utils",
    "util",
    "core",
    "common",
    "helpers",
    "helper",
    "services",
    "service",
    "managers",
    "manager",
    "misc",
}


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _modules(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.rglob("*.py"))


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_source_file_outgrows_a_reader() -> None:
    programs = _modules(SOURCE, ROOT / "benchmarks", ROOT / "requirements", ROOT / "docs")
    too_long = {_named(path): _lines(path) for path in programs if _lines(path) > LONGEST_FILE}
    assert too_long == {}


def test_no_test_file_outgrows_a_reader() -> None:
    too_long = {
        _named(path): _lines(path) for path in _modules(ROOT / "tests") if _lines(path) > LONGEST_TEST_FILE
    }
    assert too_long == {}


def test_no_class_outgrows_a_reader() -> None:
    too_long: dict[str, int] = {}
    for path in _modules(SOURCE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > LONGEST_CLASS:
                    too_long[f"{_named(path)}:{node.name}"] = length
    assert too_long == {}


def test_folders_are_at_most_two_deep() -> None:
    too_deep = {
        _named(path)
        for package in ("keeprate", "keeprate_emulator")
        for path in _modules(SOURCE / package)
        if len(path.relative_to(SOURCE / package).parent.parts) > DEEPEST_FOLDER
    }
    assert too_deep == set()


def test_no_module_is_named_for_nothing_in_particular() -> None:
    vague = {
        _named(path)
        for path in _modules(SOURCE, ROOT / "benchmarks")
        if VAGUE & {path.stem, *path.relative_to(ROOT).parent.parts}
    }
    assert vague == set()

"""Habits that lint rules cannot see: who may catch everything, read the environment, or be unfinished."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "keeprate"

# The gateway's last handler and a worker's outer loop record and answer, or raise again.
MAY_CATCH_EVERYTHING: frozenset[str] = frozenset({"keeprate/gateway/app.py"})
# Spelt apart, so that this page does not find itself.
UNFINISHED = re.compile(
    r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX|NotImpl" r"ementedError)\b|pytest\.mark\.sk" r"ip|xf" r"ail"
)


def _trees(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield str(path.relative_to(SOURCE)), ast.parse(path.read_text(encoding="utf-8"))


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in names)


def test_nothing_catches_every_exception() -> None:
    found = {
        f"{name}:{node.lineno}"
        for name, tree in _trees(SOURCE)
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
    }
    assert {place.split(":")[0] for place in found} <= MAY_CATCH_EVERYTHING, found


def test_only_settings_read_the_environment() -> None:
    found = {
        f"{name}:{node.lineno}"
        for name, tree in _trees(PACKAGE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and node.attr in {"environ", "getenv", "environb"}
        and not name.startswith("keeprate/settings")
    }
    assert found == set()


def test_imports_stand_at_the_top_of_their_module() -> None:
    found = {
        f"{name}:{node.lineno}"
        for name, tree in _trees(PACKAGE)
        if name != "keeprate/__init__.py"
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert found == set()


def test_any_is_a_type_of_the_wire_only() -> None:
    found = {
        name
        for name, tree in _trees(PACKAGE)
        if not name.endswith("wire.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "typing"
        for imported in node.names
        if imported.name == "Any"
    }
    assert found == set()


def test_decisions_are_handed_the_day() -> None:
    """`date.today` and `datetime.now` are clocks that an import contract cannot see."""
    clocks = {"today", "now", "utcnow"}
    found = {
        f"{name}:{node.lineno}"
        for folder in ("domain", "catalogue", "routing", "evidence")
        for name, tree in _trees(PACKAGE / folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in clocks
    }
    assert found == set()


def test_money_is_never_a_float() -> None:
    found = {
        f"{name}:{node.lineno}"
        for folder in ("domain", "catalogue", "routing", "ledger")
        for name, tree in _trees(PACKAGE / folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.AnnAssign | ast.arg)
        and node.annotation is not None
        and "float" in ast.unparse(node.annotation)
        and re.search(r"usd|nano|price|charge|cost|cap|held|spent", _target(node), re.IGNORECASE)
    }
    assert found == set()


def _target(node: ast.AnnAssign | ast.arg) -> str:
    return node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)


def test_nothing_is_left_unfinished() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (SOURCE, ROOT / "tests", ROOT / "benchmarks")
        for path in sorted(folder.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    }
    assert found == set()

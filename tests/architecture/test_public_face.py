"""The names `import keeprate` offers, and what that import may cost."""

import ast
import subprocess
import sys
from pathlib import Path

import keeprate

ROOT = Path(__file__).parents[2]
# Modules that take longer to import than Python takes to start; a user who only asks for help must not wait.
HEAVY = (
    "sqlalchemy",
    "alembic",
    "aiohttp",
    "PIL",
    "asyncio",
    "msgspec",
    "pysqlite3",
    "rich",
    "google",
    "numpy",
)
MOST_NAMES = 25


def _loaded_after(statement: str) -> set[str]:
    # Told on standard error, since the statement may print pages of its own.
    told = "print(*set(sys.modules) - before, file=sys.stderr)"
    probe = f"import sys; before = set(sys.modules); {statement}; {told}"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stderr.split()}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _loaded_after("import keeprate").isdisjoint(HEAVY)


def test_asking_for_help_loads_nothing_heavy() -> None:
    loaded = _loaded_after("from keeprate.cli.main import main; main(['--help'])")
    assert "keeprate" in loaded
    assert loaded.isdisjoint({*HEAVY, "cyclopts"})


def test_every_promised_name_can_be_had() -> None:
    for name in keeprate.__all__:
        assert getattr(keeprate, name) is not None


def test_nothing_but_the_promised_names_is_offered() -> None:
    offered = {name for name in dir(keeprate) if not name.startswith("_")}
    assert offered == {name for name in keeprate.__all__ if not name.startswith("_")}
    assert len(keeprate.__all__) <= MOST_NAMES


def test_the_promised_names_are_in_order_and_unique() -> None:
    assert list(keeprate.__all__) == sorted(set(keeprate.__all__))


def test_a_type_checker_sees_the_same_names_as_python() -> None:
    """The lazy front needs a second, static list; the two must not drift apart."""
    tree = ast.parse((ROOT / "src" / "keeprate" / "__init__.py").read_text(encoding="utf-8"))
    static = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for imported in ast.walk(node)
        if isinstance(imported, ast.ImportFrom)
        for alias in imported.names
    }
    assert static == {name for name in keeprate.__all__ if not name.startswith("_")}

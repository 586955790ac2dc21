"""Route each image request to the route that costs least per image you keep."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keeprate.domain.errors import KeeprateError
    from keeprate.library.blocking import BlockingKeeprate
    from keeprate.library.front import Keeprate
    from keeprate.workflows.options import Options
    from keeprate.workflows.results import Result

__all__ = ["BlockingKeeprate", "Keeprate", "KeeprateError", "Options", "Result"]

# Loaded when first asked for, so that `import keeprate` and `keeprate --help` cost nothing.
_HOMES = {
    "BlockingKeeprate": "keeprate.library.blocking",
    "Keeprate": "keeprate.library.front",
    "KeeprateError": "keeprate.domain.errors",
    "Options": "keeprate.workflows.options",
    "Result": "keeprate.workflows.results",
}


def __getattr__(name: str) -> object:
    """Return a public name.

    Raises:
        AttributeError: There is no such name.
    """
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'keeprate' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)

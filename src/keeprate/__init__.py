"""Route each image request to the route that costs least per image you keep."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keeprate.domain.budgets import Window
    from keeprate.domain.errors import KeeprateError
    from keeprate.domain.money import display, usd
    from keeprate.domain.outcomes import OutcomeKind
    from keeprate.domain.verdicts import VerdictKind
    from keeprate.ledger.report import By, ReportQuery
    from keeprate.library.accounts import Accounts
    from keeprate.library.blocking import BlockingKeeprate
    from keeprate.library.front import Keeprate
    from keeprate.routing.estimates import Chain, EstimateQuery, Prices
    from keeprate.workflows.options import Options
    from keeprate.workflows.results import Result

__all__ = [
    "Accounts", "BlockingKeeprate", "By", "Chain", "EstimateQuery", "Keeprate", "KeeprateError", "Options", "OutcomeKind",
    "Prices", "ReportQuery", "Result", "VerdictKind", "Window", "display", "usd",
]  # fmt: skip

# Loaded when first asked for, so that `import keeprate` and `keeprate --help` cost nothing.
_HOMES = {
    "Accounts": "keeprate.library.accounts",
    "BlockingKeeprate": "keeprate.library.blocking",
    "By": "keeprate.ledger.report",
    "Chain": "keeprate.routing.estimates",
    "EstimateQuery": "keeprate.routing.estimates",
    "Keeprate": "keeprate.library.front",
    "KeeprateError": "keeprate.domain.errors",
    "Options": "keeprate.workflows.options",
    "OutcomeKind": "keeprate.domain.outcomes",
    "Prices": "keeprate.routing.estimates",
    "ReportQuery": "keeprate.ledger.report",
    "Result": "keeprate.workflows.results",
    "VerdictKind": "keeprate.domain.verdicts",
    "Window": "keeprate.domain.budgets",
    "display": "keeprate.domain.money",
    "usd": "keeprate.domain.money",
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

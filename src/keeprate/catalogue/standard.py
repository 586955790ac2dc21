"""The names of the facts files that come with the package, in the order they are read.

`bootstrap` reads them (`importlib.resources.files("keeprate.catalogue") / "facts" / name`): this layer
is handed text.
"""

from collections.abc import Mapping
from typing import Final

from keeprate.catalogue.book import Book, gathered
from keeprate.catalogue.parse import statements_in
from keeprate.catalogue.statements import Statements

FACT_FILES: Final[tuple[str, ...]] = (
    "grids.toml",
    "nano-banana-pro.toml",
    "nano-banana-2.toml",
    "nano-banana-2-1.toml",
    "nano-banana-2-lite.toml",
    "nano-banana.toml",
    "imagen-4.toml",
    "route-records.toml",
)


def book_of(texts: Mapping[str, str], overlay: Statements | None = None) -> Book:
    """Return the book of the facts files in `texts` (by name), with the owner's rows over them.

    Raises:
        CatalogueError: A fact is bad; file, row and field are named.
    """
    official = gathered(statements_in(name, text) for name, text in texts.items())
    return Book(official if overlay is None else official.plus(overlay))

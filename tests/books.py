"""The book of facts that comes with the package, for tests."""

from functools import cache
from importlib.resources import files

from keeprate.catalogue.book import Book
from keeprate.catalogue.standard import FACT_FILES, book_of


@cache
def fact_texts() -> dict[str, str]:
    """The official facts files by name, as bootstrap hands them over."""
    folder = files("keeprate.catalogue") / "facts"
    return {name: (folder / name).read_text(encoding="utf-8") for name in FACT_FILES}


@cache
def official_book() -> Book:
    """The official book. It keeps answers and never changes, so tests may share it."""
    return book_of(fact_texts())

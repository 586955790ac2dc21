"""One row of a facts file, read cell by cell; whatever is wrong names the file, the row and the field."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar, cast

from keeprate.domain.errors import CatalogueError, InvalidValue

Word = TypeVar("Word", bound=StrEnum)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A table of a facts file. `place` says which one to a reader, such as "price 3"."""

    file: str
    place: str
    cells: Mapping[str, object]

    def fault(self, field: str, problem: str) -> CatalogueError:
        """Return the error that says what is wrong with `field` of this row."""
        value = self.cells.get(field)
        return CatalogueError(
            f"{self.file}, {self.place}, {field}: {problem}",
            field=field,
            value=value if value is None or isinstance(value, int | str) else str(value),
            remedy=f"mend {field} of {self.place} in {self.file}",
        )

    def allow(self, fields: frozenset[str]) -> None:
        """Refuse a field that nobody reads: a typing mistake must not pass for a fact.

        Raises:
            CatalogueError: A field not in `fields`.
        """
        for field in self.cells:
            if field not in fields:
                raise self.fault(
                    field, "is not a field of this table; known are " + ", ".join(sorted(fields))
                )

    def has(self, field: str) -> bool:
        return field in self.cells

    def text(self, field: str) -> str:
        value = self._cell(field)
        if not isinstance(value, str) or not value.strip():
            raise self.fault(field, "must be a text")
        return value

    def whole(self, field: str) -> int:
        value = self._cell(field)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fault(field, "must be a whole number, zero or more")
        return value

    def truth(self, field: str) -> bool:
        value = self._cell(field)
        if not isinstance(value, bool):
            raise self.fault(field, "must be true or false")
        return value

    def day(self, field: str) -> date:
        value = self._cell(field)
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.fault(field, "must be a date such as 2026-05-28, without quotes")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value = self._cell(field)
        if not isinstance(value, list):
            raise self.fault(field, "must be a list of texts")
        items = cast("Sequence[object]", value)
        if any(not isinstance(item, str) or not item for item in items):
            raise self.fault(field, "must be a list of texts")
        return tuple(cast("Sequence[str]", items))

    def within(self, field: str) -> "Row":
        """Return the inner table `field` as a row of its own."""
        value = self._cell(field)
        if not isinstance(value, dict):
            raise self.fault(field, "must be a table")
        return Row(file=self.file, place=f"{self.place}, {field}", cells=cast("Mapping[str, object]", value))

    def word(self, kind: type[Word], field: str) -> Word:
        return self.known(field, kind, self.text(field))

    def words(self, kind: type[Word], field: str) -> tuple[Word, ...]:
        return tuple(self.known(field, kind, item) for item in self.texts(field))

    def known(self, field: str, read: Callable[[str], Value], text: str) -> Value:
        """Return `text` as `read` understands it.

        Raises:
            CatalogueError: It does not; the message says what it found wrong.
        """
        try:
            return read(text)
        except (InvalidValue, ValueError) as why:
            raise self.fault(field, str(why)) from None

    def by_word(self, kind: type[Word], field: str) -> Iterator[tuple[Word, "Row", str]]:
        """Yield (word, row, name of the cell) for each cell of the inner table `field`."""
        inner = self.within(field)
        for name in inner.cells:
            yield inner.known(name, kind, name), inner, name

    def _cell(self, field: str) -> object:
        if field not in self.cells:
            raise self.fault(field, "is missing")
        return self.cells[field]


def tables(file: str, document: Mapping[str, object], name: str) -> tuple[Row, ...]:
    """Return the rows of `[[name]]`, numbered from 1.

    Raises:
        CatalogueError: `name` is not an array of tables.
    """
    found = document.get(name, [])
    rows = cast("Sequence[object]", found) if isinstance(found, list) else ()
    if not isinstance(found, list) or any(not isinstance(cells, dict) for cells in rows):
        raise CatalogueError(
            f"{file}: {name} must be written as [[{name}]]",
            field=name,
            remedy=f"write [[{name}]] above each row",
        )
    return tuple(
        Row(file=file, place=f"{name} {number}", cells=cast("Mapping[str, object]", cells))
        for number, cells in enumerate(rows, start=1)
    )

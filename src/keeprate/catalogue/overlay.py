"""The owner's facts: rows of `keeprate.toml` that go before the official ones.

The tables are those of a facts file; `seen_on` and `confidence` may be left out. A price for a model of
an official surface must name the `upstream` it is for: a wrapper's price is its own and never alters
the official row. An upstream's `record` table is its route record.
"""

import tomllib
from collections.abc import Mapping, Sequence
from typing import cast

from keeprate.catalogue.parse import statements_of
from keeprate.catalogue.route_records import records_of
from keeprate.catalogue.rows import Row, tables
from keeprate.catalogue.statements import Statements
from keeprate.domain.errors import CatalogueError


def overlay_in(texts: Mapping[str, str]) -> Statements:
    """Return what the owner's files in `texts` (by name, the strongest last) say about models.

    Tables that are not facts, such as `[settings]`, are left to others.

    Raises:
        CatalogueError: A text is not TOML, or a row is wrong; file, row and field are named.
    """
    whole = Statements()
    for file, text in texts.items():
        try:
            document = cast("Mapping[str, object]", tomllib.loads(text))
        except tomllib.TOMLDecodeError as why:
            raise CatalogueError(f"{file} is not TOML: {why}", value=file, remedy=f"mend {file}") from None
        recorded = records_of(_upstream_records(file, document), owner=True)
        whole = whole.plus(statements_of(file, document, owner=True)).plus(Statements(records=recorded))
    return whole


def _upstream_records(file: str, document: Mapping[str, object]) -> Sequence[Row]:
    rows = (row for row in tables(file, document, "upstream") if row.has("record"))
    return tuple(
        Row(
            file=file,
            place=f"{row.place}, record",
            cells={"upstream": row.text("name"), **row.within("record").cells},
        )
        for row in rows
    )

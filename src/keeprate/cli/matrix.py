"""The capability matrix as a table, or as lines where it would not fit."""

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.text import Text

from keeprate.catalogue.matrix import Cell, Matrix
from keeprate.cli.output import Facts, table

# Room for the questions on the left, and between two columns.
_QUESTIONS, _BETWEEN = 24, 3


def drawn(found: Matrix, width: int) -> Iterator[RenderableType]:
    """Return the matrix as a table where `width` columns hold it, else model by model."""
    names = [str(card.model) for card in found.models]
    if _QUESTIONS + sum(len(name) + _BETWEEN for name in names) <= width:
        page = table("", *names)
        for row in found.rows:
            page.add_row(row.capability, *(_text(cell) for cell in row.cells))
        yield page
        yield ""
    else:
        for index, card in enumerate(found.models):
            yield Text(f"{card.model}  ({card.market_name})", style="bold")
            yield Facts(*((f"  {row.capability}", _text(row.cells[index])) for row in found.rows))
            yield ""
    yield f"Printed prices on {found.surface}, {found.day}."
    if any(cell.printed for row in found.rows for cell in row.cells):
        yield "In brackets: what the capability matrix of 2026-04-09 printed instead."


def as_json(found: Matrix) -> Mapping[str, object]:
    """Return the matrix as plain values."""
    models = [str(card.model) for card in found.models]
    return {
        "as_of": found.day,
        "surface": str(found.surface),
        "models": models,
        "rows": [
            {
                "capability": row.capability,
                "values": {
                    model: {"value": cell.text, "printed": cell.printed, "note": cell.note}
                    for model, cell in zip(models, row.cells, strict=True)
                },
            }
            for row in found.rows
        ],
    }


def _text(cell: Cell) -> Text:
    text = Text(cell.text)
    if cell.printed is not None:
        text.append(f" [{cell.printed}]", style="dim")
    return text

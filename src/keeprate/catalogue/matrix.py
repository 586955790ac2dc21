"""The founding capability matrix, all nine rows, for the models of a day.

Where a cell of the April 2026 matrix says something else than the facts, the cell carries both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from keeprate.catalogue.book import Book
from keeprate.catalogue.cards import ModelCard, PriceRow, Transport
from keeprate.catalogue.founding import MATRIX_AS_PRINTED
from keeprate.catalogue.pricing import image_live_price
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD, display, scaled
from keeprate.domain.purposes import Lane, ReferenceRole
from keeprate.domain.routes import ModelId, Surface

NONE: Final = "N/A"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One answer. `printed` is the founding cell where it said something else; `note` says why."""

    text: str
    printed: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    capability: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """One column for each of `models`, in their order, in every row."""

    surface: Surface
    day: date
    models: tuple[ModelCard, ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    card: ModelCard
    price: PriceRow


def matrix(book: Book, day: date, surface: Surface) -> Matrix:
    """Return the matrix of the models that answer on `surface` on `day`, the dearest first.

    Raises:
        NoPriceOnDate: A living model has no price.
    """
    columns = [
        _Column(card=card, price=book.price_on(surface, card.model, day))
        for card in book.models(surface, day)
    ]
    columns.sort(
        key=lambda column: (_founding_place(column.card), -_dearest(column.price), column.card.model)
    )
    rows = tuple(
        MatrixRow(capability=title, cells=tuple(_cell(number, read, column) for column in columns))
        for number, (title, read) in enumerate(_ROWS)
    )
    return Matrix(surface=surface, day=day, models=tuple(column.card for column in columns), rows=rows)


def _founding_place(card: ModelCard) -> int:
    printed = list(MATRIX_AS_PRINTED)
    own = card.preview_of or card.model
    return printed.index(own) if own in printed else len(printed)


def _dearest(price: PriceRow) -> int:
    return max(price.card.values(), default=NanoUSD(0))


def _cell(number: int, read: Callable[[_Column], Cell], column: _Column) -> Cell:
    cell = read(column)
    printed = _printed(column.card, number)
    if printed is None or printed == cell.text:
        return Cell(text=cell.text)
    return Cell(text=cell.text, printed=printed, note=cell.note)


def _printed(card: ModelCard, number: int) -> str | None:
    column = MATRIX_AS_PRINTED.get(card.preview_of or card.model)
    return None if column is None else column[number]


def _per_image(size: Size) -> Callable[[_Column], Cell]:
    def read(column: _Column) -> Cell:
        if size not in column.card.sizes:
            return Cell(text=NONE, note=f"it does not draw at {size}: {_sizes(column.card)} only")
        return Cell(text=_dollars(_price(column, size)), note="the price page of the day says otherwise")

    return read


def _price(column: _Column, size: Size) -> NanoUSD:
    """Return the price printed for a size, or the exact one where none is printed."""
    return column.price.card.get(size) or image_live_price(column.price, size)


def _batch(column: _Column) -> Cell:
    terms = column.price.lanes.get(Lane.BATCH)
    if terms is None:
        refusal = column.price.unlisted_lanes.get(Lane.BATCH)
        return Cell(text=NONE, note=None if refusal is None else refusal.note)
    sizes = column.card.sizes
    size = Size.ONE_K if Size.ONE_K in sizes else sizes[0]
    half = scaled(_price(column, size), numerator=terms.numerator, denominator=terms.denominator)
    # The founding cell names the size where the model has dearer ones.
    several = len({_price(column, one) for one in sizes}) > 1
    at = f" / {size}" if several else ""
    return Cell(
        text=f"{_dollars(_as_printed(half))}{at}", note="the batch price page of the day says otherwise"
    )


def _as_printed(amount: NanoUSD) -> NanoUSD:
    """Return a batch price as the vendor rounds it: to a tenth of a cent from two cents up, half up."""
    tenth_of_a_cent = 1_000_000
    if amount % tenth_of_a_cent == 0 or amount < 20 * tenth_of_a_cent:
        return amount
    return NanoUSD((amount + tenth_of_a_cent // 2) // tenth_of_a_cent * tenth_of_a_cent)


def _references(column: _Column) -> Cell:
    card = column.card
    if card.max_references == 0:
        return Cell(text="No")
    roles = ", ".join(
        f"{card.references_by_role[role]} {role}"
        for role in ReferenceRole
        if card.references_by_role.get(role)
    )
    text = f"Yes — up to {card.max_references}" + (f" ({roles})" if roles else "")
    return Cell(text=text, note="every Gemini image model takes reference images; they differ in fidelity")


def _text(column: _Column) -> Cell:
    opinion = column.card.text_rendering
    if opinion is None:
        return Cell(text="no sourced opinion")
    text = "Best in family" if opinion.grade == "best" else opinion.grade.capitalize()
    return Cell(text=text, note=opinion.provenance.note)


def _largest(column: _Column) -> Cell:
    return Cell(text=str(column.card.sizes[-1]), note=f"it draws at {_sizes(column.card)}")


def _context(column: _Column) -> Cell:
    opinion = column.card.context
    return Cell(text="no sourced opinion" if opinion is None else opinion.grade)


def _synchronous(column: _Column) -> Cell:
    if column.card.transport is Transport.PREDICT:
        return Cell(
            text="Yes, by :predict", note="the text calls it by generateContent, which Imagen refuses"
        )
    return Cell(text="Yes")


def _synthid(column: _Column) -> Cell:
    return Cell(text="Yes" if column.card.synthid else "No")


def _sizes(card: ModelCard) -> str:
    return ", ".join(card.sizes)


def _dollars(amount: NanoUSD) -> str:
    return f"${display(amount)}"


_ROWS: Final[Sequence[tuple[str, Callable[[_Column], Cell]]]] = (
    ("Per-image price (1K)", _per_image(Size.ONE_K)),
    ("Per-image price (4K)", _per_image(Size.FOUR_K)),
    ("Batch lane", _batch),
    ("Reference images", _references),
    ("Text rendering", _text),
    ("Largest size", _largest),
    ("Contextual understanding", _context),
    ("Synchronous", _synchronous),
    ("SynthID watermark", _synthid),
)


def founding_models() -> tuple[ModelId, ...]:
    """Return the six models of the founding matrix, under the ids they have or had when released."""
    return tuple(MATRIX_AS_PRINTED)

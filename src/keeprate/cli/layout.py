"""Tables and lines that fit the width there is, and never break a word: a path or an amount can be copied."""

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from keeprate.cli.failures import clean

GAP = 2
_NARROWEST = 20
_INDENT = "    "


class Rows:
    """A table with a header rule and no frame; where it is too narrow for one, a paragraph for each row."""

    def __init__(self, *columns: str, right: frozenset[str] = frozenset()) -> None:
        """Keep the names of the columns; `right` ones hold amounts, align right and never wrap."""
        self._columns = columns
        self._right = right
        self._rows: list[tuple[Text, ...]] = []

    def add_row(self, *cells: str | Text, style: str = "") -> None:
        """Add a row; `style` lies below what the cells bring."""
        made = [cell.copy() if isinstance(cell, Text) else Text(clean(cell)) for cell in cells]
        for cell in made:
            cell.stylize_before(style)
        self._rows.append(tuple(made))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the table within the width, or paragraphs."""
        widths = self._widths(options.max_width)
        yield from self._paragraphs(options.max_width) if widths is None else self._table(widths)

    def _widths(self, room: int) -> list[int] | None:
        """Return the width of each column, or None where the narrowest table is too wide."""
        widths = [self._widest(index, r"[^\n]+") for index in range(len(self._columns))]
        over = sum(widths) + GAP * (len(widths) - 1) - room
        # The first column is a name; the last may stick out, as nothing stands to the right of it.
        for index in reversed(range(1, len(widths))):
            if over > 0 and self._columns[index] not in self._right:
                is_last = index == len(widths) - 1
                least = min(_NARROWEST, widths[index]) if is_last else self._widest(index, r"\S+")
                cut = min(over, widths[index] - least)
                widths[index] -= cut
                over -= cut
        return None if over > 0 else widths

    def _widest(self, index: int, part: str) -> int:
        texts = [self._columns[index], *(row[index].plain for row in self._rows)]
        return max((cell_len(found) for text in texts for found in re.findall(part, text)), default=0)

    def _table(self, widths: Sequence[int]) -> Iterator[Text]:
        header = tuple(Text(name, style="bold") for name in self._columns)
        yield from self._lines(header, widths)
        yield Text("─" * (sum(widths) + GAP * (len(widths) - 1)), no_wrap=True, overflow="ignore")
        for row in self._rows:
            yield from self._lines(row, widths)

    def _lines(self, row: Sequence[Text], widths: Sequence[int]) -> Iterator[Text]:
        cells = [list(wrapped(cell, width)) for cell, width in zip(row, widths, strict=True)]
        for number in range(max(len(cell) for cell in cells)):
            line = Text(no_wrap=True, overflow="ignore")
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                part = cell[number] if number < len(cell) else Text()
                blanks = " " * max(width - cell_len(part.plain), 0)
                is_right = self._columns[index] in self._right
                line.append(blanks if is_right else "").append_text(part).append("" if is_right else blanks)
                line.append(" " * GAP if index < len(widths) - 1 else "")
            line.rstrip()
            yield line

    def _paragraphs(self, room: int) -> Iterator[Text]:
        left = GAP + max(len(name) for name in self._columns) + GAP
        for row in self._rows:
            first = row[0].copy()
            first.stylize_before("bold")
            first.no_wrap, first.overflow = True, "ignore"
            yield first
            for name, cell in zip(self._columns[1:], row[1:], strict=True):
                for number, line in enumerate(wrapped(cell, max(room - left, _NARROWEST))):
                    lead = Text(" " * GAP + (name if number == 0 else "").ljust(left - GAP), style="dim")
                    if cell.plain:
                        yield Text.assemble(lead, line, no_wrap=True, overflow="ignore")


class Parts:
    """Some parts side by side; the line may end between two of them, never within one."""

    def __init__(self, *parts: Text, indent: str = "") -> None:
        """Keep the parts; lines after the first are indented further."""
        self._parts = parts
        self._indent = indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw as many lines as are needed."""
        line = Text(self._indent, no_wrap=True, overflow="ignore")
        is_empty = True
        for part in self._parts:
            if not is_empty and cell_len(line.plain) + GAP + cell_len(part.plain) > options.max_width:
                yield line
                line = Text(self._indent + _INDENT, no_wrap=True, overflow="ignore")
                is_empty = True
            line.append("" if is_empty else " " * GAP).append_text(part)
            is_empty = False
        yield line


def unbroken(text: str, style: str = "") -> Text:
    """Return a line that is left whole however narrow the terminal is: a command to copy."""
    return Text(text, style=style, no_wrap=True, overflow="ignore")


def wrapped(text: Text, room: int) -> Iterator[Text]:
    """Yield lines of at most `room` columns, or of one longer word."""
    for paragraph in text.split("\n", allow_blank=True):
        starts: list[int] = []
        column = 0
        for word in re.finditer(r"\S+\s*", paragraph.plain):
            if column and column + cell_len(word.group().rstrip()) > room:
                starts.append(word.start())
                column = 0
            column += cell_len(word.group())
        for line in paragraph.divide(starts):
            line.rstrip()
            yield line

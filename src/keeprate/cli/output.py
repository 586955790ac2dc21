"""What the shell gets: data on standard output, everything else on standard error."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path, PurePath
from typing import TextIO, cast

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.status import Status
from rich.text import Text

from keeprate.cli.failures import clean, put, speaks_unicode, writing
from keeprate.cli.flags import Everywhere
from keeprate.cli.layout import GAP, Rows, wrapped
from keeprate.domain.money import NanoUSD, display


def _plain(value: object) -> object:
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    raise TypeError(type(value).__name__)


_NARROWEST = 20
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)


class Screen:
    """Where a command writes. With `as_json` the one document is all that standard output sees."""

    def __init__(self, flags: Everywhere) -> None:
        """Write to this process's standard streams. NO_COLOR is honoured."""
        self.as_json = flags.json
        self.has_answered = False
        self.has_asked = False
        self.out = console(sys.stdout)
        self.err = console(sys.stderr)
        self.is_quiet = flags.quiet
        self._verbose = flags.verbose
        self._progress: Status | None = None

    @property
    def is_live(self) -> bool:
        """Return whether a person watches: only then is a question asked, or progress drawn."""
        return self.err.is_terminal and not (self.is_quiet or self.as_json)

    def answer(self, document: Mapping[str, object], *shown: RenderableType) -> None:
        """Print the document, or what a person reads instead of it."""
        self.settle()
        self.has_answered = True
        if self.as_json:
            print_document(document)
        else:
            self.show(*shown)

    def show(self, *shown: RenderableType) -> None:
        """Print for a person."""
        # Captured first: Rich pads lines with blanks, which nobody wants in a pipe or a diff.
        with writing(), self.out.capture() as page:
            for renderable in shown:
                whole = Paragraph(renderable) if isinstance(renderable, str) else renderable
                self.out.print(whole, crop=False)
        lines = [line.rstrip() for line in page.get().splitlines()]
        put("\n".join(lines) + "\n")

    def say(self, said: str | RenderableType) -> None:
        """Say something now that is not data."""
        self.err.print(Paragraph(said) if isinstance(said, str) else said, crop=False)

    def tell(self, doing: str) -> None:
        """Show what is being done, on a line that goes away; --verbose keeps each."""
        doing = clean(doing)
        if self._verbose:
            self.say(doing)
        elif self.is_live and not self.err.is_dumb_terminal:
            if self._progress is None:
                self._progress = self.err.status(doing)
                self._progress.start()
            self._progress.update(doing)

    def settle(self) -> None:
        """Take the line of progress away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def console(stream: TextIO) -> Console:
    """Return a console of the terminal's width, or of 80 columns (COLUMNS) where there is none."""
    found = Console(file=stream, highlight=False, emoji=False, markup=False)
    if found.no_color:
        # Rich keeps bold and dim under NO_COLOR; without a colour system it writes nothing but text.
        return Console(file=stream, highlight=False, emoji=False, markup=False, color_system=None)
    if found.is_dumb_terminal:
        found.width = shutil.get_terminal_size().columns  # Rich takes each of them for 80 columns wide
    return found


def print_document(document: Mapping[str, object]) -> None:
    """Write exactly one JSON document to standard output.

    Money travels as exact text inside (`…_usd`); here it becomes a JSON number with the same digits.
    """
    text = msgspec.json.format(_ENCODER.encode(_exact(document)), indent=2).decode()
    if not speaks_unicode():
        # JSON's own escapes: what the stream would put in their place is no JSON.
        text = "".join(sign if sign.isascii() else json.dumps(sign)[1:-1] for sign in text)
    put(text + "\n")


def program() -> str:
    """Return what a person types to run this again: its name, or its path where the name is not found."""
    called = Path(sys.argv[0])
    if called.name != "keeprate" or shutil.which("keeprate") is not None:
        return "keeprate"
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else str(called)


def money(amount: NanoUSD) -> str:
    """Return dollars as a person reads them: exact, nothing rounded away, cents always shown."""
    whole, _, decimals = display(amount).partition(".")
    return f"${int(whole):,}.{decimals:0<2}"


def table(*columns: str, right: frozenset[str] = frozenset()) -> Rows:
    """Return an empty table with a header rule and no frame; `right` columns align right."""
    return Rows(*columns, right=right)


class Paragraph:
    """Words of ours, wrapped between words alone."""

    def __init__(self, text: str) -> None:
        """Keep the text."""
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it within the width there is."""
        for line in wrapped(Text(clean(self._text)), options.max_width):
            line.no_wrap, line.overflow = True, "ignore"
            yield line


class Facts:
    """Lines of name and value, with the values below each other. Words are never broken: a path can be copied."""

    def __init__(self, *rows: tuple[str, str | Text], indent: int = 0) -> None:
        """Keep the rows in their order."""
        self._rows = rows
        self._indent = indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw within the width there is, and beyond it for a word that is longer."""
        left = self._indent + max((len(name) for name, _ in self._rows), default=0) + GAP
        for name, value in self._rows:
            text = value if isinstance(value, Text) else Text(clean(value))
            room = max(options.max_width - left, _NARROWEST)
            for number, line in enumerate(wrapped(text, room)):
                first = Text(" " * self._indent)
                first.append((name if number == 0 else "").ljust(left - self._indent), style="dim")
                yield Text.assemble(first, line, no_wrap=True, overflow="ignore")


def _exact(value: object, name: str = "") -> object:
    if isinstance(value, Mapping):
        inner = cast("Mapping[str, object]", value)
        is_money = name.endswith("_usd")  # {"image_usd": {"1K": "0.0336"}}
        return {key: _exact(each, name if is_money else key) for key, each in inner.items()}
    if isinstance(value, list | tuple):
        return [_exact(each, name) for each in cast("Sequence[object]", value)]
    if isinstance(value, str) and name.endswith("_usd"):
        return Decimal(value)
    return value

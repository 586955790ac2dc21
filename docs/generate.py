"""Write the reference pages that the code itself can tell: commands, errors, capabilities.

python docs/generate.py            write them
python docs/generate.py --check    complain about those that drifted from the code
"""

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

import http_api

import keeprate
from keeprate import catalogue
from keeprate.catalogue.book import FIRST_DAY, Book
from keeprate.catalogue.cards import ModelCard
from keeprate.catalogue.standard import FACT_FILES, book_of
from keeprate.cli.commands import overview
from keeprate.cli.failures import __doc__ as exit_codes
from keeprate.cli.parsing import application
from keeprate.domain import errors
from keeprate.domain.money import display

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code; `make docs` renews it. -->\n\n"
FACTS = Path(catalogue.__file__).parent / "facts"


def commands_page() -> str:
    text = application().generate_docs(heading_level=2, flatten_commands=True)
    # The first heading and the list of commands are told better by the program's own first page.
    chapters = re.split(r"(?m)^(?=## )", text)
    described = "".join(chapter for chapter in chapters if chapter.startswith("## keeprate "))
    return f"# Commands\n\n```text\n{overview()}\n```\n\n{described.strip()}\n"


def errors_page() -> str:
    codes = "\n".join((exit_codes or "").split("\n\n")[1:]).strip()
    rows = [
        f"| `{kind.code}` | {kind.__name__} | {kind.exit_code} | {kind.http_status} | {meaning} |"
        for kind, meaning in _tree()
    ]
    return "\n".join(
        [
            "# Errors and exit codes",
            "",
            "Every failure says what is wrong, in which field, and what to do. With `--json` it is one document on",
            'standard output: `{"error": {"code", "message", "field", "value", "remedy"}}`.',
            "",
            "## Exit codes",
            "",
            codes,
            "",
            "## Codes",
            "",
            "| code | error | exit | HTTP | what to do |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _tree() -> list[tuple[type[errors.KeeprateError], str]]:
    """Return each error with what the tree at the top of its file says of it."""
    said: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        name, _, meaning = line.strip().partition(" ")
        if isinstance(vars(errors).get(name), type):
            said[name] = meaning.strip()
    return [(vars(errors)[name], meaning) for name, meaning in said.items() if meaning]


def capabilities_page() -> str:
    book = book_of({name: (FACTS / name).read_text(encoding="utf-8") for name in FACT_FILES})
    day = _day_of_the_facts(book)
    lines = [
        "# Capabilities",
        "",
        f"What the catalogue holds for the models known on {day}, the day its newest row was read at its source.",
        "`keeprate models show ID` gives each fact with its source and dates; `--as-of DATE` gives another day.",
    ]
    for surface in book.surfaces:
        # Ids that died before the book begins have no price in it, and nobody will ask for them.
        in_the_book = [card for card in book.known(surface, day) if _answered_since(card, FIRST_DAY)]
        cards = sorted(in_the_book, key=lambda card: (not card.lives_on(day), card.model))
        lines += ["", f"## {surface}", "", *_table(book, cards, day)]
    return "\n".join(lines) + "\n"


def _day_of_the_facts(book: Book) -> date:
    return max(
        provenance.seen_on
        for surface in book.surfaces
        for card in book.known(surface, book.change_days[-1])
        for provenance in card.provenance.values()
    )


def _table(book: Book, cards: Sequence[ModelCard], day: date) -> list[str]:
    rows: list[Sequence[str]] = [
        ("model", *(f"`{card.model}`" for card in cards)),
        ("---", *("---" for _ in cards)),
        ("market name", *(card.market_name for card in cards)),
        ("answers", *(_life(card, day) for card in cards)),
        ("sizes", *(", ".join(card.sizes) for card in cards)),
        ("ratios", *(str(len(card.ratios)) for card in cards)),
        ("references", *(str(card.max_references) for card in cards)),
        ("thinking", *(", ".join(terms.level for terms in card.thinking) or "no" for card in cards)),
        ("video in", *(_yes(card.accepts_video) for card in cards)),
        ("grounding", *(_yes(card.accepts_grounding) for card in cards)),
        ("system text", *(_yes(card.accepts_system) for card in cards)),
        ("conversation", *(_yes(card.accepts_conversation) for card in cards)),
        ("images a call", *(str(card.images_per_call) for card in cards)),
        ("printed price", *(_printed(book, card, day) for card in cards)),
    ]
    return [f"| {' | '.join(row)} |" for row in rows]


def _answered_since(card: ModelCard, day: date) -> bool:
    return card.shutdown_on is None or card.shutdown_on > day


def _life(card: ModelCard, day: date) -> str:
    if card.shutdown_on is None:
        return f"since {card.released_on}"
    word = "until" if card.lives_on(day) else "retired"
    return f"{word} {card.shutdown_on}"


def _printed(book: Book, card: ModelCard, day: date) -> str:
    # A retired model has the price of its last day.
    asked = day if card.shutdown_on is None else min(day, card.shutdown_on - timedelta(days=1))
    row = book.price_on(card.surface, card.model, asked)
    printed = row.card or row.per_image
    return ", ".join(f"{size} ${display(amount)}" for size, amount in printed.items()) or "not printed"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def library_page() -> str:
    lines = [
        "# Library",
        "",
        "Everything a program needs is in `keeprate` itself; names of inner modules may change in any release.",
        "",
        "```python",
        "from keeprate import Keeprate, Options",
        "",
        "async with Keeprate() as keeprate:",
        '    result = await keeprate.generate("A kettle", options=Options(purpose="hero", size="2K"))',
        "    print(result.outcome.kind, result.charge_usd, result.decision.reason)",
        "```",
        "",
        "Money is a `NanoUSD`: a whole number of nano-dollars, 1,000,000,000 to the US dollar. `usd` makes one of "
        "a text, `display` a text of one.",
    ]
    for name in keeprate.__all__:
        kind: object = getattr(keeprate, name)
        lines += ["", f"## {name}", ""]
        if inspect.isfunction(kind):
            lines += [f"`{name}{_call(kind)}`", ""]
        lines += [_said(kind)]
        if isinstance(kind, type):
            lines += _values(kind)
            lines += [line for member in _public(kind) for line in ("", *member)]
    return "\n".join(lines) + "\n"


def _values(kind: type) -> list[str]:
    """Return the members of an enumeration, or the fields of a value, each on a line."""
    if issubclass(kind, StrEnum):
        return ["", "One of: " + ", ".join(f"`{member.value}`" for member in kind)]
    if not is_dataclass(kind) or kind is keeprate.Accounts:
        return []
    return ["", *(f"- `{_field(one)}`" for one in fields(kind))]


def _field(one: Field[object]) -> str:
    named = f"{one.name}: {_short(inspect.formatannotation(one.type))}"
    if one.default is MISSING:
        return named
    return f"{named} = {one.default if isinstance(one.default, StrEnum) else repr(one.default)}"


def _short(annotation: str) -> str:
    """Return an annotation without the modules its names live in."""
    bare = re.sub(r"\b(?:\w+\.)+(?=\w)", "", annotation)
    # A union with a NewType is written out by Python; readers know it with bars.
    return re.sub(r"Union\[([^\]]+)\]", lambda found: found[1].replace(", ", " | "), bare).replace(
        "NoneType", "None"
    )


def _public(kind: type) -> Iterator[tuple[str, str, str]]:
    for name, member in vars(kind).items():
        told = member.fget if isinstance(member, property) else member
        if name.startswith("_") or not inspect.isfunction(told):
            continue
        word = "async " if inspect.iscoroutinefunction(told) else ""
        shown = name if isinstance(member, property) else f"{name}{_call(told)}"
        yield f"### {name}", "", f"`{word}{shown}`\n\n{_said(told)}"


def _call(function: Callable[..., object]) -> str:
    parameters = inspect.signature(function).parameters.values()
    returns = inspect.signature(function).return_annotation
    shown = inspect.Signature(
        [_brief(one) for one in parameters if one.name != "self"], return_annotation=returns
    )
    return _short(str(shown))


def _brief(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    if is_dataclass(default):
        # A value of a dozen fields, all at their defaults: its name says as much.
        default = type("Default", (), {"__repr__": lambda _: f"{type(parameter.default).__name__}()"})()
    return parameter.replace(default=default)


def _said(thing: object) -> str:
    """Return a docstring as Markdown: what it raises becomes a list."""
    text = inspect.getdoc(thing) or ""
    head, raises, tail = text.partition("\n\nRaises:\n")
    if not raises:
        return head
    items = [f"- raises `{name}`: {why}" for name, why in re.findall(r"(?m)^ {4}(\w+): (.+)$", tail)]
    return "\n".join([head, "", *items])


PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": commands_page,
    "errors.md": errors_page,
    "http-api.md": http_api.page,
    "capabilities.md": capabilities_page,
    "library.md": library_page,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page drifted")
    arguments = parser.parse_args()
    drifted: list[str] = []
    for name, write in PAGES.items():
        page = NOTE + write()
        path = REFERENCE / name
        if path.exists() and path.read_text(encoding="utf-8") == page:
            continue
        drifted.append(name)
        if not arguments.check:
            path.write_text(page, encoding="utf-8")
            print(f"wrote docs/reference/{name}")
    if arguments.check and drifted:
        print(f"docs/reference: {', '.join(drifted)} drifted from the code; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

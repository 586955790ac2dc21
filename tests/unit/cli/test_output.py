"""Money, documents and lines as they leave the command line."""

import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from keeprate.cli.failures import tell
from keeprate.cli.layout import Parts, Rows
from keeprate.cli.output import Facts, money, print_document, table
from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import NanoUSD, usd


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("5", "$5.00"),
        ("436.7", "$436.70"),
        ("0.0336", "$0.0336"),
        ("0.000000001", "$0.000000001"),
        ("1340", "$1,340.00"),
    ],
)
def test_money_is_exact_and_shows_its_cents(amount: str, shown: str) -> None:
    assert money(usd(amount)) == shown


@pytest.mark.parametrize("nano", [1, 5_118_000, 123_456_789, 9_007_199_254_740_993, 2**63 - 1])
def test_money_in_a_document_keeps_every_digit(nano: int, capsys: pytest.CaptureFixture[str]) -> None:
    text = money(NanoUSD(nano)).removeprefix("$").replace(",", "")
    print_document({"charge_usd": text, "by_size_usd": {"1K": text}, "rows": [{"each_usd": text}]})
    document = json.loads(capsys.readouterr().out, parse_float=Decimal)
    for number in (document["charge_usd"], document["by_size_usd"]["1K"], document["rows"][0]["each_usd"]):
        assert number * 10**9 == nano


def test_only_money_becomes_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    print_document({"version": "1.0", "day": date(2026, 11, 21), "home": Path("a/b"), "each_usd": None})
    assert json.loads(capsys.readouterr().out) == {
        "version": "1.0",
        "day": "2026-11-21",
        "home": "a/b",
        "each_usd": None,
    }


def _drawn(*shown: object, width: int = 40) -> str:
    page = Console(file=io.StringIO(), width=width, color_system=None)
    for one in shown:
        page.print(one, crop=False)
    text = page.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_values_stand_below_each_other_and_wrap_at_words() -> None:
    drawn = _drawn(Facts(("price", "one two three four five six seven eight"), ("by", Text("whom"))))
    assert drawn == "price  one two three four five six seven\n       eight\nby     whom"


def test_a_path_is_never_broken_and_never_cut() -> None:
    path = "/a/" + "very-" * 12 + "long/path.png"
    assert _drawn(Facts(("file", path))) == f"file  {path}"


def test_words_of_others_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "red\x1b[2J\x9b31m \u202egpj.exe\nnext"
    assert (
        _drawn(Facts(("prompt", hostile)))
        == r"""prompt  red\x1b[2J\x9b31m \u202egpj.exe
        next"""
    )
    tell(InvalidValue(hostile, remedy=hostile), as_json=False)
    assert not {"\x1b", "\x9b", "\u202e"} & set(capsys.readouterr().err)


def test_an_amount_in_a_table_is_never_broken() -> None:
    drawn = table("model", "each", right=frozenset({"each"}))
    drawn.add_row("gemini-nano-banana-2.1", "$0.0361")
    assert "gemini-nano-banana-2.1" in _drawn(drawn, width=34)
    assert "$0.0361" in _drawn(drawn, width=34)


@pytest.mark.parametrize("width", [200, 80, 40, 20])
def test_a_table_loses_and_breaks_no_word_however_narrow_it_is(width: int) -> None:
    path = "/srv/pictures/keeprate/workspaces/default/assets/3f/3f2a.png"
    rows = Rows("model", "known as", "each", "where", right=frozenset({"each"}))
    rows.add_row("gemini-3.1-flash-lite-image", "Nano Banana 2 Lite", "$0.0336", f"kept in {path}")
    page = Console(file=io.StringIO(), width=width, color_system=None)
    page.print(rows, crop=False)
    words = page.file.getvalue().split()  # type: ignore[attr-defined]
    assert {"gemini-3.1-flash-lite-image", "Banana", "Lite", "$0.0336", path} <= set(words)


def test_parts_stay_whole() -> None:
    page = Console(file=io.StringIO(), width=20, color_system=None)
    page.print(Parts(Text("att_0123456789"), Text("$0.0336"), Text("$0.04 held")), crop=False)
    assert page.file.getvalue().splitlines() == ["att_0123456789", "    $0.0336", "    $0.04 held"]  # type: ignore[attr-defined]

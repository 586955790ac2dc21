"""The manual page names everything that the emulator can be asked for."""

from pathlib import Path
from typing import get_args

import pytest

from keeprate_emulator.__main__ import _parser
from keeprate_emulator.bill import BillRow
from keeprate_emulator.faults import Cause, Fault, Kind, Match

PAGE = (Path(__file__).resolve().parents[3] / "docs/reference/emulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_fault_is_described(kind: str) -> None:
    assert f"`{kind}`" in PAGE


@pytest.mark.parametrize(
    "name",
    [cause for cause in get_args(Cause) if cause]
    + [name for name in (*Fault.__struct_fields__, *Match.__struct_fields__) if name != "kind"]
    + ["call_no", *BillRow.__dataclass_fields__],
)
def test_every_member_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_option_is_described() -> None:
    options = {
        flag for action in _parser()._actions for flag in action.option_strings if flag.startswith("--")
    }
    assert {option for option in options - {"--help"} if f"`{option}" not in PAGE} == set()

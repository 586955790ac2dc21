"""The founding purpose table to the letter on its own day, and its dated successors on a later one."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from keeprate.domain.purposes import Purpose
from tests.system.cli.conftest import Shell

PRO, FLASH = "gemini-3-pro-image-preview", "gemini-3.1-flash-image-preview"
ULTRA, STANDARD, FAST = (
    "imagen-4.0-ultra-generate-001",
    "imagen-4.0-generate-001",
    "imagen-4.0-fast-generate-001",
)
NANO_BANANA = "gemini-2.5-flash-image"
GONE = {PRO, FLASH, "gemini-3.1-flash-image", NANO_BANANA, ULTRA, STANDARD, FAST}
CASES = list(itertools.product(Purpose, (0, 1, 3), (False, True)))


def _by_the_table(purpose: Purpose, references: int, *, text_heavy: bool) -> str:
    """The founding ladder, typed off its page; the order of its lines is the policy."""
    if references or purpose is Purpose.CHARACTER_LOCK:
        return PRO
    if purpose is Purpose.FINAL_HERO and text_heavy:
        return ULTRA
    table: Mapping[Purpose, str] = {
        Purpose.HERO: STANDARD,
        Purpose.DRAFT: FAST,
        Purpose.PREVIEW: FAST,
        Purpose.CONTEXTUAL_EDIT: FLASH,
    }
    return table.get(purpose, NANO_BANANA)


def _asked(shell: Shell, day: str, case: tuple[Purpose, int, bool], *more: str) -> dict[str, Any]:
    purpose, references, text_heavy = case
    ran = shell(
        "route", "--policy", "six-model", "--as-of", day, "--purpose", purpose,
        "--references", str(references), *(("--text-heavy",) if text_heavy else ()), *more, "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.out
    return ran.document


@pytest.mark.parametrize("text_heavy", [False, True])
@pytest.mark.parametrize("references", [0, 1, 3])
def test_the_founding_table_to_the_letter_while_the_budget_lasts(
    references: int, text_heavy: bool, shell: Shell
) -> None:
    for purpose in Purpose:
        case = (purpose, references, text_heavy)
        expected = _by_the_table(purpose, references, text_heavy=text_heavy)
        assert _asked(shell, "2026-04-15", case, "--budget-used", "89")["model"] == expected, case


@pytest.mark.parametrize("purpose", [Purpose.HERO, Purpose.CHARACTER_LOCK, Purpose.ECONOMY])
@pytest.mark.parametrize("used", ["90", "100"])
def test_from_90_per_cent_the_cheapest_is_taken_and_the_founding_one_is_named(
    used: str, purpose: Purpose, shell: Shell
) -> None:
    found = _asked(shell, "2026-04-15", (purpose, 0, False), "--budget-used", used)
    assert found["model"] == FAST
    assert _by_the_table(purpose, 0, text_heavy=False).removesuffix("-preview") in found["reason"]
    guarded = _asked(shell, "2026-04-15", (purpose, 2, False), "--budget-used", used)
    assert guarded["model"] == NANO_BANANA
    assert "gemini-3-pro-image" in guarded["reason"]


@pytest.mark.parametrize("purpose", Purpose)
def test_later_no_retired_id_is_chosen_and_every_replacement_is_named_with_its_price(
    purpose: Purpose, shell: Shell
) -> None:
    for references, text_heavy in ((0, False), (0, True), (2, False)):
        found = _asked(shell, "2026-11-21", (purpose, references, text_heavy))
        founding = _by_the_table(purpose, references, text_heavy=text_heavy).removesuffix("-preview")
        assert {step["model"] for step in found["steps"]}.isdisjoint(GONE)
        if found["model"] != founding:
            assert found["successor_of"].removesuffix("-preview") == founding
            assert founding in found["reason"]
            assert "$" in found["reason"]


def test_a_route_has_every_key_it_is_documented_with(shell: Shell) -> None:
    found = _asked(shell, "2026-11-21", (Purpose.HERO, 0, False))
    assert set(found) >= {
        "model", "surface", "upstream", "size", "lane", "policy", "reason", "steps", "rejected", "quote",
        "successor_of", "payload",
    }  # fmt: skip
    assert set(found["quote"]) == {"low_usd", "expected_usd", "worst_usd"}
    assert found["quote"]["low_usd"] <= found["quote"]["expected_usd"] <= found["quote"]["worst_usd"]
    assert all(set(one) >= {"model", "reason"} for one in found["rejected"])
    assert found["payload"]["contents"]


def test_a_person_sees_route_price_reason_and_what_was_not_chosen(shell: Shell) -> None:
    told = shell("route", "--purpose", "hero", "--as-of", "2026-11-21").out
    for word in ("route", "price", "expected", "at most", "reason", "not chosen", "simulated"):
        assert word in told
    assert "imagen-4.0-generate-001" not in told
    explained = shell("route", "--purpose", "hero", "--as-of", "2026-11-21", "--explain").out
    assert "imagen-4.0-generate-001" in explained
    assert "was shut down on 2026-08-17" in explained

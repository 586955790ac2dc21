"""The first purchase with real money in a home wants a yes; what is simulated never asks."""

import pytest

from tests.system.cli.conftest import Shell

GENERATE = ("generate", "a lamp")


def test_without_a_yes_nothing_is_bought_and_the_worst_price_is_told(real_shell: Shell) -> None:
    before = real_shell.accepted
    ran = real_shell(*GENERATE, "--json")
    assert (ran.code, ran.error["code"]) == (2, "confirmation_needed")
    assert "$" in ran.error["message"]
    assert "--yes" in ran.error["remedy"]
    assert real_shell.accepted == before


def test_a_yes_is_remembered_by_the_home(real_shell: Shell) -> None:
    first = real_shell(*GENERATE, "--yes", "--json")
    second = real_shell(*GENERATE, "--json")
    assert (first.code, second.code) == (0, 0)
    assert first.document["simulated"] is False


def test_the_environment_may_say_yes(real_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPRATE_YES", "1")
    assert real_shell(*GENERATE, "--json").code == 0


def test_looking_never_asks(real_shell: Shell) -> None:
    assert real_shell("route", "--json").code == 0


def test_what_is_simulated_never_asks(shell: Shell) -> None:
    assert shell(*GENERATE, "--json").document["simulated"] is True


def test_a_new_home_has_a_cap_of_five_dollars_a_day(real_shell: Shell) -> None:
    budgets = real_shell("budget", "--json").document["budgets"]
    assert {(budget["window"], budget["limit_usd"], budget["simulated"]) for budget in budgets} == {
        ("day", 5, False),
        ("day", 5, True),
    }

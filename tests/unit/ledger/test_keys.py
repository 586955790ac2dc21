"""Keys can be told from typing errors without asking the database."""

import pytest

from keeprate.domain.money import NanoUSD
from keeprate.ledger.keys import is_well_formed, new_secret
from keeprate.ledger.report import cost_per_accepted


def test_a_new_secret_is_well_formed_and_never_the_same() -> None:
    secrets = {new_secret() for _ in range(200)}
    assert len(secrets) == 200
    assert all(is_well_formed(secret) and len(secret) == 41 for secret in secrets)


def test_a_key_cut_short_or_run_on_is_seen() -> None:
    secret = new_secret()
    assert not is_well_formed(secret[:-1])
    assert not is_well_formed(secret + "0")


def test_any_single_changed_character_is_seen() -> None:
    secret = new_secret()
    for place in range(len(secret)):
        other = "a" if secret[place] != "a" else "b"
        assert not is_well_formed(secret[:place] + other + secret[place + 1 :])


@pytest.mark.parametrize("wrong", ["", "kr_", "kr_x", "sk-123", "kr_" + "é" * 38, "kr_" + "0" * 38])
def test_what_is_no_key_is_no_key(wrong: str) -> None:
    assert not is_well_formed(wrong)


@pytest.mark.parametrize(
    ("spent", "cleanup", "accepted", "expected"),
    [(755, 0, 1, 755), (755, 0, 3, 252), (0, 0, 5, 0), (755, 100, 0, None), (5, 0, 2, 3), (10, 5, 3, 5)],
)
def test_cost_per_accepted_is_rounded_half_up(
    spent: int, cleanup: int, accepted: int, expected: int | None
) -> None:
    assert cost_per_accepted(NanoUSD(spent), NanoUSD(cleanup), accepted) == expected

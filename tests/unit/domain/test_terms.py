"""What a key may do."""

import pytest

from keeprate.domain.purposes import Purpose
from keeprate.domain.scopes import Role
from keeprate.domain.terms import OWNER_TERMS, PLAIN_TERMS, Grant, KeyTerms, Reserved


@pytest.mark.parametrize("grant", list(Grant))
def test_a_key_may_what_it_was_granted_and_an_administrator_everything(grant: Grant) -> None:
    only = KeyTerms(grants=frozenset({grant}))
    assert [other for other in Grant if only.allows(other)] == (
        list(Grant) if grant is Grant.ADMIN else [grant]
    )


def test_grants_amount_to_roles() -> None:
    assert PLAIN_TERMS.roles == {Role.BUYER}
    assert OWNER_TERMS.roles == set(Role)


@pytest.mark.parametrize(
    ("terms", "model", "serves"),
    [
        (KeyTerms(), "pro-1", True),
        (KeyTerms(models=frozenset({"pro"})), "pro-1", True),
        (KeyTerms(models=frozenset({"pro-1"})), "pro-1", True),
        (KeyTerms(models=frozenset({"flash"})), "pro-1", False),
        (KeyTerms(reserved=(Reserved(model="pro", purposes=frozenset({Purpose.HERO})),)), "pro-1", True),
        (KeyTerms(reserved=(Reserved(model="pro", purposes=frozenset()),)), "pro-1", False),
        (KeyTerms(reserved=(Reserved(model="flash", purposes=frozenset()),)), "pro-1", True),
    ],
)
def test_models_are_allowed_by_id_and_by_line_and_reserved_for_purposes(
    terms: KeyTerms, model: str, serves: bool
) -> None:
    assert terms.serves(model, "pro", Purpose.HERO) is serves

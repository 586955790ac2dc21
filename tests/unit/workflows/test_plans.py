"""Plans and the words a key is asked for in."""

from datetime import UTC, datetime

import pytest

from keeprate.catalogue.book import Book
from keeprate.domain.budgets import Window
from keeprate.domain.errors import ConfigError, InvalidValue
from keeprate.domain.geometry import Size
from keeprate.domain.money import usd
from keeprate.domain.purposes import Purpose
from keeprate.domain.terms import BUYING, OWNER_TERMS, Cap, Grant, KeyTerms
from keeprate.workflows.plans import Agreed, TermsAsked, agreed, plans_in
from tests.books import official_book

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BOOK: Book = official_book()
SHIPPED = plans_in(())
EVERY_OTHER = sorted(set(Purpose) - {Purpose.CHARACTER_LOCK})


def asked(**words: object) -> Agreed:
    return agreed(TermsAsked(**words), SHIPPED, book=BOOK, now=NOW)  # type: ignore[arg-type]


def test_a_key_made_with_nothing_but_a_name_buys_and_does_no_more() -> None:
    assert asked() == Agreed(terms=KeyTerms(grants=BUYING), cap=None)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_pro_is_there_for_paid_users_who_ask_for_character_consistency(purpose: Purpose) -> None:
    paid, free = asked(plan="paid").terms, asked(plan="free").terms
    assert paid.serves("gemini-3-pro-image", "pro", purpose) == (purpose is Purpose.CHARACTER_LOCK)
    assert not free.serves("gemini-3-pro-image", "pro", purpose)
    assert paid.serves("gemini-nano-banana-2.1", "flash", purpose)
    assert free.serves("gemini-nano-banana-2.1", "flash", purpose)


def test_what_is_asked_goes_before_the_plan() -> None:
    made = asked(plan="development", cap="7", largest_size="4k", policy="flash-first")
    assert made.terms.largest_size is Size.FOUR_K
    assert made.terms.policy == "flash-first"
    assert made.terms.purpose is Purpose.DRAFT
    assert made.cap == Cap(limit=usd("7"), window=Window.DAY)
    assert asked(plan="development").cap == Cap(limit=usd("1"), window=Window.DAY)
    assert asked(plan="free").terms.user_cap == Cap(limit=usd("0.50"), window=Window.DAY)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("90d", datetime(2027, 2, 19, 12, tzinfo=UTC)),
        ("30m", datetime(2026, 11, 21, 12, 30, tzinfo=UTC)),
        ("2026-11-21", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_key_ends_after_a_span_or_with_a_day(text: str, end: datetime) -> None:
    assert asked(expires=text).terms.expires_at == end


def test_models_are_given_by_id_market_name_or_line() -> None:
    terms = asked(models=("pro", "Nano Banana 2.1")).terms
    assert terms.models == {"pro", "gemini-nano-banana-2.1"}
    assert terms.serves("gemini-3-pro-image", "pro", Purpose.HERO)
    assert not terms.serves("gemini-2.5-flash-image", "nano-banana", Purpose.HERO)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"plan": "gold"}, "plan"),
        ({"scopes": ("generate", "fly")}, "scopes"),
        ({"scopes": ()}, "scopes"),
        ({"models": ("dall-e-9",)}, "models"),
        ({"expires": "soon"}, "expires"),
        ({"expires": "2026-11-20"}, "expires"),
        ({"largest_size": "8K"}, "largest_size"),
        ({"per_minute": 0}, "per_minute"),
        ({"policy": "dearest"}, "policy"),
        ({"purpose": "fun"}, "purpose"),
        ({"cap": "much"}, "cap"),
        ({"cap": "1", "per": "week"}, "per"),
    ],
)
def test_a_word_that_does_not_fit_is_refused_by_name(words: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        asked(**words)
    assert refused.value.field == field
    assert refused.value.remedy


def test_the_owner_replaces_and_adds_plans() -> None:
    text = '[plan.free]\nlargest_size = "512"\n[plan.agency]\nscopes = ["generate", "read"]\nmodels = ["flash"]\n'
    plans = plans_in([("keeprate.toml", text)])
    assert set(plans) == {"development", "free", "paid", "agency"}
    made = agreed(TermsAsked(plan="agency"), plans, book=BOOK, now=NOW)
    assert made.terms.grants == {Grant.GENERATE, Grant.READ}
    free = agreed(TermsAsked(plan="free"), plans, book=BOOK, now=NOW).terms
    assert (free.largest_size, free.reserved) == (Size.HALF_K, ())


@pytest.mark.parametrize("text", ['[plan.x]\ncapp = "1"\n', "[plan.x]\nper_minute = 'often'\n", "plan = 3\n"])
def test_a_plan_that_does_not_fit_names_its_file(text: str) -> None:
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        plans_in([("mine.toml", text)])


def test_an_administrator_may_do_everything() -> None:
    admin = KeyTerms(grants=frozenset({Grant.ADMIN}))
    assert all(admin.allows(grant) for grant in Grant)
    assert OWNER_TERMS.serves("anything", "any", Purpose.HERO)

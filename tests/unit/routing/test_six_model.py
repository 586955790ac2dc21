"""The founding table to the letter, its guard made to work, and its dead models followed."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import pytest

from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Purpose, TextAmount, Thinking
from keeprate.domain.routes import GEMINI_API, VERTEX, Route
from keeprate.routing.cases import Situation
from keeprate.routing.decide import decide
from keeprate.routing.market import Market
from keeprate.routing.policies import POLICIES
from keeprate.routing.six_model import IMAGEN_FAST, IMAGEN_STANDARD, NANO_BANANA, SIX_MODEL
from tests.books import official_book
from tests.unit.routing.goods import flash, market, painter, pro, request, thinking, upstream

APRIL = date(2026, 4, 15)
NOVEMBER = date(2026, 11, 21)

MODEL_REGISTRY = {
    "nano_banana_pro": "gemini-3-pro-image-preview",
    "gemini_31_flash_image": "gemini-3.1-flash-image-preview",
    "nano_banana": "gemini-2.5-flash-image",
    "imagen_4_ultra": "imagen-4.0-ultra-generate-001",
    "imagen_4_standard": "imagen-4.0-generate-001",
    "imagen_4_fast": "imagen-4.0-fast-generate-001",
}


def route_tier(constraints: Mapping[str, object]) -> str:  # noqa: PLR0911
    """The founding router, branch by branch, as a second opinion."""
    if constraints.get("reference_images"):
        return "nano_banana_pro"
    if constraints.get("purpose") == "character_lock":
        return "nano_banana_pro"
    if constraints.get("purpose") == "final_hero" and constraints.get("text_heavy"):
        return "imagen_4_ultra"
    if constraints.get("purpose") == "hero":
        return "imagen_4_standard"
    if constraints.get("purpose") in ("draft", "preview"):
        return "imagen_4_fast"
    if constraints.get("purpose") == "contextual_edit":
        return "gemini_31_flash_image"
    return "nano_banana"


@cache
def official(day: date, *surfaces: str) -> Market:
    upstreams = [upstream(surface, surface) for surface in surfaces or (GEMINI_API,)]  # type: ignore[arg-type]
    return Market.of(official_book(), upstreams, day)


@pytest.mark.parametrize("text", TextAmount)
@pytest.mark.parametrize("references", [0, 1, 3, 14])
@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("used", [0, 89])
def test_april_gives_exactly_the_founding_ids(
    purpose: Purpose, references: int, text: TextAmount, used: int
) -> None:
    asked = request(purpose, references=references, text=text)

    decision = decide(
        asked, market=official(APRIL), policy=SIX_MODEL, situation=Situation(budget_used_percent=used)
    )

    constraints = {
        "purpose": str(purpose),
        "reference_images": references,
        "text_heavy": text is TextAmount.DENSE,
    }
    wanted = MODEL_REGISTRY[route_tier(constraints)]
    assert decision.chosen.route.model == wanted
    assert decision.founding_model == wanted
    assert decision.successor_of is None


@pytest.mark.parametrize("references", [0, 2])
@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("used", [90, 100, 250])
def test_the_guard_takes_the_cheapest_eligible_route_and_names_the_founding_one(
    purpose: Purpose, references: int, used: int
) -> None:
    asked = request(purpose, references=references)
    tight = Situation(budget_used_percent=used)

    guarded = decide(asked, market=official(APRIL), policy=SIX_MODEL, situation=tight)

    cheapest = decide(asked, market=official(APRIL), policy=POLICIES["cheapest"])
    assert guarded.chosen.route == cheapest.chosen.route
    assert guarded.founding_model is not None
    assert guarded.founding_model in guarded.reason
    assert f"{used} % of the budget is used" in guarded.reason


def test_no_retired_id_is_ever_chosen_and_each_replacement_is_named_with_price_and_reason() -> None:
    book = official_book()
    for surfaces in ((GEMINI_API,), (VERTEX,), (GEMINI_API, VERTEX)):
        goods = official(NOVEMBER, *surfaces)
        for purpose in Purpose:
            for references in (0, 1, 3):
                for text in TextAmount:
                    decision = decide(
                        request(purpose, references=references, text=text), market=goods, policy=SIX_MODEL
                    )
                    chosen = decision.chosen
                    card = book.card(chosen.surface, chosen.route.model, NOVEMBER)
                    assert card.lives_on(NOVEMBER)
                    if chosen.route.model != decision.founding_model:
                        assert decision.successor_of == decision.founding_model
                        assert f"successor {chosen.route.model}" in decision.reason
                        assert "per https://" in decision.reason
                        assert " at $0." in decision.reason


def test_every_step_of_every_policy_lives_on_every_day_of_the_year() -> None:
    book = official_book()
    day = APRIL
    while day <= NOVEMBER:
        goods = official(day)
        for policy in (SIX_MODEL, POLICIES["flash-first"], POLICIES["quality-first"], POLICIES["cheapest"]):
            for purpose in Purpose:
                decision = decide(request(purpose), market=goods, policy=policy)
                for step in decision.steps:
                    assert book.card(GEMINI_API, step.offer.route.model, day).lives_on(day)
        day += timedelta(days=13)


@pytest.mark.parametrize(
    ("purpose", "model", "level"),
    [
        (Purpose.HERO, "gemini-nano-banana-2.1", Thinking.HIGH),
        (Purpose.DRAFT, "gemini-nano-banana-2.1", Thinking.MINIMAL),
        (Purpose.SOCIAL, "gemini-3.1-flash-lite-image", Thinking.MINIMAL),
        (Purpose.CONTEXTUAL_EDIT, "gemini-nano-banana-2.1", Thinking.MEDIUM),
        (Purpose.CHARACTER_LOCK, "gemini-3-pro-image", Thinking.FIXED),
    ],
)
def test_november_follows_the_successors_at_the_level_their_source_says(
    purpose: Purpose, model: str, level: Thinking
) -> None:
    route = decide(request(purpose), market=official(NOVEMBER), policy=SIX_MODEL).chosen.route
    assert (route.model, route.thinking) == (model, level)


def test_a_level_the_caller_asked_for_goes_before_the_source() -> None:
    asked = request(Purpose.HERO, thinking=Thinking.MINIMAL)
    assert (
        decide(asked, market=official(NOVEMBER), policy=SIX_MODEL).chosen.route.thinking is Thinking.MINIMAL
    )


def test_the_guard_says_when_the_founding_choice_is_the_cheapest_itself() -> None:
    goods = market(painter(IMAGEN_FAST, "0.02"), flash())
    decision = decide(
        request(Purpose.DRAFT), market=goods, policy=SIX_MODEL, situation=Situation(budget_used_percent=90)
    )
    assert "is itself the cheapest eligible route" in decision.reason


def test_a_founding_choice_that_cannot_serve_leaves_it_to_the_cheapest() -> None:
    goods = market(painter(IMAGEN_STANDARD, "0.04"), flash(), pro())
    decision = decide(request(Purpose.HERO, size=Size.FOUR_K), market=goods, policy=SIX_MODEL)

    assert decision.chosen.route.model == "flash-2"
    assert decision.founding_model == IMAGEN_STANDARD
    assert "which cannot serve this request and has no successor that can" in decision.reason


def test_an_heir_at_another_level_replaces_its_own_default_in_the_list() -> None:
    levels = thinking((Thinking.MEDIUM, 300, 1000), (Thinking.HIGH, 900, 2000))
    dead = painter(IMAGEN_STANDARD, "0.04", shutdown_on=date(2026, 8, 17))
    goods = market(dead, flash(thinking=levels), pro(), heirs={IMAGEN_STANDARD: ("flash-2", Thinking.HIGH)})

    decision = decide(request(Purpose.HERO), market=goods, policy=SIX_MODEL)

    assert decision.chosen.route.thinking is Thinking.HIGH
    assert decision.chosen.successor_of == IMAGEN_STANDARD
    assert {one.route.model for one in decision.rejected} == {IMAGEN_STANDARD, "pro-3"}


def test_an_heir_that_cannot_read_so_long_a_prompt_is_no_heir() -> None:
    levels = thinking((Thinking.MEDIUM, 300, 1000), (Thinking.HIGH, 900, 2000))
    dead = painter(IMAGEN_STANDARD, "0.04", shutdown_on=date(2026, 8, 17))
    small = flash(thinking=levels, max_prompt_tokens=100)
    goods = market(dead, small, pro(), heirs={IMAGEN_STANDARD: ("flash-2", Thinking.HIGH)})

    decision = decide(request(Purpose.HERO, prompt="x" * 400), market=goods, policy=SIX_MODEL)

    assert decision.chosen.route.model == "pro-3"


def test_a_model_under_another_id_is_told_as_such() -> None:
    goods = market(flash(), heirs={NANO_BANANA: ("flash-2", None)})
    decision = decide(request(), market=goods, policy=SIX_MODEL)
    assert "it goes by another id now; successor flash-2 per https://" in decision.reason


def test_an_heir_without_the_level_its_source_names_is_no_heir() -> None:
    dead = painter(IMAGEN_STANDARD, "0.04", shutdown_on=date(2026, 8, 17))
    goods = market(dead, flash(), pro(), heirs={IMAGEN_STANDARD: ("flash-2", Thinking.HIGH)})

    decision = decide(request(Purpose.HERO), market=goods, policy=SIX_MODEL)

    assert decision.successor_of is None
    assert decision.chosen.route == Route(upstream="google", model=flash().card.model, size=Size.ONE_K)
    assert "has no successor that can" in decision.reason

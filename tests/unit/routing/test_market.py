"""A market made from the book of facts."""

import re
from datetime import date

import pytest

from keeprate.catalogue.standard import book_of
from keeprate.domain.errors import ModelRetired
from keeprate.domain.purposes import Thinking
from keeprate.domain.routes import GEMINI_API, VERTEX, ModelId
from keeprate.routing.decide import decide
from keeprate.routing.estimates import EstimateQuery, estimate
from keeprate.routing.market import Market
from keeprate.routing.policies import POLICIES
from tests.books import fact_texts, official_book
from tests.unit.routing.goods import request, upstream

NOVEMBER = date(2026, 11, 21)


def november(*names: str) -> Market:
    surfaces = {"google": GEMINI_API, "vertex": VERTEX}
    return Market.of(official_book(), [upstream(name, surfaces[name]) for name in names], NOVEMBER)


def test_the_dead_are_listed_too_so_that_a_rejection_can_say_why() -> None:
    models = {listing.card.model: listing for listing in november("google").listings}
    assert not models[ModelId("imagen-4.0-generate-001")].card.lives_on(NOVEMBER)
    assert models[ModelId("gemini-3-pro-image")].card.lives_on(NOVEMBER)


def test_a_dead_model_is_rejected_with_the_day_and_the_one_that_took_over() -> None:
    decision = decide(request(), market=november("google"), policy=POLICIES["cheapest"])
    reasons = {one.route.model: one.reason for one in decision.rejected if one.code == "retired"}

    assert (
        reasons["imagen-4.0-generate-001"] == "was shut down on 2026-08-17; gemini-nano-banana-2.1 took over"
    )
    assert (
        reasons["gemini-3-pro-image-preview"] == "was shut down on 2026-06-25; gemini-3-pro-image took over"
    )


def test_a_model_may_live_on_one_upstream_and_be_dead_on_another() -> None:
    goods = november("google", "vertex")
    flash_31 = goods.acting(ModelId("gemini-3.1-flash-image"))

    assert [(one.listing.upstream.name, one.listing.card.model) for one in flash_31] == [
        ("google", "gemini-nano-banana-2.1"),
        ("vertex", "gemini-3.1-flash-image"),
    ]
    assert flash_31[0].chain == ("gemini-3.1-flash-image", "gemini-nano-banana-2.1")
    assert flash_31[0].shutdown_on == date(2026, 10, 29)
    assert (flash_31[1].chain, flash_31[1].shutdown_on) == (("gemini-3.1-flash-image",), None)


def test_a_successor_comes_with_the_level_and_the_source_that_names_it() -> None:
    (heir,) = november("google").acting(ModelId("imagen-4.0-generate-001"))
    assert heir.thinking is Thinking.HIGH
    assert heir.source.startswith("https://firebase.google.com/")


def test_nobody_acts_for_a_model_nobody_knows() -> None:
    assert november("google").acting(ModelId("nobody")) == ()


def test_the_current_model_of_a_line_is_told_per_upstream() -> None:
    goods = november("google", "vertex")
    assert ("google", "gemini-nano-banana-2.1") in goods.current("flash")
    assert goods.current("no such line") == frozenset()


def test_a_market_is_itself_and_no_other() -> None:
    first, second = november("google"), november("google")
    assert first == first
    assert first != second


def test_a_model_without_a_price_is_listed_and_never_offered() -> None:
    texts = dict(fact_texts())
    texts["nano-banana-2-lite.toml"] = without(texts["nano-banana-2-lite.toml"], "price")
    goods = Market.of(book_of(texts), [upstream()], NOVEMBER)

    decision = decide(request(), market=goods, policy=POLICIES["cheapest"])

    lite = next(one for one in decision.rejected if one.route.model == "gemini-3.1-flash-lite-image")
    assert (lite.code, lite.reason) == ("unpriced", "has no price on 2026-11-21, so it is never offered")


def test_a_blend_with_a_dead_model_nobody_succeeds_is_refused() -> None:
    texts = dict(fact_texts())
    texts["nano-banana.toml"] = without(texts["nano-banana.toml"], "successor")

    with pytest.raises(ModelRetired) as caught:
        estimate(EstimateQuery(count=100, mix="six-model-blend"), book=book_of(texts), day=NOVEMBER)
    assert caught.value.value == "gemini-2.5-flash-image"


def without(text: str, table: str) -> str:
    """Return a facts file without its rows of one table."""
    return "".join(block for block in re.split(r"(?m)^(?=\[)", text) if not block.startswith(f"[[{table}]]"))

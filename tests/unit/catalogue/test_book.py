from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeprate.catalogue.book import FIRST_DAY
from keeprate.catalogue.cards import LifecycleEvent
from keeprate.domain.errors import CatalogueError, NoPriceOnDate, UnknownModel
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Thinking
from keeprate.domain.routes import GEMINI_API, VERTEX, ModelId
from tests.books import official_book
from tests.unit.catalogue.facts import DAY, PAINTER, PAINTER_FACTS, SHOP, book_from, row

BOOK = official_book()
TODAY = date(2026, 11, 21)
FOUNDING_SIX = {
    "gemini-3-pro-image-preview",
    "gemini-3.1-flash-image-preview",
    "gemini-2.5-flash-image",
    "imagen-4.0-ultra-generate-001",
    "imagen-4.0-generate-001",
    "imagen-4.0-fast-generate-001",
}

days = st.dates(min_value=FIRST_DAY, max_value=date(2028, 12, 31))
places = st.sampled_from([(surface, model) for surface in BOOK.surfaces for model in BOOK.model_ids(surface)])


def living(surface, day: date) -> set[str]:
    return {card.model for card in BOOK.models(surface, day)}


def test_the_founding_six_are_what_lives_in_april() -> None:
    assert living(GEMINI_API, date(2026, 4, 15)) == FOUNDING_SIX
    assert living(VERTEX, date(2026, 4, 15)) == FOUNDING_SIX


def test_three_models_live_on_the_gemini_api_in_november() -> None:
    assert living(GEMINI_API, TODAY) == {
        "gemini-3-pro-image",
        "gemini-nano-banana-2.1",
        "gemini-3.1-flash-lite-image",
    }


def test_life_is_told_per_surface() -> None:
    assert "gemini-3.1-flash-image" in living(VERTEX, TODAY)
    assert "gemini-3.1-flash-image" not in living(GEMINI_API, TODAY)
    between = date(2026, 7, 1)
    assert "gemini-3-pro-image-preview" in living(VERTEX, between)
    assert "gemini-3-pro-image-preview" not in living(GEMINI_API, between)


@pytest.mark.parametrize(
    ("surface", "model", "last_day"),
    [
        (GEMINI_API, "gemini-3-pro-image-preview", date(2026, 6, 24)),
        (VERTEX, "gemini-3.1-flash-image-preview", date(2026, 7, 16)),
        (GEMINI_API, "imagen-4.0-generate-001", date(2026, 8, 16)),
        (VERTEX, "imagen-4.0-ultra-generate-001", date(2026, 8, 16)),
        (GEMINI_API, "gemini-2.5-flash-image", date(2026, 10, 1)),
        (GEMINI_API, "gemini-3.1-flash-image", date(2026, 10, 28)),
    ],
)
def test_a_model_lives_on_its_last_day_and_not_on_the_next(surface, model: str, last_day: date) -> None:
    assert model in living(surface, last_day)
    assert model not in living(surface, last_day + timedelta(days=1))


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 5, 12), None),
        (date(2026, 5, 13), date(2026, 6, 24)),
        (date(2026, 6, 10), date(2026, 6, 30)),
        (date(2026, 6, 15), date(2026, 8, 17)),
        (TODAY, date(2026, 8, 17)),
    ],
)
def test_an_end_is_told_as_it_was_announced_by_the_day(day: date, end: date | None) -> None:
    card = BOOK.card(GEMINI_API, ModelId("imagen-4.0-generate-001"), day)
    assert card.shutdown_on == end
    told = [one.on for one in card.announcements if one.event is LifecycleEvent.SHUTDOWN]
    assert told == sorted(told)
    assert all(one.announced_on <= day for one in card.announcements)


@pytest.mark.parametrize(
    ("surface", "model", "day", "heir", "thinking"),
    [
        (GEMINI_API, "imagen-4.0-ultra-generate-001", TODAY, "gemini-3-pro-image", None),
        (GEMINI_API, "imagen-4.0-generate-001", TODAY, "gemini-nano-banana-2.1", Thinking.HIGH),
        (GEMINI_API, "imagen-4.0-fast-generate-001", TODAY, "gemini-nano-banana-2.1", Thinking.MINIMAL),
        (
            GEMINI_API,
            "imagen-4.0-fast-generate-001",
            date(2026, 9, 1),
            "gemini-3.1-flash-image",
            Thinking.MINIMAL,
        ),
        (GEMINI_API, "gemini-2.5-flash-image", TODAY, "gemini-3.1-flash-lite-image", None),
        (GEMINI_API, "gemini-3.1-flash-image", TODAY, "gemini-nano-banana-2.1", None),
        (GEMINI_API, "gemini-3.1-flash-image-preview", TODAY, "gemini-nano-banana-2.1", None),
        (VERTEX, "gemini-3.1-flash-image-preview", TODAY, "gemini-3.1-flash-image", None),
        (VERTEX, "gemini-3.1-flash-image", TODAY, "gemini-nano-banana-2.1", None),
    ],
)
def test_successors_are_followed_to_a_living_model(surface, model, day, heir, thinking) -> None:
    found = BOOK.successor(surface, ModelId(model), day)
    assert found is not None
    assert (found.card.model, found.thinking) == (heir, thinking)
    assert found.chain[0] == model
    assert found.said is not None
    assert found.said.provenance.source.startswith("https://")


def test_pro_has_no_successor() -> None:
    assert BOOK.successor(GEMINI_API, ModelId("gemini-3-pro-image"), TODAY) is None
    assert BOOK.successor(GEMINI_API, ModelId("nobody"), TODAY) is None


@pytest.mark.parametrize(
    ("model", "day", "acting", "chain"),
    [
        ("gemini-3-pro-image", date(2026, 4, 15), "gemini-3-pro-image-preview", ("gemini-3-pro-image",)),
        ("gemini-3-pro-image-preview", date(2026, 4, 15), "gemini-3-pro-image-preview", ()),
        (
            "gemini-3-pro-image-preview",
            date(2026, 6, 1),
            "gemini-3-pro-image",
            ("gemini-3-pro-image-preview",),
        ),
        ("gemini-3.1-flash-image", date(2026, 10, 20), "gemini-3.1-flash-image", ()),
        ("gemini-3.1-flash-image", TODAY, "gemini-nano-banana-2.1", ("gemini-3.1-flash-image",)),
        (
            "gemini-3.1-flash-image-preview",
            TODAY,
            "gemini-nano-banana-2.1",
            ("gemini-3.1-flash-image-preview", "gemini-3.1-flash-image"),
        ),
    ],
)
def test_somebody_acts_for_each_founding_model_on_any_day(model, day, acting, chain) -> None:
    found = BOOK.acting_for(GEMINI_API, ModelId(model), day)
    assert found is not None
    assert (found.card.model, found.chain) == (acting, chain)


def test_nobody_acts_for_a_model_nobody_knows() -> None:
    assert BOOK.acting_for(GEMINI_API, ModelId("nobody"), TODAY) is None


@pytest.mark.parametrize(
    ("line", "surface", "day", "model"),
    [
        ("flash", GEMINI_API, date(2026, 4, 15), "gemini-3.1-flash-image-preview"),
        ("flash", VERTEX, date(2026, 6, 1), "gemini-3.1-flash-image"),
        ("flash", GEMINI_API, date(2026, 10, 5), "gemini-3.1-flash-image"),
        ("flash", GEMINI_API, date(2026, 10, 6), "gemini-nano-banana-2.1"),
        ("flash", VERTEX, TODAY, "gemini-nano-banana-2.1"),
        ("pro", GEMINI_API, TODAY, "gemini-3-pro-image"),
    ],
)
def test_the_newest_living_model_of_a_line_is_current(line, surface, day, model) -> None:
    card = BOOK.current(line, surface, day)
    assert card is not None
    assert card.model == model


def test_a_dead_line_has_no_current_model() -> None:
    assert BOOK.current("imagen", GEMINI_API, TODAY) is None


def test_dying_models_are_listed_with_their_last_day_and_heir() -> None:
    found = BOOK.dying(date(2026, 10, 10), 45)
    assert [(one.card.surface, one.card.model, one.days_left) for one in found] == [
        (GEMINI_API, "gemini-3.1-flash-image", 19)
    ]
    assert found[0].last_day == date(2026, 10, 28)
    assert found[0].successor is not None
    assert found[0].successor.card.model == "gemini-nano-banana-2.1"
    assert BOOK.dying(date(2026, 10, 10), 18) == ()


def test_dying_models_come_soonest_first() -> None:
    found = BOOK.dying(date(2026, 6, 16), 120)
    assert [one.days_left for one in found] == sorted(one.days_left for one in found)
    assert len(found) > 4


def test_a_day_before_the_book_begins_is_refused() -> None:
    with pytest.raises(CatalogueError, match="begins on 2026-04-01") as caught:
        BOOK.models(GEMINI_API, FIRST_DAY - timedelta(days=1))
    assert caught.value.field == "as_of"


def test_an_unknown_id_has_no_card_and_no_price() -> None:
    with pytest.raises(UnknownModel):
        BOOK.card(GEMINI_API, ModelId("nobody"), TODAY)
    with pytest.raises(NoPriceOnDate):
        BOOK.price_on(GEMINI_API, ModelId("nobody"), TODAY)
    with pytest.raises(UnknownModel):
        BOOK.card(GEMINI_API, ModelId("gemini-nano-banana-2.1"), date(2026, 10, 5))


def test_a_retired_model_keeps_its_card_and_price_for_replay() -> None:
    ultra = ModelId("imagen-4.0-ultra-generate-001")
    assert not BOOK.card(GEMINI_API, ultra, TODAY).lives_on(TODAY)
    assert BOOK.price_on(GEMINI_API, ultra, TODAY).per_image[Size.ONE_K] == 60_000_000


def test_a_price_is_that_of_the_latest_row_which_has_begun() -> None:
    book = book_from(
        PAINTER_FACTS,
        row("price", 'image_output_per_million = "20.00"', valid_from="2026-07-01"),
        row("price", 'image_output_per_million = "30.00"', valid_from="2026-08-01"),
    )
    rates = [
        book.price_on(SHOP, PAINTER, day).image_output_each
        for day in (date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 31), date(2026, 8, 1))
    ]
    assert rates == [10_000, 20_000, 20_000, 30_000]


def test_a_price_that_has_not_begun_is_no_price() -> None:
    late = PAINTER_FACTS.replace("valid_from = 2026-01-01", "valid_from = 2026-09-01")
    book = book_from(late.replace("valid_from = 2026-09-01", "valid_from = 2026-01-01", 2))
    with pytest.raises(NoPriceOnDate):
        book.price_on(SHOP, PAINTER, DAY)


def test_a_price_without_a_rate_is_no_price() -> None:
    facts = PAINTER_FACTS.replace('image_output_per_million = "10.00"', "")
    with pytest.raises(NoPriceOnDate):
        book_from(facts).price_on(SHOP, PAINTER, DAY)


def test_price_ids_change_with_what_they_stand_for() -> None:
    book = book_from(
        PAINTER_FACTS,
        row("lane", 'lane = "batch"\nmultiplier = "0.5"', valid_from="2026-07-01"),
    )
    before, after = (book.price_on(SHOP, PAINTER, day) for day in (DAY, date(2026, 7, 1)))
    assert (before.id, after.id) == ("shop/painter-1@2026-01-01", "shop/painter-1@2026-07-01")


def test_a_loop_of_successors_ends() -> None:
    second = PAINTER_FACTS.replace("painter-1", "painter-2").replace("Painter One", "Painter Two")
    ends = 'event = "shutdown"\non = 2026-05-01'
    book = book_from(
        PAINTER_FACTS.split("[[capability]]")[0],
        second.split("[[capability]]")[0],
        "[[capability]]" + PAINTER_FACTS.split("[[capability]]")[1],
        row("lifecycle", ends),
        row("successor", 'model = "painter-1"\nto = "painter-2"'),
        row("successor", 'model = "painter-2"\nto = "painter-1"'),
    )
    assert book.successor(SHOP, PAINTER, DAY) is None
    assert book.acting_for(SHOP, PAINTER, DAY) is None


def test_a_successor_that_is_not_out_yet_is_not_followed() -> None:
    later = PAINTER_FACTS.split("[[capability]]")[0].replace("painter-1", "painter-2")
    book = book_from(
        PAINTER_FACTS,
        later.replace("valid_from = 2026-01-01", "valid_from = 2026-12-01"),
        row("successor", 'model = "painter-1"\nto = "painter-2"'),
    )
    assert book.successor(SHOP, PAINTER, DAY) is None


def test_the_narrower_of_two_rows_of_one_day_wins() -> None:
    second = PAINTER_FACTS.split("[[capability]]")[0].replace("painter-1", "painter-2")
    narrow = row("capability", 'model = "painter-2"\nmax_references = 9', valid_from="2026-01-01")
    book = book_from(narrow, PAINTER_FACTS, second)
    assert book.card(SHOP, ModelId("painter-2"), DAY).max_references == 9
    assert book.card(SHOP, PAINTER, DAY).max_references == 2


def test_a_living_dead_and_unborn_model_are_told_apart() -> None:
    card = BOOK.card(GEMINI_API, ModelId("gemini-3.1-flash-image"), TODAY)
    assert not card.lives_on(card.released_on - timedelta(days=1))
    assert card.lives_on(card.released_on)
    assert not card.is_preview
    assert card.preview_ids == ("gemini-3.1-flash-image-preview",)


@given(day=days, place=places)
def test_every_living_model_has_a_price_for_each_of_its_sizes(day: date, place) -> None:
    surface, model = place
    card = BOOK.find(surface, model, day)
    if card is None or not card.lives_on(day):
        return
    price = BOOK.price_on(surface, model, day)
    assert set(card.sizes) == set(price.per_image or price.image_tokens)
    assert set(card.sizes) == set(price.card)
    assert set(card.sizes) <= set(card.timeout_s)
    assert min(card.timeout_s.values()) >= 180
    for size, tokens in price.image_tokens.items():
        assert price.image_tokens_high[size] >= tokens > 0


@given(day=days, place=places)
def test_whoever_acts_for_a_model_is_alive(day: date, place) -> None:
    surface, model = place
    found = BOOK.acting_for(surface, model, day)
    if found is not None:
        assert found.card.lives_on(day)
        assert found.card.model not in found.chain
        assert len(set(found.chain)) == len(found.chain)


@given(day=days, place=places)
def test_a_released_model_always_has_somebody_to_act_for_it_until_vertex_dates_pass(day: date, place) -> None:
    surface, model = place
    if day < date(2027, 5, 28) and BOOK.find(surface, model, day) is not None:
        assert BOOK.acting_for(surface, model, day) is not None


@settings(max_examples=15)
@given(day=days)
def test_answers_do_not_depend_on_the_order_of_questions(day: date) -> None:
    fresh = type(BOOK)(BOOK.statements)
    assert [card.model for card in fresh.models(GEMINI_API, day)] == [
        card.model for card in BOOK.models(GEMINI_API, day)
    ]


@given(day=days, later=st.integers(0, 800), place=places)
def test_a_price_holds_until_a_row_says_otherwise(day: date, later: int, place) -> None:
    surface, model = place
    other = day + timedelta(days=later)
    if any(day < change <= other for change in BOOK.change_days):
        return
    try:
        first = BOOK.price_on(surface, model, day)
    except NoPriceOnDate:
        with pytest.raises(NoPriceOnDate):
            BOOK.price_on(surface, model, other)
        return
    assert BOOK.price_on(surface, model, other) is first

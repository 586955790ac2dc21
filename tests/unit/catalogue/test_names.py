from datetime import date

import pytest

from keeprate.catalogue.names import resolve, successor_cost, suggestion
from keeprate.domain.errors import ModelRetired, UnknownModel
from keeprate.domain.routes import GEMINI_API, VERTEX, ModelId, Surface
from tests.books import official_book
from tests.unit.catalogue.facts import DAY, PAINTER, PAINTER_FACTS, SHOP, book_from, row

BOOK = official_book()
APRIL = date(2026, 4, 15)
JUNE = date(2026, 6, 1)
SUMMER = date(2026, 7, 1)
TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("name", "day", "model"),
    [
        ("gemini-3-pro-image", TODAY, "gemini-3-pro-image"),
        ("GEMINI-3-PRO-IMAGE", TODAY, "gemini-3-pro-image"),
        ("models/gemini-3-pro-image", TODAY, "gemini-3-pro-image"),
        ("google/gemini-nano-banana-2.1", TODAY, "gemini-nano-banana-2.1"),
        ("google:nano-banana@2.1", TODAY, "gemini-nano-banana-2.1"),
        ("Nano Banana Pro", TODAY, "gemini-3-pro-image"),
        (" nano   banana PRO ", APRIL, "gemini-3-pro-image-preview"),
        ("nano-banana-pro-preview", APRIL, "gemini-3-pro-image-preview"),
        ("nano_banana_2.1", TODAY, "gemini-nano-banana-2.1"),
        ("Nano Banana 2 Lite", TODAY, "gemini-3.1-flash-lite-image"),
        ("nano banana", APRIL, "gemini-2.5-flash-image"),
        ("Nano Banana 2", JUNE, "gemini-3.1-flash-image"),
        ("Imagen 4", APRIL, "imagen-4.0-generate-001"),
        ("imagen 4 standard", APRIL, "imagen-4.0-generate-001"),
        ("Imagen 4 Ultra", APRIL, "imagen-4.0-ultra-generate-001"),
    ],
)
def test_ids_and_market_names_find_their_model(name: str, day: date, model: str) -> None:
    assert resolve(BOOK, name, GEMINI_API, day).model == model


def test_a_living_released_id_needs_no_notice() -> None:
    assert resolve(BOOK, "gemini-3-pro-image", GEMINI_API, TODAY).notices == ()


def test_a_living_preview_id_is_kept_with_a_warning() -> None:
    early = resolve(BOOK, "gemini-3-pro-image-preview", GEMINI_API, APRIL)
    assert early.notices == ("gemini-3-pro-image-preview is a preview id",)
    late = resolve(BOOK, "gemini-3-pro-image-preview", GEMINI_API, JUNE)
    assert late.model == "gemini-3-pro-image-preview"
    assert late.notices == (
        "gemini-3-pro-image-preview is a preview id and ends on 2026-06-25; use gemini-3-pro-image",
    )


def test_a_dead_preview_id_is_mapped_per_surface_with_a_warning() -> None:
    name = "gemini-3-pro-image-preview"
    mapped = resolve(BOOK, name, GEMINI_API, SUMMER)
    assert mapped.model == "gemini-3-pro-image"
    assert mapped.notices == (f"{name} was a preview id and ended on 2026-06-25; gemini-3-pro-image is used",)
    assert resolve(BOOK, name, VERTEX, SUMMER).model == name
    assert resolve(BOOK, name, VERTEX, date(2026, 7, 17)).model == "gemini-3-pro-image"


def test_a_released_id_before_its_day_is_mapped_to_its_preview() -> None:
    found = resolve(BOOK, "gemini-3.1-flash-image", GEMINI_API, APRIL)
    assert found.model == "gemini-3.1-flash-image-preview"
    assert "was not out yet" in found.notices[0]


def test_a_deprecated_model_names_its_end_and_its_costed_successor() -> None:
    found = resolve(BOOK, "gemini-3.1-flash-image", GEMINI_API, date(2026, 10, 10))
    assert found.notices == (
        "gemini-3.1-flash-image is deprecated since 2026-10-06 and ends on 2026-10-29; "
        "its successor is gemini-nano-banana-2.1 ($0.0336 an image at 1K)",
    )


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("gemini-3-pro", "gemini-3-pro-image"),
        ("gemini-3.1-flash", "gemini-3.1-flash-image"),
        ("gemini-2.5-flash", "gemini-2.5-flash-image"),
        ("gemini-3.1-flash-lite", "gemini-3.1-flash-lite-image"),
        ("models/gemini-3-pro", "gemini-3-pro-image"),
        ("gemini-3-pro-preview", "gemini-3-pro-image-preview"),
        ("gemini-3-pro-imgae", "gemini-3-pro-image"),
        ("nano bananna pro", "gemini-3-pro-image"),
        ("gemini-nanobanana-2.1", "gemini-nano-banana-2.1"),
    ],
)
def test_a_near_miss_is_refused_with_the_right_one_suggested(asked: str, meant: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        resolve(BOOK, asked, GEMINI_API, TODAY)
    assert (caught.value.remedy or "").startswith(f"did you mean {meant}?")
    assert (caught.value.field, caught.value.value) == ("model", asked)
    assert caught.value.facts["suggestion"] == meant


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    with pytest.raises(UnknownModel) as caught:
        resolve(BOOK, "dall-e-3", GEMINI_API, TODAY)
    assert caught.value.remedy == "`keeprate models` lists the ids"


def test_an_empty_list_has_nothing_to_suggest() -> None:
    assert suggestion("painter", (), {}) is None


@pytest.mark.parametrize(
    ("name", "on", "remedy"),
    [
        ("gemini-3.1-flash-image", "2026-10-29", "use gemini-nano-banana-2.1 ($0.0336 an image at 1K)"),
        ("nano banana", "2026-10-02", "use gemini-3.1-flash-lite-image ($0.0336 an image at 1K)"),
        ("Imagen 4", "2026-08-17", "use gemini-nano-banana-2.1 with thinking high ($0.0336 an image at 1K)"),
        ("imagen 4 ultra", "2026-08-17", "use gemini-3-pro-image ($0.1344 an image at 1K)"),
        (
            "gemini-3.1-flash-image-preview",
            "2026-06-25",
            "use gemini-nano-banana-2.1 ($0.0336 an image at 1K)",
        ),
    ],
)
def test_a_retired_model_is_refused_with_its_day_and_costed_successor(
    name: str, on: str, remedy: str
) -> None:
    with pytest.raises(ModelRetired, match=on) as caught:
        resolve(BOOK, name, GEMINI_API, TODAY)
    assert caught.value.remedy == remedy
    assert caught.value.facts["retired_on"] == on
    assert str(caught.value.facts["successor"]) in remedy


def test_a_model_of_the_future_is_unknown_yet() -> None:
    with pytest.raises(UnknownModel, match="was not out on gemini-api on 2026-04-15"):
        resolve(BOOK, "gemini-nano-banana-2.1", GEMINI_API, APRIL)


def test_a_retired_model_without_a_successor_says_so() -> None:
    book = book_from(PAINTER_FACTS, row("lifecycle", 'event = "shutdown"\non = 2026-05-01'))
    with pytest.raises(ModelRetired) as caught:
        resolve(book, "painter-1", SHOP, DAY)
    assert caught.value.remedy == "no successor is named for it; `keeprate models` lists what lives"


def test_a_deprecated_model_without_a_successor_only_says_since_when() -> None:
    book = book_from(PAINTER_FACTS, row("lifecycle", 'event = "deprecated"\non = 2026-05-01'))
    assert resolve(book, "Painter One", SHOP, DAY).notices == ("painter-1 is deprecated since 2026-05-01",)


def test_a_deprecation_to_come_is_no_notice_yet() -> None:
    book = book_from(PAINTER_FACTS, row("lifecycle", 'event = "deprecated"\non = 2026-12-01'))
    assert resolve(book, "Painter One", SHOP, DAY).notices == ()


def test_a_model_of_another_surface_is_named_with_it() -> None:
    other = PAINTER_FACTS.replace("painter-1", "painter-9").replace('["shop"]', '["stall"]')
    book = book_from(PAINTER_FACTS, *[part for part in [other.split("[[capability]]")[0]] if part])
    with pytest.raises(UnknownModel) as caught:
        resolve(book, "painter-9", SHOP, DAY)
    assert caught.value.remedy == "it is on stall"


def test_a_successor_without_a_price_is_named_without_one() -> None:
    facts = PAINTER_FACTS.replace('image_output_per_million = "10.00"', "")
    second = PAINTER_FACTS.split("[[capability]]")[0].replace("painter-1", "painter-0")
    book = book_from(facts, second, row("successor", 'model = "painter-0"\nto = "painter-1"'))
    found = book.successor(SHOP, ModelId("painter-0"), DAY)
    assert found is not None
    assert successor_cost(book, found, DAY) == PAINTER


def test_a_cost_is_given_at_a_size_the_model_has() -> None:
    found = BOOK.successor(GEMINI_API, ModelId("gemini-2.5-flash-image"), TODAY)
    assert found is not None
    assert successor_cost(BOOK, found, TODAY, found.card.sizes[0].FOUR_K).endswith("($0.0336 an image at 1K)")


def test_a_preview_that_stands_for_nothing_released_yet_says_only_that() -> None:
    assert resolve(BOOK, "Nano Banana 2", Surface("vertex"), APRIL).notices == (
        "gemini-3.1-flash-image-preview is a preview id",
    )


def test_only_a_model_that_answers_is_guessed() -> None:
    with pytest.raises(UnknownModel) as caught:
        resolve(BOOK, "gpt-image-1", GEMINI_API, TODAY)
    guessed = caught.value.facts["suggestion"]
    assert guessed is None or BOOK.card(GEMINI_API, ModelId(str(guessed)), TODAY).lives_on(TODAY)


def test_a_dead_model_without_its_image_is_named_with_who_answers_instead() -> None:
    with pytest.raises(UnknownModel) as caught:
        resolve(BOOK, "gemini-2.5-flash", GEMINI_API, TODAY)
    assert caught.value.remedy == (
        "did you mean gemini-2.5-flash-image? It no longer answers; use gemini-3.1-flash-lite-image"
    )

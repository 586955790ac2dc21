"""What must hold of the facts that come with the package."""

import re
import tomllib
from datetime import date

import pytest

from keeprate.catalogue.cards import Transport
from keeprate.catalogue.standard import FACT_FILES
from keeprate.domain.geometry import Pixels, Ratio, Size
from keeprate.domain.purposes import Lane, Thinking
from keeprate.domain.routes import GEMINI_API, VERTEX, ModelId
from tests.books import fact_texts, official_book

BOOK = official_book()
TODAY = date(2026, 11, 21)
SEEN_LAST = date(2026, 11, 21)
ORIGIN = {"source", "valid_from", "seen_on", "confidence"}
EVERY_MODEL = [(surface, model) for surface in BOOK.surfaces for model in BOOK.model_ids(surface)]


def rows_of(name: str):
    for table, rows in tomllib.loads(fact_texts()[name]).items():
        yield from ((table, cells) for cells in (rows.values() if table == "grid" else rows))


@pytest.mark.parametrize("name", FACT_FILES)
def test_every_row_has_its_source_and_two_dates(name: str) -> None:
    for table, cells in rows_of(name):
        assert set(cells) >= ORIGIN, (table, cells)
        assert cells["seen_on"] <= SEEN_LAST
        assert re.match(r"https://|public cop(y|ies) of |founding text: |assumption: ", cells["source"])


@pytest.mark.parametrize("name", FACT_FILES)
def test_an_assumption_is_never_more_than_low_confidence(name: str) -> None:
    for _, cells in rows_of(name):
        if cells["source"].startswith("assumption: "):
            assert cells["confidence"] == "low"


@pytest.mark.parametrize("name", FACT_FILES)
def test_a_facts_file_stays_readable(name: str) -> None:
    assert len(fact_texts()[name].splitlines()) <= 400


@pytest.mark.parametrize(
    ("model", "ratio", "size", "pixels"),
    [
        ("gemini-3-pro-image", "16:9", "1K", Pixels(1376, 768)),
        ("gemini-3-pro-image", "21:9", "4K", Pixels(6336, 2688)),
        ("gemini-3.1-flash-image", "21:9", "512", Pixels(792, 168)),
        ("gemini-3.1-flash-image", "8:1", "4K", Pixels(12288, 1536)),
        ("gemini-nano-banana-2.1", "1:1", "4K", Pixels(4096, 4096)),
        ("gemini-2.5-flash-image", "4:3", "1K", Pixels(1184, 864)),
        ("imagen-4.0-ultra-generate-001", "9:16", "2K", Pixels(1536, 2816)),
        ("imagen-4.0-fast-generate-001", "3:4", "1K", Pixels(896, 1280)),
    ],
)
def test_pixels_are_exact_per_family(model: str, ratio: str, size: str, pixels: Pixels) -> None:
    card = BOOK.card(GEMINI_API, ModelId(model), TODAY)
    assert card.grid[Ratio.parse(ratio), Size(size)] == pixels


def test_grids_cover_every_cell_a_model_offers_but_the_unpublished_one() -> None:
    missing = {
        (surface, model, str(ratio))
        for surface, model in EVERY_MODEL
        if (card := BOOK.find(surface, model, TODAY)) is not None
        for ratio in card.ratios
        for size in card.sizes
        if (ratio, size) not in card.grid
    }
    assert missing == {(VERTEX, "gemini-nano-banana-2.1", "9:21")}


def test_pixels_of_a_ratio_lie_the_right_way() -> None:
    for surface, model in EVERY_MODEL:
        card = BOOK.find(surface, model, TODAY)
        for (ratio, _), pixels in ({} if card is None else card.grid).items():
            assert (ratio.width > ratio.height) == (pixels.width > pixels.height)


@pytest.mark.parametrize(
    ("model", "sizes", "references", "prompt", "output"),
    [
        ("gemini-3-pro-image", "1K 2K 4K", 14, 65_536, 32_768),
        ("gemini-nano-banana-2.1", "1K 2K 4K", 14, 131_072, 32_768),
        ("gemini-3.1-flash-image", "512 1K 2K 4K", 14, 131_072, 32_768),
        ("gemini-3.1-flash-lite-image", "1K", 14, 65_536, 32_768),
        ("gemini-2.5-flash-image", "1K", 3, 32_768, 32_768),
        ("imagen-4.0-ultra-generate-001", "1K 2K", 0, 480, None),
        ("imagen-4.0-generate-001", "1K 2K", 0, 480, None),
        ("imagen-4.0-fast-generate-001", "1K", 0, 480, None),
    ],
)
def test_limits_are_those_published(
    model: str, sizes: str, references: int, prompt: int, output: int | None
) -> None:
    for surface in (GEMINI_API, VERTEX):
        card = BOOK.card(surface, ModelId(model), TODAY)
        assert card.sizes == tuple(Size(size) for size in sizes.split())
        assert card.max_references == references
        assert (card.max_prompt_tokens, card.max_output_tokens) == (prompt, output)


@pytest.mark.parametrize(
    ("model", "levels", "default"),
    [
        ("gemini-3-pro-image", "fixed", "fixed"),
        ("gemini-nano-banana-2.1", "minimal medium high", "medium"),
        ("gemini-3.1-flash-image", "minimal high", "minimal"),
        ("gemini-3.1-flash-lite-image", "minimal high", "minimal"),
        ("gemini-2.5-flash-image", "none", "none"),
        ("imagen-4.0-generate-001", "none", "none"),
    ],
)
def test_thinking_levels_are_those_published(model: str, levels: str, default: str) -> None:
    card = BOOK.card(GEMINI_API, ModelId(model), TODAY)
    assert [one.level for one in card.thinking] == [Thinking(level) for level in levels.split()]
    assert [one.level for one in card.thinking if one.is_default] == [Thinking(default)]
    for one in card.thinking:
        assert 0 <= one.expected_tokens <= one.allowance_tokens
        assert (one.allowance_tokens > 0) == (one.level is not Thinking.NONE)


@pytest.mark.parametrize(
    ("model", "surface", "lanes"),
    [
        ("gemini-3-pro-image", GEMINI_API, "batch flex live priority"),
        ("gemini-3-pro-image", VERTEX, "batch flex live"),
        ("gemini-3.1-flash-image", GEMINI_API, "batch live"),
        ("gemini-3.1-flash-image", VERTEX, "batch flex live"),
        ("gemini-nano-banana-2.1", GEMINI_API, "batch live"),
        ("gemini-nano-banana-2.1", VERTEX, "batch live"),
        ("gemini-3.1-flash-lite-image", GEMINI_API, "batch live"),
        ("gemini-3.1-flash-lite-image", VERTEX, "batch flex live"),
        ("gemini-2.5-flash-image", GEMINI_API, "batch flex live priority"),
        ("imagen-4.0-generate-001", GEMINI_API, "live"),
        ("imagen-4.0-generate-001", VERTEX, "live"),
    ],
)
def test_lanes_are_an_allow_list(model: str, surface, lanes: str) -> None:
    price = BOOK.price_on(surface, ModelId(model), TODAY)
    assert sorted(price.lanes) == lanes.split()
    assert not set(price.lanes) & set(price.unlisted_lanes)


def test_priority_is_listed_only_since_it_was() -> None:
    model = ModelId("gemini-2.5-flash-image")
    assert Lane.PRIORITY not in BOOK.price_on(GEMINI_API, model, date(2026, 6, 22)).lanes
    assert Lane.PRIORITY in BOOK.price_on(GEMINI_API, model, date(2026, 6, 23)).lanes


def test_imagen_is_called_by_predict_and_everything_else_is_not() -> None:
    for surface, model in EVERY_MODEL:
        card = BOOK.find(surface, model, TODAY)
        if card is not None:
            assert (card.transport is Transport.PREDICT) == (card.family == "imagen-4")


def test_only_published_seeds_videos_and_searches_are_accepted() -> None:
    def able(feature: str, surface) -> set[str]:
        return {card.line for card in BOOK.known(surface, TODAY) if getattr(card, feature)}

    assert able("accepts_video", GEMINI_API) == {"flash", "lite"}
    assert able("accepts_grounding", GEMINI_API) == {"pro", "flash"}
    assert "pro" not in able("accepts_seed", GEMINI_API)
    assert "pro" in able("accepts_seed", VERTEX)
    assert not BOOK.card(VERTEX, ModelId("gemini-nano-banana-2.1"), TODAY).accepts_seed
    assert able("signs_thoughts", VERTEX) == {"pro", "flash", "lite"}


def test_grounding_has_a_price_wherever_it_is_accepted() -> None:
    for surface, model in EVERY_MODEL:
        card = BOOK.find(surface, model, TODAY)
        if card is not None and card.accepts_grounding:
            assert BOOK.price_on(surface, model, TODAY).grounding_each == 14_000_000


def test_references_have_a_price_wherever_they_are_accepted() -> None:
    for surface, model in EVERY_MODEL:
        card = BOOK.find(surface, model, TODAY)
        if card is not None:
            price = BOOK.price_on(surface, model, TODAY)
            assert (price.reference_tokens > 0) == (card.max_references > 0)
            assert price.reference_tokens_high >= price.reference_tokens


def test_nothing_is_dated_before_it_could_be_known() -> None:
    for name in FACT_FILES:
        for table, cells in rows_of(name):
            assert cells["valid_from"] <= TODAY, (name, table)

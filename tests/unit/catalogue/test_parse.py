from datetime import date

import pytest

from keeprate.catalogue.parse import statements_in
from keeprate.catalogue.standard import book_of
from keeprate.domain.errors import CatalogueError
from keeprate.domain.geometry import Pixels, Ratio, Size
from keeprate.domain.purposes import ReferenceRole, Thinking
from tests.unit.catalogue.facts import (
    CAPABILITY,
    DAY,
    MODEL,
    ORIGIN,
    PAINTER,
    PAINTER_FACTS,
    PRICE,
    SHOP,
    book_from,
    row,
)


def refused(text: str) -> CatalogueError:
    with pytest.raises(CatalogueError) as caught:
        book_from(text)
    return caught.value


def test_a_small_book_can_be_read() -> None:
    card = book_of({"facts.toml": PAINTER_FACTS}).card(SHOP, PAINTER, DAY)
    assert card.market_name == "Painter One"
    assert card.released_on == date(2026, 1, 1)
    assert card.grid == {}
    assert card.references_by_role == {}
    assert card.max_prompt_tokens is None
    assert card.text_rendering is None
    assert not card.sends_thinking
    assert card.thinking[0].level is Thinking.NONE
    assert card.provenance["sizes"].source == "https://example.org/list"


@pytest.mark.parametrize(
    ("text", "place", "field"),
    [
        (MODEL.replace('id = "painter-1"\n', ""), "model 1", "id"),
        (MODEL.replace('"painter-1"', "7"), "model 1", "id"),
        (MODEL.replace('"painter-1"', '" "'), "model 1", "id"),
        (MODEL.replace('surfaces = ["shop"]', ""), "model 1", "surface"),
        (MODEL.replace('["shop"]', '"shop"'), "model 1", "surfaces"),
        (MODEL.replace('["shop"]', "[1]"), "model 1", "surfaces"),
        (MODEL.replace("seen_on = 2026-05-01", ""), "model 1", "seen_on"),
        (MODEL.replace("seen_on = 2026-05-01", 'seen_on = "2026-05-01"'), "model 1", "seen_on"),
        (MODEL.replace("seen_on = 2026-05-01", "seen_on = 2026-05-01T10:00:00"), "model 1", "seen_on"),
        (MODEL.replace("valid_from = 2026-01-01", ""), "model 1", "valid_from"),
        (MODEL.replace('source = "https://example.org/list"', ""), "model 1", "source"),
        (MODEL.replace('confidence = "high"', ""), "model 1", "confidence"),
        (MODEL.replace('"high"', '"sure"'), "model 1", "confidence"),
        (MODEL + 'transport = "carrier pigeon"', "model 1", "transport"),
        (MODEL + "colour = 3", "model 1", "colour"),
        (PAINTER_FACTS.replace('"10.00"', '"10.00001"'), "price 1", "image_output_per_million"),
        (PAINTER_FACTS.replace('"10.00"', "10"), "price 1", "image_output_per_million"),
        (PAINTER_FACTS.replace("{ 1K = 1000 }", "{ 3K = 1000 }"), "price 1", "3K"),
        (PAINTER_FACTS.replace("{ 1K = 1000 }", "{ 1K = -1 }"), "price 1", "1K"),
        (PAINTER_FACTS.replace("{ 1K = 1000 }", "{ 1K = true }"), "price 1", "1K"),
        (PAINTER_FACTS.replace("{ 1K = 1000 }", "7"), "price 1", "image_tokens"),
        (PAINTER_FACTS.replace("sends_size = true", "sends_size = 1"), "capability 1", "sends_size"),
        (PAINTER_FACTS.replace('["1:1"]', '["1:0"]'), "capability 1", "ratios"),
        (PAINTER_FACTS.replace('["1K"]', '["8K"]'), "capability 1", "sizes"),
        (PAINTER_FACTS + 'grounding_per_thousand = "0.0000001"', "price 1", "grounding_per_thousand"),
        (PAINTER_FACTS + row("lane", 'lane = "batch"'), "lane 1", "multiplier"),
        (
            PAINTER_FACTS + row("lane", 'lane = "batch"\noffered = false\nmultiplier = "0.5"'),
            "lane 1",
            "multiplier",
        ),
        (PAINTER_FACTS + row("lane", 'lane = "batch"\nmultiplier = "half"'), "lane 1", "multiplier"),
        (PAINTER_FACTS + row("lane", 'lane = "batch"\nmultiplier = "0"'), "lane 1", "multiplier"),
        (PAINTER_FACTS + row("lane", 'lane = "batch"\nmultiplier = "18"'), "lane 1", "multiplier"),
        (PAINTER_FACTS + row("lane", 'lane = "batch"\nmultiplier = "inf"'), "lane 1", "multiplier"),
        (PAINTER_FACTS + row("lane", 'lane = "slow"\nmultiplier = "0.5"'), "lane 1", "lane"),
        (PAINTER_FACTS + row("lifecycle", 'event = "born"'), "lifecycle 1", "event"),
        (PAINTER_FACTS + row("lifecycle", 'event = "released"'), "lifecycle 1", "on"),
        (
            PAINTER_FACTS + row("lifecycle", 'event = "shutdown"\non = 2026-01-31'),
            "lifecycle 1",
            "valid_from",
        ),
        (PAINTER_FACTS + row("successor", 'to = "nobody"'), "successor 1", "to"),
        (PAINTER_FACTS + row("price", 'model = "nobody"'), "price 2", "model"),
        (PAINTER_FACTS + row("price", 'surface = "stall"'), "price 2", "model"),
        (MODEL + 'preview_of = "nobody"', "model 1", "preview_of"),
        (MODEL + 'preview_of = "painter-1"', "model 1", "preview_of"),
        (MODEL + 'like = "nobody"', "model 1", "like"),
        (PRICE, "price 1", "surface"),
    ],
)
def test_a_bad_fact_names_its_file_row_and_field(text: str, place: str, field: str) -> None:
    error = refused(text)
    assert error.message.startswith(f"facts.toml, {place}")
    assert error.field == field
    assert error.remedy is not None
    assert "facts.toml" in error.remedy


def test_text_that_is_not_toml_names_the_file() -> None:
    assert "facts.toml is not TOML" in refused("[[model]").message


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    error = refused("[[prise]]\nusd = 1")
    assert error.field == "prise"
    assert "price" in (error.remedy or "")


@pytest.mark.parametrize("text", ["model = 3", "model = [3]"])
def test_a_table_must_be_written_as_rows(text: str) -> None:
    assert "[[model]]" in refused(text).message


@pytest.mark.parametrize("field", ["sizes", "ratios", "timeout_s", "thinking_levels", "synthid"])
def test_a_card_without_a_needed_capability_is_refused(field: str) -> None:
    lines = [line for line in CAPABILITY.splitlines() if not line.startswith(f"{field} =")]
    with pytest.raises(CatalogueError, match=f"no row says {field}"):
        book_from(MODEL, "\n".join(lines), PRICE).card(SHOP, PAINTER, DAY)


def test_two_rows_that_state_one_fact_are_refused_until_one_is_disbelieved() -> None:
    again = 'text_output_per_million = "3.00"'
    error = refused(PAINTER_FACTS + row("price", again, valid_from="2026-01-01"))
    assert "is also stated by facts.toml, price 1" in error.message
    assert "taken = false" in error.message
    book = book_from(PAINTER_FACTS, row("price", again, valid_from="2026-01-01", taken="false"))
    assert book.price_on(SHOP, PAINTER, DAY).text_output_each == 2_000


@pytest.mark.parametrize(
    "cells",
    ['event = "shutdown"\non = 2027-01-01', 'event = "deprecated"\non = 2027-01-01'],
)
def test_two_believed_announcements_of_one_day_are_refused(cells: str) -> None:
    assert "is also stated by" in refused(PAINTER_FACTS + row("lifecycle", cells) * 2).message


def test_a_model_may_be_named_once() -> None:
    assert "id of painter-1 on shop is also stated by facts.toml, model 1" in refused(MODEL * 2).message


def test_two_believed_shares_of_one_lane_are_refused() -> None:
    assert (
        "batch lane" in refused(PAINTER_FACTS + row("lane", 'lane = "batch"\nmultiplier = "0.5"') * 2).message
    )


def test_disbelieved_rows_may_repeat() -> None:
    lane = row("lane", 'lane = "batch"\nmultiplier = "0.5"', taken="false")
    life = row("lifecycle", 'event = "shutdown"\non = 2027-01-01', taken="false")
    book = book_from(PAINTER_FACTS, lane * 2, life * 2)
    assert book.card(SHOP, PAINTER, DAY).shutdown_on is None
    assert len(book.price_on(SHOP, PAINTER, DAY).lanes) == 1


def test_a_grid_gives_exact_pixels_for_the_cells_of_the_card() -> None:
    grid = f"""
[grid.paint]
"1:1" = {{ 1K = "1000x1000", 2K = "2000x2000" }}
"9:16" = {{ 1K = "500x900" }}
{ORIGIN}"""
    book = book_from(MODEL, CAPABILITY, 'grid = "paint"', PRICE, grid)
    assert book.card(SHOP, PAINTER, DAY).grid == {(Ratio(1, 1), Size.ONE_K): Pixels(1000, 1000)}


@pytest.mark.parametrize("pixels", ["1000", "1000x", "ax1000", "1000 x 1000"])
def test_pixels_are_width_by_height(pixels: str) -> None:
    error = refused(f'[grid.paint]\n"1:1" = {{ 1K = "{pixels}" }}\n{ORIGIN}')
    assert error.field == "1K"
    assert "1376x768" in error.message


@pytest.mark.parametrize("text", ["[grid]\npaint = 3", "grid = 3"])
def test_a_grid_must_be_a_table(text: str) -> None:
    assert "must be a table" in refused(text).message


def test_a_card_with_an_unknown_grid_is_refused() -> None:
    with pytest.raises(CatalogueError, match="no grid is called 'paint'"):
        book_from(MODEL, CAPABILITY, 'grid = "paint"', PRICE).card(SHOP, PAINTER, DAY)


def test_thinking_without_token_counts_is_taken_as_none() -> None:
    facts = PAINTER_FACTS.replace('["none"]', '["low", "high"]')
    card = book_from(facts).card(SHOP, PAINTER, DAY)
    assert [(one.level, one.expected_tokens, one.is_default) for one in card.thinking] == [
        (Thinking.LOW, 0, True),
        (Thinking.HIGH, 0, False),
    ]
    assert card.sends_thinking


def test_roles_and_thinking_tokens_are_read_by_word() -> None:
    more = row(
        "capability",
        'references_by_role = { object = 2, style = 1 }\nthinking_levels = ["low"]\n'
        "thinking_expected = { low = 5 }\nthinking_allowance = { low = 50 }",
    )
    card = book_from(PAINTER_FACTS, more).card(SHOP, PAINTER, DAY)
    assert card.references_by_role == {ReferenceRole.OBJECT: 2, ReferenceRole.STYLE: 1}
    assert (card.thinking[0].expected_tokens, card.thinking[0].allowance_tokens) == (5, 50)


def test_an_official_row_may_not_leave_out_when_it_was_seen() -> None:
    with pytest.raises(CatalogueError, match="seen_on: is missing"):
        statements_in("facts.toml", PAINTER_FACTS.replace("seen_on = 2026-05-01\n", ""))

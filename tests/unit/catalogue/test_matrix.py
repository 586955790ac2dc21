from datetime import date

import pytest

from keeprate.catalogue.founding import MATRIX_AS_PRINTED
from keeprate.catalogue.matrix import Cell, Matrix, founding_models, matrix
from keeprate.domain.routes import GEMINI_API, VERTEX
from tests.books import official_book
from tests.unit.catalogue.facts import CAPABILITY, DAY, MODEL, PRICE, SHOP, book_from, row

APRIL = date(2026, 4, 15)
TODAY = date(2026, 11, 21)


def cells(of: Matrix, capability: str) -> dict[str, Cell]:
    found = next(row for row in of.rows if row.capability == capability)
    return dict(zip((card.model for card in of.models), found.cells, strict=True))


def test_the_founding_matrix_has_nine_rows_and_six_columns_in_april() -> None:
    found = matrix(official_book(), APRIL, GEMINI_API)
    assert [row.capability for row in found.rows] == [
        "Per-image price (1K)",
        "Per-image price (4K)",
        "Batch lane",
        "Reference images",
        "Text rendering",
        "Largest size",
        "Contextual understanding",
        "Synchronous",
        "SynthID watermark",
    ]
    assert [card.preview_of or card.model for card in found.models] == list(founding_models())
    assert {len(row.cells) for row in found.rows} == {6}


def test_cells_that_the_facts_confirm_say_nothing_of_the_founding_text() -> None:
    found = matrix(official_book(), APRIL, GEMINI_API)
    for name in ("Per-image price (1K)", "Text rendering", "Contextual understanding", "SynthID watermark"):
        assert {cell.printed for cell in cells(found, name).values()} == {None}


@pytest.mark.parametrize("model", ["imagen-4.0-ultra-generate-001", "imagen-4.0-generate-001"])
def test_imagen_at_4k_and_in_batch_is_shown_as_the_founding_error_it_was(model: str) -> None:
    found = matrix(official_book(), APRIL, GEMINI_API)
    for name in ("Per-image price (4K)", "Batch lane", "Largest size", "Synchronous"):
        cell = cells(found, name)[model]
        assert cell.printed == MATRIX_AS_PRINTED[model][[row.capability for row in found.rows].index(name)]
        assert cell.note is not None
    assert cells(found, "Largest size")[model].text == "2K"


def test_every_gemini_model_takes_references_whatever_the_founding_text_says() -> None:
    found = cells(matrix(official_book(), APRIL, VERTEX), "Reference images")
    assert found["gemini-3-pro-image-preview"].text == "Yes — up to 14 (6 object, 5 character, 3 style)"
    assert found["gemini-3-pro-image-preview"].printed == "Yes — up to 3"
    assert found["gemini-2.5-flash-image"].text == "Yes — up to 3"
    assert found["imagen-4.0-fast-generate-001"] == Cell(text="No")


def test_batch_prices_are_printed_as_the_vendor_rounds_them() -> None:
    found = cells(matrix(official_book(), APRIL, GEMINI_API), "Batch lane")
    assert [cell.text for cell in found.values()][:3] == ["$0.067 / 1K", "$0.034 / 1K", "$0.0195"]


def test_the_matrix_of_november_has_the_models_of_november() -> None:
    found = matrix(official_book(), TODAY, GEMINI_API)
    assert [card.model for card in found.models] == [
        "gemini-3-pro-image",
        "gemini-nano-banana-2.1",
        "gemini-3.1-flash-lite-image",
    ]
    text = cells(found, "Text rendering")
    assert text["gemini-3-pro-image"].text == "Best in family"
    assert text["gemini-3-pro-image"].printed == "Excellent"
    assert text["gemini-3.1-flash-lite-image"].text == "no sourced opinion"
    assert cells(found, "Contextual understanding")["gemini-nano-banana-2.1"].text == "no sourced opinion"


def test_a_model_of_the_owners_has_a_column_too() -> None:
    card = PRICE.replace("image_tokens", 'card = { 1K = "0.01" }\nimage_tokens')
    lane = row("lane", 'lane = "batch"\nmultiplier = "0.5"')
    found = matrix(book_from(MODEL, CAPABILITY, card, lane), DAY, SHOP)
    assert cells(found, "Batch lane")["painter-1"].text == "$0.005"
    assert cells(found, "SynthID watermark")["painter-1"].text == "No"


def test_a_model_without_a_printed_price_is_shown_without_one() -> None:
    lane = row("lane", 'lane = "batch"\nmultiplier = "0.5"')
    found = matrix(book_from(MODEL, CAPABILITY, PRICE, lane), DAY, SHOP)
    assert cells(found, "Per-image price (1K)")["painter-1"].text == "$0.01"
    assert cells(found, "Batch lane")["painter-1"].text == "$0.005"
    large = [part.replace("1K", "2K") for part in (CAPABILITY, PRICE)]
    only_large = matrix(book_from(MODEL, *large, lane), DAY, SHOP)
    assert cells(only_large, "Per-image price (1K)")["painter-1"].text == "N/A"
    assert cells(only_large, "Batch lane")["painter-1"].text == "$0.005"
    bare = matrix(book_from(MODEL, CAPABILITY, PRICE), DAY, SHOP)
    assert cells(bare, "Batch lane")["painter-1"].text == "N/A"

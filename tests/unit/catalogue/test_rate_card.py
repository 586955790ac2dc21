"""Every cell of the dated rate cards, against the book: not a nano-dollar off."""

from datetime import date
from fractions import Fraction

import pytest

from keeprate.catalogue.names import resolve
from keeprate.catalogue.pricing import card_price, image_price
from keeprate.domain.errors import CatalogueError, NoPriceOnDate, UnknownModel
from keeprate.domain.geometry import Size
from keeprate.domain.money import display, per_million, usd
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import GEMINI_API, VERTEX, ModelId
from tests.books import official_book
from tests.trust_counts import record

PRO = "gemini-3-pro-image"
NB21 = "gemini-nano-banana-2.1"
FLASH = "gemini-3.1-flash-image"
LITE = "gemini-3.1-flash-lite-image"
NANO = "gemini-2.5-flash-image"
ULTRA = "imagen-4.0-ultra-generate-001"
STANDARD = "imagen-4.0-generate-001"
FAST = "imagen-4.0-fast-generate-001"

APRIL = date(2026, 4, 9)
MAY = date(2026, 5, 30)
OCTOBER = date(2026, 10, 18)

# (day, model, size, price printed): the three snapshots of the published tables.
PRINTED = (
    (APRIL, f"{PRO}-preview", "1K", "0.134"),
    (APRIL, f"{PRO}-preview", "2K", "0.134"),
    (APRIL, f"{PRO}-preview", "4K", "0.24"),
    (APRIL, f"{FLASH}-preview", "512", "0.045"),
    (APRIL, f"{FLASH}-preview", "1K", "0.067"),
    (APRIL, f"{FLASH}-preview", "2K", "0.101"),
    (APRIL, f"{FLASH}-preview", "4K", "0.151"),
    (APRIL, NANO, "1K", "0.039"),
    (APRIL, FAST, "1K", "0.02"),
    (APRIL, STANDARD, "1K", "0.04"),
    (APRIL, STANDARD, "2K", "0.04"),
    (APRIL, ULTRA, "1K", "0.06"),
    (APRIL, ULTRA, "2K", "0.06"),
    (MAY, PRO, "1K", "0.134"),
    (MAY, PRO, "2K", "0.134"),
    (MAY, PRO, "4K", "0.24"),
    (MAY, FLASH, "512", "0.045"),
    (MAY, FLASH, "1K", "0.067"),
    (MAY, FLASH, "2K", "0.101"),
    (MAY, FLASH, "4K", "0.151"),
    (MAY, NANO, "1K", "0.039"),
    (MAY, FAST, "1K", "0.02"),
    (MAY, STANDARD, "1K", "0.04"),
    (MAY, ULTRA, "1K", "0.06"),
    (OCTOBER, PRO, "1K", "0.134"),
    (OCTOBER, PRO, "2K", "0.134"),
    (OCTOBER, PRO, "4K", "0.24"),
    (OCTOBER, NB21, "1K", "0.0336"),
    (OCTOBER, NB21, "2K", "0.0504"),
    (OCTOBER, NB21, "4K", "0.1134"),
    (OCTOBER, FLASH, "512", "0.045"),
    (OCTOBER, FLASH, "1K", "0.067"),
    (OCTOBER, FLASH, "2K", "0.101"),
    (OCTOBER, FLASH, "4K", "0.151"),
    (OCTOBER, LITE, "1K", "0.0336"),
    (OCTOBER, NANO, "1K", "0.039"),
)

# (model, size, tokens, exact price they imply, day)
IMPLIED = (
    (PRO, "1K", 1120, "0.1344", MAY),
    (PRO, "2K", 1120, "0.1344", MAY),
    (PRO, "4K", 2000, "0.24", MAY),
    (NB21, "1K", 1120, "0.0336", OCTOBER),
    (NB21, "2K", 1680, "0.0504", OCTOBER),
    (NB21, "4K", 3780, "0.1134", OCTOBER),
    (FLASH, "512", 747, "0.04482", MAY),
    (FLASH, "1K", 1120, "0.0672", MAY),
    (FLASH, "2K", 1680, "0.1008", MAY),
    (FLASH, "4K", 2520, "0.1512", MAY),
    (LITE, "1K", 1120, "0.0336", OCTOBER),
    (NANO, "1K", 1290, "0.0387", APRIL),
)

# (model, input, text and thinking, image, US dollars per million tokens, day)
RATES = (
    (PRO, "2.00", "12.00", "120.00", MAY),
    (f"{PRO}-preview", "2.00", "12.00", "120.00", APRIL),
    (NB21, "1.50", "7.50", "30.00", OCTOBER),
    (FLASH, "0.50", "3.00", "60.00", MAY),
    (f"{FLASH}-preview", "0.50", "3.00", "60.00", APRIL),
    (LITE, "0.25", "1.50", "30.00", OCTOBER),
    (NANO, "0.30", "2.50", "30.00", APRIL),
)

# (model, size, batch price from tokens, day)
BATCH = (
    (PRO, "1K", "0.0672", MAY),
    (PRO, "2K", "0.0672", MAY),
    (PRO, "4K", "0.12", MAY),
    (FLASH, "512", "0.02241", MAY),
    (FLASH, "1K", "0.0336", MAY),
    (FLASH, "2K", "0.0504", MAY),
    (FLASH, "4K", "0.0756", MAY),
    (LITE, "1K", "0.0168", OCTOBER),
    (NB21, "1K", "0.0168", OCTOBER),
    (NANO, "1K", "0.01935", APRIL),
)


def price_of(model: str, day: date, surface=GEMINI_API):
    return official_book().price_on(surface, ModelId(model), day)


@pytest.mark.parametrize(("day", "model", "size", "printed"), PRINTED)
def test_each_printed_price_is_in_the_book(day: date, model: str, size: str, printed: str) -> None:
    for surface in (GEMINI_API, VERTEX):
        assert card_price(price_of(model, day, surface), size=Size(size), lane=Lane.LIVE) == usd(printed)


@pytest.mark.parametrize(("model", "size", "tokens", "implied", "day"), IMPLIED)
def test_tokens_times_rates_give_the_implied_price(
    model: str, size: str, tokens: int, implied: str, day: date
) -> None:
    price = price_of(model, day)
    assert price.image_tokens[Size(size)] == tokens
    assert image_price(price, size=Size(size), lane=Lane.LIVE) == usd(implied)


@pytest.mark.parametrize(("model", "rate_in", "rate_text", "rate_image", "day"), RATES)
def test_token_rates_are_exact(model: str, rate_in: str, rate_text: str, rate_image: str, day: date) -> None:
    price = price_of(model, day)
    assert price.input_each == per_million(rate_in)
    assert price.text_output_each == per_million(rate_text)
    assert price.image_output_each == per_million(rate_image)


@pytest.mark.parametrize(("model", "size", "half", "day"), BATCH)
def test_batch_halves_gemini_images_exactly(model: str, size: str, half: str, day: date) -> None:
    assert image_price(price_of(model, day), size=Size(size), lane=Lane.BATCH) == usd(half)


@pytest.mark.parametrize("model", [ULTRA, STANDARD, FAST])
def test_imagen_has_no_batch_and_says_why(model: str) -> None:
    with pytest.raises(CatalogueError, match="no batch") as caught:
        image_price(price_of(model, APRIL), size=Size.ONE_K, lane=Lane.BATCH)
    assert caught.value.field == "lane"


def test_a_reference_for_pro_is_listed_at_560_tokens() -> None:
    price = price_of(PRO, MAY)
    assert price.reference_tokens * price.input_each == usd("0.00112")


def test_no_cell_of_the_rate_card_is_a_cent_off() -> None:
    off = [
        (model, size)
        for day, model, size, printed in PRINTED
        if price_of(model, day).card[Size(size)] != usd(printed)
    ]
    off += [
        (model, size)
        for model, size, _, implied, day in IMPLIED
        if image_price(price_of(model, day), size=Size(size), lane=Lane.LIVE) != usd(implied)
    ]
    cells = len(PRINTED) + len(IMPLIED)
    record("price cells off by a cent or more", f"{len(off)} of {cells}", "0", met=not off)
    assert off == []


UNKNOWN_ENDS = ("-x", "-2", "-exp", "-latest", "-4k", "@1", ":free", "-hd", "-001", ".5", "-tuned", "-v2", "-pro",
                "-lite", "-turbo", "-0", "+", "-beta", "-rc1", "-002")  # fmt: skip

BLEND = ((NANO, 65), (FAST, 12), (STANDARD, 10), (f"{FLASH}-preview", 6), (f"{PRO}-preview", 5), (ULTRA, 2))


@pytest.mark.parametrize(("by_card", "per_10_000"), [(True, "436.7"), (False, "435.07")])
def test_the_founding_blend_costs_what_its_parts_cost(by_card: bool, per_10_000: str) -> None:
    total = 0
    for model, share in BLEND:
        price = price_of(model, APRIL)
        read = card_price if by_card else image_price
        total += share * 100 * read(price, size=Size.ONE_K, lane=Lane.LIVE)
    assert display(total) == per_10_000


@pytest.mark.parametrize(
    ("model", "size", "per_10_000"),
    [
        (f"{PRO}-preview", "1K", "1340"),
        (f"{PRO}-preview", "4K", "2400"),
        (ULTRA, "1K", "600"),
        (STANDARD, "1K", "400"),
        (NANO, "1K", "390"),
        (FAST, "1K", "200"),
    ],
)
def test_ten_thousand_images_cost_what_the_founding_text_says(model: str, size: str, per_10_000: str) -> None:
    each = card_price(price_of(model, APRIL), size=Size(size), lane=Lane.LIVE)
    assert display(each * 10_000) == per_10_000


def test_batch_helps_the_blend_only_where_there_is_a_batch() -> None:
    total = Fraction(0)
    for model, share in BLEND:
        price = price_of(model, APRIL)
        lane = Lane.BATCH if Lane.BATCH in price.lanes else Lane.LIVE
        total += share * 100 * card_price(price, size=Size.ONE_K, lane=lane)
    assert display(int(total)) == "256.35"


def test_the_chain_costs_one_cheap_reference_and_ten_heroes() -> None:
    reference = card_price(price_of(NANO, APRIL), size=Size.ONE_K, lane=Lane.LIVE)
    pro = price_of(f"{PRO}-preview", APRIL)
    hero = card_price(pro, size=Size.ONE_K, lane=Lane.LIVE)
    assert display(reference + 10 * hero) == "1.379"
    with_references = reference + 10 * (hero + pro.reference_tokens * pro.input_each)
    assert display(with_references, places=3) == "1.390"


def test_no_cell_of_the_book_is_free_and_no_unknown_name_is_priced() -> None:
    book = official_book()
    cells = 0
    for day in book.change_days:
        for surface in book.surfaces:
            for card in book.models(surface, day):
                price = book.price_on(surface, card.model, day)
                for size in card.sizes:
                    for lane in price.lanes:
                        assert image_price(price, size=size, lane=lane) > 0
                        assert card_price(price, size=size, lane=lane) > 0
                        cells += 1
    unknown = [f"{model}{end}" for model in book.model_ids(GEMINI_API) for end in UNKNOWN_ENDS]
    refused = 0
    for name in unknown:
        with pytest.raises(UnknownModel):
            resolve(book, name, GEMINI_API, OCTOBER)
        with pytest.raises(NoPriceOnDate):
            price_of(name, OCTOBER)
        refused += 1
    assert refused >= 200
    record(
        "cells of the book without a price", f"0 of {cells}, {refused} unknown names refused", "0", met=True
    )

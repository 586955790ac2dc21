from datetime import date

import pytest

from keeprate.catalogue.book import Book
from keeprate.catalogue.cards import Confidence
from keeprate.catalogue.overlay import overlay_in
from keeprate.catalogue.parse import statements_in
from keeprate.domain.errors import CatalogueError, NoPriceOnDate
from keeprate.domain.geometry import Size
from keeprate.domain.purposes import Lane, Thinking
from keeprate.domain.routes import GEMINI_API, ModelId, Surface
from tests.books import fact_texts, official_book
from tests.unit.catalogue.facts import DAY, PAINTER, PAINTER_FACTS, SHOP, book_from

TODAY = date(2026, 11, 21)
PRO = ModelId("gemini-3-pro-image")

CONTRACT = """
[settings]
policy = "cheapest"

[[price]]
model = "gemini-3-pro-image"
surface = "gemini-api"
upstream = "acme"
image_output_per_million = "90.00"
source = "contract of 2026-07-01"
valid_from = 2026-07-01
"""

OFFICIAL = [statements_in(name, text) for name, text in fact_texts().items()]


SLASHED = """
[[model]]
id = "{id}"
like = "gemini-3-pro-image"
surface = "{surface}"
source = "https://acme.example/models"
valid_from = 2026-09-01
"""


@pytest.mark.parametrize("model", ["acme/pro", "../secrets", "a?b", "a..b", "a b"])
@pytest.mark.parametrize("surface", ["gemini-api", "vertex"])
def test_an_id_that_cannot_stand_in_an_address_is_refused_where_it_would_have_to(
    model: str, surface: str
) -> None:
    with pytest.raises(CatalogueError, match="cannot stand in an address") as refusal:
        overlay_in({"keeprate.toml": SLASHED.format(id=model, surface=surface)})
    assert (refusal.value.field, refusal.value.value) == ("id", model)
    assert "keeprate.toml, model 1" in refusal.value.message


def test_an_id_with_a_slash_is_good_on_a_wire_that_sends_it_in_the_body() -> None:
    said = overlay_in({"keeprate.toml": SLASHED.format(id="acme/pro", surface="openai-compatible")})
    assert [one.model for one in said.identities] == ["acme/pro"]


def over_official(*owner: str) -> Book:
    whole = OFFICIAL[0]
    for part in OFFICIAL[1:]:
        whole = whole.plus(part)
    return Book(
        whole.plus(overlay_in({f"keeprate-{number}.toml": text for number, text in enumerate(owner)}))
    )


def test_a_contract_price_is_for_its_upstream_and_from_its_day() -> None:
    book = over_official(CONTRACT)
    assert book.price_on(GEMINI_API, PRO, TODAY, "acme").image_output_each == 90_000
    assert book.price_on(GEMINI_API, PRO, date(2026, 6, 30), "acme").image_output_each == 120_000
    assert book.price_on(GEMINI_API, PRO, TODAY, "other").image_output_each == 120_000
    assert book.price_on(GEMINI_API, PRO, TODAY) == official_book().price_on(GEMINI_API, PRO, TODAY)


def test_a_contract_takes_over_what_it_does_not_mention() -> None:
    price = over_official(CONTRACT).price_on(GEMINI_API, PRO, TODAY, "acme")
    assert price.image_tokens[Size.FOUR_K] == 2000
    assert price.text_output_each == 12_000
    assert price.lanes[Lane.BATCH].denominator == 2
    assert price.upstream == "acme"
    assert price.id == "gemini-api/gemini-3-pro-image~acme@2026-07-01"
    assert price.provenance.seen_on == date(2026, 7, 1)
    assert price.provenance.confidence is Confidence.HIGH
    assert price.card == {}


def test_a_contract_per_image_stands_alone() -> None:
    flat = CONTRACT.replace(
        'image_output_per_million = "90.00"', 'per_image = { 1K = "0.09" }\ncard = { 1K = "0.09" }'
    )
    price = over_official(flat).price_on(GEMINI_API, PRO, TODAY, "acme")
    assert price.per_image == {Size.ONE_K: 90_000_000}
    assert (price.image_output_each, price.image_tokens, price.reference_tokens) == (0, {}, 0)
    assert price.card == {Size.ONE_K: 90_000_000}


def test_a_contract_may_take_a_lane_away() -> None:
    lane = CONTRACT + (
        '[[lane]]\nmodel = "gemini-3-pro-image"\nsurface = "gemini-api"\nupstream = "acme"\nlane = "batch"\n'
        'offered = false\nsource = "contract"\nvalid_from = 2026-07-01\n'
    )
    book = over_official(lane)
    assert Lane.BATCH not in book.price_on(GEMINI_API, PRO, TODAY, "acme").lanes
    assert Lane.BATCH in book.price_on(GEMINI_API, PRO, TODAY).lanes


def test_a_price_without_an_upstream_cannot_alter_the_official_one() -> None:
    with pytest.raises(CatalogueError, match="not yours to alter") as caught:
        over_official(CONTRACT.replace('upstream = "acme"\n', ""))
    assert caught.value.field == "upstream"


def test_an_owner_may_correct_a_capability_of_an_official_model() -> None:
    row = (
        '[[capability]]\nmodel = "gemini-nano-banana-2.1"\nsurface = "gemini-api"\n'
        'thinking_expected = { minimal = 10, medium = 100, high = 300 }\nsource = "our logs"\nvalid_from = 2026-11-01\n'
    )
    book = over_official(row)
    model = ModelId("gemini-nano-banana-2.1")
    before, after = (book.card(GEMINI_API, model, day) for day in (date(2026, 10, 31), TODAY))
    assert {one.level: one.expected_tokens for one in after.thinking}[Thinking.MEDIUM] == 100
    assert before == official_book().card(GEMINI_API, model, date(2026, 10, 31))
    assert after.provenance["thinking_expected"].source == "our logs"


def test_an_owner_may_add_a_model_like_another() -> None:
    wrapper = """
[[model]]
id = "acme/pro"
like = "gemini-3-pro-image"
surface = "openai-compatible"
upstreams = ["acme"]
source = "https://acme.example/models"
valid_from = 2026-09-01

[[price]]
per_image = { 1K = "0.11", 2K = "0.11", 4K = "0.20" }
source = "https://acme.example/prices"
valid_from = 2026-09-01
"""
    book = over_official(wrapper)
    surface, model = Surface("openai-compatible"), ModelId("acme/pro")
    card = book.card(surface, model, TODAY)
    assert (card.market_name, card.line, card.family) == ("Nano Banana Pro", "pro", "gemini-3")
    assert card.max_references == 14
    assert card.sizes == (Size.ONE_K, Size.TWO_K, Size.FOUR_K)
    assert card.served_by("acme")
    assert not card.served_by("other")
    assert card.served_by(None)
    assert book.price_on(surface, model, TODAY).per_image[Size.FOUR_K] == 200_000_000
    assert book.find(surface, model, date(2026, 8, 31)) is None
    assert book.models(GEMINI_API, TODAY) == official_book().models(GEMINI_API, TODAY)


def test_the_later_of_two_owner_files_wins() -> None:
    book = over_official(CONTRACT, CONTRACT.replace('"90.00"', '"80.00"'))
    assert book.price_on(GEMINI_API, PRO, TODAY, "acme").image_output_each == 80_000


def test_an_owner_may_not_state_one_fact_twice_in_one_file() -> None:
    with pytest.raises(CatalogueError, match="is also stated by"):
        over_official(CONTRACT + CONTRACT.partition("[[price]]")[1] + CONTRACT.partition("[[price]]")[2])


def test_an_owner_prices_his_own_models_without_naming_an_upstream() -> None:
    book = book_from(owner=PAINTER_FACTS)
    assert book.price_on(SHOP, PAINTER, DAY).image_output_each == 10_000


def test_a_model_like_another_has_no_price_of_its_own_until_somebody_says_so() -> None:
    twin = '[[model]]\nid = "twin"\nlike = "painter-1"\nsurface = "shop"\nsource = "x"\nvalid_from = 2026-01-01\n'
    book = book_from(PAINTER_FACTS, owner=twin)
    assert book.card(SHOP, ModelId("twin"), DAY).max_references == 2
    with pytest.raises(NoPriceOnDate):
        book.price_on(SHOP, ModelId("twin"), DAY)


def test_text_that_is_not_toml_names_the_file() -> None:
    with pytest.raises(CatalogueError, match=r"home\.toml is not TOML"):
        overlay_in({"home.toml": "[["})


def test_other_tables_of_the_owner_are_left_alone() -> None:
    assert overlay_in(
        {"keeprate.toml": '[settings]\nyes = true\n[[upstream]]\nname = "acme"\n'}
    ) == overlay_in({})


def test_an_unnamed_model_of_an_owner_row_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"keeprate\.toml, price 1, surface"):
        overlay_in({"keeprate.toml": '[[price]]\nsource = "x"\nvalid_from = 2026-01-01\n'})

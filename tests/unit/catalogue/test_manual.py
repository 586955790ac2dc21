"""The examples of the manual are read by the program they describe."""

import re
from datetime import date
from functools import reduce
from pathlib import Path

from keeprate.catalogue.book import Book
from keeprate.catalogue.overlay import overlay_in
from keeprate.catalogue.parse import statements_in
from keeprate.catalogue.pricing import image_price
from keeprate.catalogue.statements import Statements
from keeprate.domain.geometry import Size
from keeprate.domain.money import usd
from keeprate.domain.purposes import Lane, Purpose, Thinking
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import GEMINI_API, ModelId, Upstream
from keeprate.routing.cases import Situation
from keeprate.routing.decide import decide
from keeprate.routing.market import Market
from keeprate.routing.policies import policy_named
from tests.books import fact_texts, official_book

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-model.md"
LATER = date(2027, 3, 1)


def book_of_the_page() -> Book:
    examples = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    official = reduce(Statements.plus, (statements_in(name, text) for name, text in fact_texts().items()))
    return Book(
        official.plus(overlay_in({f"example {number}": text for number, text in enumerate(examples, 1)}))
    )


def test_the_contract_of_the_manual_prices_its_upstream_alone() -> None:
    book = book_of_the_page()
    pro = ModelId("gemini-3-pro-image")
    assert book.price_on(GEMINI_API, pro, LATER, "acme").image_output_each == 90_000
    assert book.price_on(GEMINI_API, pro, LATER) == official_book().price_on(GEMINI_API, pro, LATER)


def test_the_wrapper_of_the_manual_can_be_bought_from_and_is_recorded() -> None:
    book = book_of_the_page()
    acme = Upstream(name="acme", surface=GEMINI_API, base_url="https://acme.example", simulated=False)
    price = book.price_on(GEMINI_API, ModelId("acme-pro"), LATER, "acme")
    assert image_price(price, size=Size.FOUR_K, lane=Lane.LIVE) == usd("0.20")
    bought = decide(
        ImageRequest(prompt="a red fox", purpose=Purpose.HERO),
        market=Market.of(book, [acme], LATER),
        policy=policy_named("cheapest"),
        situation=Situation(pin=ModelId("acme-pro")),
    )
    assert (bought.chosen.route.upstream, bought.quote.expected) == ("acme", usd("0.11"))
    record = book.record(acme, LATER)
    assert "acme-pro" in record.models
    assert record.support_path is not None
    assert "quota" in record.unknown


def test_the_new_model_of_the_manual_becomes_current_and_takes_over() -> None:
    book = book_of_the_page()
    new = ModelId("gemini-nano-banana-3")
    assert book.current("flash", GEMINI_API, date(2027, 1, 14)) != book.find(GEMINI_API, new, LATER)
    current = book.current("flash", GEMINI_API, LATER)
    assert current is not None
    assert (current.model, current.shutdown_on) == (new, date(2028, 1, 15))
    assert len(current.grid) == 6
    heir = book.successor(GEMINI_API, ModelId("gemini-nano-banana-2.1"), LATER)
    assert heir is not None
    assert (heir.card.model, heir.thinking) == (new, Thinking.MINIMAL)


def test_the_manual_names_every_field_of_a_route_record() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    record = official_book().record(
        Upstream(name="x", surface=GEMINI_API, base_url="https://acme.example", simulated=False), LATER
    )
    assert " ".join(record.unknown) in page

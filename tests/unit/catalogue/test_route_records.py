from dataclasses import replace
from datetime import date

import pytest

from keeprate.catalogue.overlay import overlay_in
from keeprate.catalogue.route_records import RECORD_FIELDS, is_official
from keeprate.domain.errors import CatalogueError
from keeprate.domain.routes import GEMINI_API, VERTEX, Upstream
from tests.books import official_book
from tests.unit.catalogue.facts import DAY, PAINTER_FACTS, SHOP, book_from, row

TODAY = date(2026, 11, 21)
GOOGLE = Upstream(
    name="gemini", surface=GEMINI_API, base_url="https://generativelanguage.googleapis.com", simulated=False
)
WRAPPER = replace(GOOGLE, name="acme", base_url="https://acme.example/google")


def test_the_official_surface_is_recorded_with_sources() -> None:
    record = official_book().record(GOOGLE, TODAY)
    assert record.free_tier is not None
    assert record.free_tier.says == "none for image models"
    assert record.free_tier.provenance.source.startswith("https://")
    assert "gemini-3-pro-image" in record.models


def test_what_only_the_owner_can_know_is_listed_as_unknown() -> None:
    record = official_book().record(GOOGLE, TODAY)
    assert record.unknown == (
        "billing_owner",
        "data_terms",
        "enterprise_controls",
        "fallback",
        "support_path",
    )
    assert [name for name, _ in record.entries] == list(RECORD_FIELDS)


def test_a_wrapper_takes_nothing_over_from_the_official_surface() -> None:
    assert official_book().record(WRAPPER, TODAY).unknown == RECORD_FIELDS


@pytest.mark.parametrize(
    ("base_url", "official"),
    [
        ("https://generativelanguage.googleapis.com", True),
        ("https://aiplatform.googleapis.com/v1", True),
        ("https://us-central1-aiplatform.googleapis.com:443/v1", True),
        ("https://acme.example/generativelanguage.googleapis.com", False),
        ("https://generativelanguage.googleapis.com.acme.example", False),
        ("https://evil-generativelanguage.googleapis.com.example:443", False),
    ],
)
def test_only_the_vendors_own_host_is_official(base_url: str, official: bool) -> None:
    assert is_official(replace(GOOGLE, base_url=base_url)) is official


def test_the_stand_in_is_recorded_as_what_it_stands_in_for() -> None:
    simulated = replace(GOOGLE, surface=VERTEX, base_url="http://127.0.0.1:9", simulated=True)
    assert official_book().record(simulated, TODAY).enterprise_controls is not None


def test_an_owner_records_an_upstream_in_either_place() -> None:
    owner = """
[[upstream]]
name = "acme"
surface = "shop"
base_url = "https://acme.example"

[upstream.record]
quota = "60 a minute"
source = "mail of 2026-05-02"
valid_from = 2026-05-02

[[record]]
upstream = "acme"
failure_charging = "a failed call is charged"
source = "https://acme.example/terms"
valid_from = 2026-05-03
"""
    book = book_from(PAINTER_FACTS, owner=owner)
    acme = Upstream(name="acme", surface=SHOP, base_url="https://acme.example", simulated=False)
    record = book.record(acme, DAY)
    assert record.quota is not None
    assert record.quota.says == "60 a minute"
    assert record.failure_charging is not None
    assert len(record.unknown) == len(RECORD_FIELDS) - 2
    assert book.record(acme, date(2026, 5, 2)).failure_charging is None
    assert book.record(replace(acme, name="other"), DAY).quota is None


def test_the_owners_word_goes_before_the_surfaces() -> None:
    official = row("record", 'surface = "shop"\nquota = "none"')
    disbelieved = row("record", 'surface = "shop"\nregion = "moon"', taken="false")
    owner = '[[record]]\nupstream = "mine"\nquota = "6 a minute"\nsource = "x"\nvalid_from = 2026-01-01\n'
    mine = Upstream(name="mine", surface=SHOP, base_url="http://127.0.0.1", simulated=True)
    record = book_from(PAINTER_FACTS, official, disbelieved, owner=owner).record(mine, DAY)
    assert record.quota is not None
    assert record.quota.says == "6 a minute"
    assert record.region is None


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ('quota = "x"', "upstream"),
        ('upstream = "a"\ncolour = "x"', "colour"),
        ('upstream = "a"\nquota = 3', "quota"),
    ],
)
def test_a_bad_record_names_its_field(cells: str, field: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        overlay_in({"keeprate.toml": f'[[record]]\n{cells}\nsource = "x"\nvalid_from = 2026-01-01\n'})
    assert caught.value.field == field


def test_a_record_in_an_upstream_table_needs_a_source() -> None:
    with pytest.raises(CatalogueError, match="upstream 1, record, valid_from"):
        overlay_in({"keeprate.toml": '[[upstream]]\nname = "a"\nrecord = { quota = "x" }\n'})

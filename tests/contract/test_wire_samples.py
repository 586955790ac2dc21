"""The wire code against every sample of contract/."""

import json
from dataclasses import asdict
from datetime import date
from importlib.resources import files

import pytest

from keeprate.catalogue.pricing import charge_for
from keeprate.catalogue.standard import FACT_FILES, book_of
from keeprate.domain.geometry import Size
from keeprate.domain.money import display
from keeprate.domain.outcomes import OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import GEMINI_API, ModelId
from keeprate.providers.gemini import wire as gemini
from keeprate.providers.google.answers import content_answer
from keeprate.providers.google.predict import predict_answer
from keeprate.providers.google.refusals import refusal
from keeprate.providers.vertex import wire as vertex
from tests.contract_server import Sample, samples
from tests.unit.providers.build import ask, lane, upstream

_FACTS = files("keeprate.catalogue") / "facts"
BOOK = book_of({name: (_FACTS / name).read_text("utf-8") for name in FACT_FILES})
REPLIES = samples("replies")
REFUSALS = samples("refusals")
REQUESTS = samples("requests")


def named(sample: Sample) -> str:
    return sample.name


@pytest.mark.parametrize("sample", REPLIES + REFUSALS + REQUESTS, ids=named)
def test_a_sample_says_where_it_comes_from(sample: Sample) -> None:
    said = sample.content
    assert said["name"] == sample.name
    assert said["source"].startswith("https://")
    assert said["seen_on"][:3] == "202"
    assert said["basis"] in {"documented", "reported", "constructed"}


def test_there_are_at_least_forty_answer_shapes() -> None:
    assert len(REPLIES) >= 40
    shown = {sample.content["expect"]["outcome"] for sample in REPLIES}
    assert shown == {str(kind) for kind in OutcomeKind}


@pytest.mark.parametrize("sample", REPLIES, ids=named)
def test_a_reply_becomes_the_typed_answer(sample: Sample) -> None:
    reply, expect = sample.content["reply"], sample.content["expect"]
    if sample.content["method"] == "predict":
        answer = predict_answer(sample.body)
    else:
        answer = content_answer(sample.body, served_tier=reply["headers"].get("x-gemini-service-tier"))
    assert answer.outcome.kind == expect["outcome"]
    assert answer.outcome.raw_reason == expect.get("raw_reason")
    assert len(answer.images) == expect["images"]
    assert answer.stated_free == expect.get("stated_free", False)
    for member in ("text", "message"):
        assert getattr(answer.outcome, member) == expect.get(member, getattr(answer.outcome, member))
    for member in ("model_version", "response_id", "served_lane"):
        assert getattr(answer, member) == expect.get(member, getattr(answer, member))
    if "signature" in expect:
        assert answer.images[0].signature == expect["signature"]
    if expect["usage"] is None:
        assert answer.usage is None
    else:
        assert answer.usage is not None
        assert {name: count for name, count in asdict(answer.usage).items() if count} == expect["usage"]


@pytest.mark.parametrize("sample", [s for s in REPLIES if "charge_usd" in s.content["expect"]], ids=named)
def test_what_was_counted_costs_exactly_that(sample: Sample) -> None:
    answer = content_answer(sample.body, served_tier=None)
    assert answer.usage is not None
    price = BOOK.price_on(GEMINI_API, ModelId("gemini-3-pro-image"), date(2026, 5, 30))
    priced = charge_for(answer.usage, price, lane=Lane.LIVE, size=Size.ONE_K)
    assert display(priced.amount) == sample.content["expect"]["charge_usd"]


@pytest.mark.parametrize(
    "sample", [s for s in REPLIES if s.content["expect"]["outcome"] != "image"], ids=named
)
def test_an_answer_without_an_image_always_says_why(sample: Sample) -> None:
    assert sample.content["expect"]["raw_reason"]


@pytest.mark.parametrize("sample", REFUSALS, ids=named)
def test_a_refusal_says_what_it_means_for_money(sample: Sample) -> None:
    reply, expect = sample.content["reply"], sample.content["expect"]
    headers = {name.title(): value for name, value in reply["headers"].items()}
    failure = refusal(reply["status"], headers, sample.body)
    assert failure.failure == expect["failure"]
    assert failure.outcome.raw_reason == expect["raw_reason"]
    assert failure.is_final == expect["is_final"]
    assert failure.retry_after_s == expect["retry_after_s"]
    assert failure.http_status == reply["status"]
    assert failure.outcome.kind in {OutcomeKind.FAILED, OutcomeKind.UNKNOWN}
    assert (failure.outcome.kind is OutcomeKind.UNKNOWN) == (expect["failure"] == "unknown")


@pytest.mark.parametrize("sample", REQUESTS, ids=named)
def test_an_ask_becomes_exactly_the_request(sample: Sample) -> None:
    given, request = sample.content["given"], sample.content["request"]
    asked = ask(**given)
    if sample.content["surface"] == "vertex":
        place = upstream(vertex=True, quota_project=given.get("project"), location=given.get("location"))
        path, body = vertex.path(asked, place), vertex.body(asked)
        headers = vertex.lane_headers(lane(given))
    else:
        path, body, headers = gemini.path(asked), gemini.body(asked, lane(given)), {}
    assert path == request["path"]
    assert json.loads(body) == request["body"]
    assert headers == request["headers"]

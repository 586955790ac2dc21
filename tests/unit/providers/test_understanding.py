"""What the samples do not reach: broken bytes, odd base64, counts without their split, words for the wire."""

import base64
import json

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from keeprate.domain.errors import ConfigError, InvalidValue
from keeprate.domain.outcomes import OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.providers.credentials import ApiKey, GoogleDefault
from keeprate.providers.gemini import wire as gemini
from keeprate.providers.google.answers import content_answer
from keeprate.providers.google.blobs import BadBlob, decoded
from keeprate.providers.google.history import model_turn
from keeprate.providers.google.names import path_name
from keeprate.providers.google.predict import predict_answer
from keeprate.providers.google.refusals import refusal
from keeprate.providers.google.usage import UsageMetadata, lane_of, usage_of
from keeprate.providers.vertex import wire as vertex
from tests.contract_server import sample, samples
from tests.trust_counts import count
from tests.unit.providers.build import ask, upstream

BODIES = [entry.body for entry in samples("replies")]


@settings(max_examples=count("damaged-replies", 150, 20_000), deadline=None)
@given(
    body=some.sampled_from(BODIES),
    place=some.integers(0, 2000),
    insertion=some.binary(max_size=4),
    cut=some.integers(0, 60),
)
def test_a_damaged_reply_never_raises(body: bytes, place: int, insertion: bytes, cut: int) -> None:
    place %= len(body) + 1
    damaged = body[:place] + insertion + body[place + cut :]
    for answer in (content_answer(damaged, served_tier=None), predict_answer(damaged)):
        assert answer.outcome.kind in OutcomeKind
        assert (answer.outcome.kind is OutcomeKind.IMAGE) == bool(answer.images)
        assert answer.outcome.kind is OutcomeKind.IMAGE or answer.outcome.raw_reason
    model_turn(damaged)
    for status in (400, 429, 500, 503, 504):
        assert refusal(status, {}, damaged).outcome.raw_reason


def test_a_deeply_nested_reply_is_undecodable_and_not_a_crash() -> None:
    answer = content_answer(b'{"candidates":' + b"[" * 200_000, served_tier=None)
    assert answer.outcome.raw_reason == "undecodable"


@given(content=some.binary(min_size=1, max_size=200), padded=some.booleans(), url_safe=some.booleans())
@example(content=b"\xfb\xff", padded=False, url_safe=True)
def test_base64_is_read_in_either_alphabet_padded_or_not(
    content: bytes, padded: bool, url_safe: bool
) -> None:
    encode = base64.urlsafe_b64encode if url_safe else base64.standard_b64encode
    text = encode(content).decode()
    raw = msgspec.Raw(json.dumps(text if padded else text.rstrip("=")).encode())
    assert decoded(raw) == content


def test_line_ends_inside_base64_do_not_lose_a_paid_picture() -> None:
    assert decoded(msgspec.Raw(b'"AAAA\\r\\nAAA="')) == bytes(5)


@pytest.mark.parametrize("text", [b"12", b'"*"', b'"A"', b'{"a":1}', '"é"'.encode(), b'"\\ud800"'])
def test_what_is_no_base64_is_said_so(text: bytes) -> None:
    with pytest.raises(BadBlob):
        decoded(msgspec.Raw(text))


@pytest.mark.parametrize("text", [b"", b"null", b'""'])
def test_absent_base64_is_no_picture(text: bytes) -> None:
    assert decoded(msgspec.Raw(text)) == b""


def test_an_empty_usage_block_is_no_usage() -> None:
    assert usage_of(UsageMetadata(), images=1, search_queries=0) is None
    assert usage_of(None, images=1, search_queries=0) is None


def test_output_without_a_split_is_text_where_no_image_came() -> None:
    usage = usage_of(
        UsageMetadata(prompt_token_count=5, candidates_token_count=7), images=0, search_queries=0
    )
    assert usage is not None
    assert (usage.output_text_tokens, usage.output_image_tokens) == (7, 0)


@pytest.mark.parametrize(
    ("words", "lane"),
    [
        (("standard",), Lane.LIVE),
        ((None, "FLEX"), Lane.FLEX),
        (("ON_DEMAND_PRIORITY",), Lane.PRIORITY),
        (("PROVISIONED_THROUGHPUT",), None),
        ((None, ""), None),
        (("standard", "priority"), Lane.LIVE),
    ],
)
def test_the_served_lane_is_the_first_word_known(words: tuple[str | None, ...], lane: Lane | None) -> None:
    assert lane_of(*words) == lane


def test_the_turn_of_the_model_is_kept_to_the_byte() -> None:
    turn = b'{ "role":"model","parts":[{"text":"a\\u0062" ,"thoughtSignature":"x-_"}]}'
    assert model_turn(b'{"candidates":[{"content":' + turn + b',"finishReason":"STOP"}]}') == turn


@pytest.mark.parametrize(
    "name", ["empty_object", "prompt_blocked_safety", "finish_image_safety", "imagen_image"]
)
def test_where_the_model_said_nothing_there_is_no_turn(name: str) -> None:
    assert model_turn(sample("replies", name).body) is None


def test_history_is_sent_byte_for_byte() -> None:
    asked = ask(history=[{"role": "user", "parts": [{"text": "a"}]}])
    spaced = b'[ {"role":"model" , "parts":[{"thoughtSignature":"q\\/w"}]} ]'
    materials = type(asked.materials)(history_json=spaced)
    body = gemini.body(
        type(asked)(request=asked.request, route=asked.route, shape=asked.shape, materials=materials),
        Lane.LIVE,
    )
    assert spaced[2:-2] in body


def test_several_images_in_one_generate_call_are_refused_before_sending() -> None:
    with pytest.raises(InvalidValue, match="one image a call"):
        gemini.body(ask(images=2), Lane.LIVE)


def test_a_ratio_without_a_name_is_refused_in_the_newer_field() -> None:
    with pytest.raises(InvalidValue, match="newer size field"):
        gemini.body(ask(ratio="7:3", size_field="responseFormat"), Lane.LIVE)


@pytest.mark.parametrize("name", ["a/b", "a#b", "a?b", "a%2fb", "", "a b", "..", "a\nb", "é", "-a", "a..b"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        path_name(name, field="model")
    with pytest.raises(ConfigError):
        gemini.path(ask(model=name))
    with pytest.raises(ConfigError):
        vertex.path(ask(), upstream(vertex=True, quota_project=name))


def test_a_default_lane_is_named_nowhere() -> None:
    assert b"serviceTier" not in gemini.body(ask(), Lane.LIVE)
    assert vertex.lane_headers(Lane.LIVE) == {}


@pytest.mark.parametrize("value", ["", "a b", "a\r\nx: y", "clé"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ApiKey(value)
    assert caught.value.value is None


def test_credentials_do_not_show() -> None:
    assert "secret" not in repr(ApiKey("secret"))
    assert repr(GoogleDefault()) == "GoogleDefault()"

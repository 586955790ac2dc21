"""What is read of a call that is passed on, however its keys are spelt; and what is changed in it."""

import json

import pytest

from keeprate.domain.errors import InvalidValue
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import GEMINI_API
from keeprate.workflows.envelopes import (
    Envelope,
    Verb,
    model_named,
    ratio_named,
    read_content,
    read_predict,
    size_named,
    spliced,
)
from keeprate.workflows.forwarding import Errand
from keeprate.workflows.interaction_envelopes import model_in, read_interaction
from keeprate.workflows.reply_shapes import ReplyShape, marked, shape_in


def envelope(body: object, verb: Verb = Verb.GENERATE, query: str = "") -> Envelope:
    return Envelope(
        verb=verb,
        surface=GEMINI_API,
        model="gemini-3-pro-image",
        errand=Errand(collection="models/{model}:generateContent", query=query),
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        body_sha256="",
        headers={},
    )


CAMEL = {
    "contents": [
        {"role": "user", "parts": [{"text": "a"}, {"inlineData": {"data": "iVBO", "mimeType": "image/png"}}]},
        {
            "role": "model",
            "parts": [{"inlineData": {"data": "iVBO", "mimeType": "image/png"}, "thoughtSignature": "c2ln"}],
        },
        {
            "role": "user",
            "parts": [
                {"text": "bluer"},
                {"fileData": {"fileUri": "https://x.invalid/v1beta/files/abc", "mimeType": "image/png"}},
            ],
        },
    ],
    "systemInstruction": {"parts": [{"text": "You paint."}]},
    "tools": [{"googleSearch": {}}],
    "serviceTier": "flex",
    "generationConfig": {
        "maxOutputTokens": 2000,
        "seed": 7,
        "thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True},
        "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
    },
}


def snake(value: object) -> object:
    if isinstance(value, list):
        return [snake(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in key): snake(one) for key, one in value.items()
    }


@pytest.mark.parametrize("body", [CAMEL, snake(CAMEL)], ids=["camelCase", "snake_case"])
def test_both_spellings_say_the_same(body: object) -> None:
    wanted = read_content(envelope(body))
    assert (wanted.prompt, wanted.size, wanted.ratio, wanted.thinking) == ("bluer", "2K", "16:9", "high")
    assert (wanted.images, wanted.earlier_images, wanted.continues) == (1, 2, True)
    assert (wanted.files, wanted.signatures) == (("abc",), ("c2ln",))
    assert (wanted.output_limit, wanted.seed, wanted.grounding, wanted.system) == (2000, 7, True, True)
    assert (wanted.lane, wanted.shows_thoughts, wanted.shape) == (Lane.FLEX, True, ReplyShape.CONTENT)
    assert wanted.text_bytes >= len("abluerYou paint.")


def test_the_newer_size_field_is_understood() -> None:
    image = {"aspectRatio": "ASPECT_RATIO_SIXTEEN_BY_NINE", "imageSize": "IMAGE_SIZE_FOUR_K"}
    wanted = read_content(envelope({"generationConfig": {"responseFormat": {"image": image}}}))
    assert (wanted.ratio, wanted.size) == ("16:9", "4K")
    assert size_named("IMAGE_SIZE_UNSPECIFIED") is ratio_named("auto") is None


@pytest.mark.parametrize("body", [b"{}", b"", b'{"contents":[]}', b'{"contents":{"parts":[{"text":"x"}]}}'])
def test_little_is_enough(body: bytes) -> None:
    assert read_content(envelope(body)).prompt


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"contents":1}', b'{"generationConfig":{"candidateCount":2}}', b"\xff"]
)
def test_what_cannot_be_quoted_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(InvalidValue):
        read_content(envelope(body))


def test_a_stream_is_events_only_where_they_are_asked_for() -> None:
    assert read_content(envelope({}, Verb.STREAM, "alt=sse")).shape is ReplyShape.EVENTS
    assert read_content(envelope({}, Verb.STREAM)).shape is ReplyShape.ARRAY


def test_imagen_draws_four_where_nobody_says_how_many() -> None:
    body = {"instances": [{"prompt": "a cat"}], "parameters": {"sampleImageSize": "2K", "aspectRatio": "4:3"}}
    wanted = read_predict(envelope(body, Verb.PREDICT))
    assert (wanted.count, wanted.size, wanted.ratio, wanted.prompt) == (4, "2K", "4:3", "a cat")


def test_an_interaction_is_read_in_all_its_forms() -> None:
    steps = [
        {"type": "user_input", "content": [{"type": "text", "text": "cat"}, {"type": "image", "data": "x"}]}
    ]
    formats = [{"type": "image", "aspect_ratio": "16:9", "image_size": "2K"}]
    body = {
        "model": "m",
        "input": steps,
        "response_format": formats,
        "previous_interaction_id": "v1_p",
        "stream": True,
    }
    wanted = read_interaction(envelope(body, Verb.INTERACT))
    assert (wanted.prompt, wanted.images, wanted.size, wanted.previous) == ("cat", 1, "2K", "v1_p")
    assert wanted.shape is ReplyShape.INTERACTION_EVENTS
    assert read_interaction(envelope({"input": "a dog"}, Verb.INTERACT)).prompt == "a dog"
    with pytest.raises(InvalidValue):
        model_in(b'{"agent":"deep-research","input":"x"}')


def test_a_splice_leaves_everything_else_byte_for_byte() -> None:
    body = b'{"contents":[{"parts":[{"text":"\\u00e9"}]}],"x":1.50,"generationConfig":{"topK":40.0},"keeprate":{}}'
    changed = spliced(
        body, {("keeprate",): None, ("generationConfig", "maxOutputTokens"): 9, ("a", "b", "c"): "d"}
    )
    assert changed == (
        b'{"contents":[{"parts":[{"text":"\\u00e9"}]}],"x":1.50,'
        b'"generationConfig":{"topK":40.0,"maxOutputTokens":9},"a":{"b":{"c":"d"}}}'
    )


@pytest.mark.parametrize(("name", "model"), [("models/x", "x"), ("auto", None), ("", None), ("x", "x")])
def test_auto_leaves_the_model_to_the_policy(name: str, model: str | None) -> None:
    assert model_named(name) == model


def test_a_spooled_reply_carries_its_shape() -> None:
    for shape in ReplyShape:
        assert shape_in(marked("application/json; charset=UTF-8", shape)) is shape
    assert shape_in("application/json") is None

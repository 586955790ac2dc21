"""What a request body means, in any of its spellings, and what is refused."""

import base64
import io

import pytest
from PIL import Image

from keeprate_emulator.admission import admit, ratio_of, size_of
from keeprate_emulator.models import all_models
from keeprate_emulator.refusals import Refusal
from keeprate_emulator.requests import Ask, ask_from
from keeprate_emulator.signatures import is_ours, new_signature
from keeprate_emulator.wire import camel, camel_keys, encoded, request_node, snake

PRO = all_models()["gemini-3-pro-image"].family
NEW = all_models()["gemini-nano-banana-2.1"].family
OLD = all_models()["gemini-2.5-flash-image"].family


def picture(kind: str = "PNG", pixels: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", pixels, (180, 60, 40)).save(buffer, kind)
    return buffer.getvalue()


def part(content: bytes, mime: str = "image/png", **more: object) -> dict[str, object]:
    return {"inlineData": {"mimeType": mime, "data": base64.b64encode(content).decode()}, **more}


def no_files(file_id: str) -> tuple[bytes, str]:
    raise Refusal(403, f"no file {file_id}")


def asked(*, surface: str = "gemini-api", parts: list[object] | None = None, **members: object) -> Ask:
    body = {"contents": [{"parts": parts or [{"text": "a cat"}]}], **members}
    return ask_from(request_node(encoded(body)), surface, no_files)  # type: ignore[arg-type]


def configured(image: dict[str, object], **members: object) -> Ask:
    return asked(generationConfig={"imageConfig": image, **members})


def refusal(ask: Ask, family: object = PRO, surface: str = "gemini-api") -> Refusal:
    with pytest.raises(Refusal) as caught:
        admit(ask, family, surface)  # type: ignore[arg-type]
    assert caught.value.code == 400
    return caught.value


def test_both_spellings_mean_the_same() -> None:
    camels = asked(
        parts=[part(picture())],
        generationConfig={
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"},
            "thinkingConfig": {"includeThoughts": True},
            "responseModalities": ["IMAGE"],
        },
    )
    snakes = ask_from(
        request_node(
            encoded(
                {
                    "contents": {
                        "parts": {
                            "inline_data": {
                                "mime_type": "image/png",
                                "data": base64.urlsafe_b64encode(picture()).decode().rstrip("="),
                            }
                        }
                    },
                    "generation_config": {
                        "image_config": {"aspect_ratio": "16:9", "image_size": "2K"},
                        "thinking_config": {"include_thoughts": True},
                        "response_modalities": ["image"],
                    },
                }
            )
        ),
        "gemini-api",
        no_files,
    )
    assert camels == snakes


def test_keys_of_the_caller_stay_as_written() -> None:
    given = {"labels": {"my_team": "x_y"}, "generation_config": {"image_size": "1K"}}
    assert camel_keys(given) == {"labels": {"my_team": "x_y"}, "generationConfig": {"imageSize": "1K"}}


@pytest.mark.parametrize("name", ["mime_type", "output_compression_quality", "top_p"])
def test_spellings_turn_into_each_other(name: str) -> None:
    assert snake(camel(name)) == name


@pytest.mark.parametrize("data", ["aGk=\n", "a GVs", "%%%%"])
def test_broken_base64_is_refused(data: str) -> None:
    with pytest.raises(Refusal, match="Base64 decoding failed"):
        asked(parts=[{"inlineData": {"mimeType": "image/png", "data": data}}])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"contents": [{"parts": [{"text": "x"}]}], "purpose": "draft"},
            'Unknown name "purpose": Cannot find field.',
        ),
        (
            {
                "contents": [{"parts": [{"text": "x"}]}],
                "generationConfig": {"imageConfig": {"outputMimeType": "image/png"}},
            },
            "Unknown name \"outputMimeType\" at 'generation_config.image_config': Cannot find field.",
        ),
        ({"contents": [{"parts": [{"text": "x"}]}], "labels": {"a": "b"}}, 'Unknown name "labels"'),
        (
            {"contents": [{"parts": [{"text": 7}]}]},
            "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 7",
        ),
        ({}, "contents is not specified"),
    ],
)
def test_what_the_api_does_not_know_is_named(body: dict[str, object], message: str) -> None:
    with pytest.raises(Refusal) as caught:
        ask_from(request_node(encoded(body)), "gemini-api", no_files)
    assert message in caught.value.message


def test_vertex_knows_fields_that_the_gemini_api_does_not() -> None:
    ask = asked(
        surface="vertex",
        labels={"team": "a"},
        generationConfig={
            "imageConfig": {"imageOutputOptions": {"mimeType": "image/jpeg", "compressionQuality": 70}}
        },
    )
    assert (ask.mime, ask.quality) == ("image/jpeg", 70)


def test_a_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(Refusal):
        request_node(b"{")
    with pytest.raises(Refusal):
        request_node(b"[1]")


@pytest.mark.parametrize("size", ["0.5K", "1k", "8K", "1024"])
def test_an_unknown_size_is_refused_with_the_accepted_set(size: str) -> None:
    assert "1K, 2K, 4K, 512, 512P, 512PX" in refusal(configured({"imageSize": size})).message


@pytest.mark.parametrize(("family", "size"), [(PRO, "512"), (NEW, "512"), (OLD, "1K"), (OLD, "2K")])
def test_a_size_that_the_model_does_not_draw_is_refused(family: object, size: str) -> None:
    assert "not supported by this model" in refusal(configured({"imageSize": size}), family).message


@pytest.mark.parametrize("written", ["512", "512P", "512PX"])
def test_512_has_three_spellings(written: str) -> None:
    ask = configured({"imageSize": written})
    admit(ask, all_models()["gemini-3.1-flash-image"].family, "gemini-api")
    assert size_of(ask) == "512"


def test_the_newer_size_field_is_read_too() -> None:
    ask = asked(
        generationConfig={
            "responseFormat": {"image": {"aspectRatio": "4:3", "imageSize": "IMAGE_SIZE_TWO_K"}}
        }
    )
    assert (ask.ratio, ask.size) == ("4:3", "2K")


def test_ratios_differ_by_model_and_surface() -> None:
    assert "aspect_ratio" in refusal(configured({"aspectRatio": "8:1"})).message
    admit(configured({"aspectRatio": "8:1"}), NEW, "gemini-api")
    refusal(configured({"aspectRatio": "9:21"}), NEW)
    admit(asked(surface="vertex", generationConfig={"imageConfig": {"aspectRatio": "9:21"}}), NEW, "vertex")


@pytest.mark.parametrize(("family", "limit"), [(PRO, 14), (OLD, 3)])
def test_references_have_a_limit(family: object, limit: int) -> None:
    admit(asked(parts=[{"text": "x"}, *[part(picture())] * limit]), family, "gemini-api")  # type: ignore[arg-type]
    assert (
        "Too many images"
        in refusal(asked(parts=[{"text": "x"}, *[part(picture())] * (limit + 1)]), family).message
    )


def test_a_reference_must_be_what_it_is_called() -> None:
    assert "mime type: image/jpeg" in refusal(asked(parts=[part(picture("JPEG"), "image/png")])).message
    assert "Unable to process input image" in refusal(asked(parts=[part(b"no picture")])).message
    assert "Unsupported MIME type" in refusal(asked(parts=[part(picture(), "image/tiff")])).message
    assert "Unsupported MIME type" in refusal(asked(parts=[part(b"film", "video/mp4")])).message


@pytest.mark.parametrize(
    ("ask", "family", "words"),
    [
        (configured({}, thinkingConfig={"thinkingLevel": "HIGH"}), PRO, "Thinking level HIGH"),
        (configured({}, thinkingConfig={"thinkingLevel": "low"}), NEW, "Thinking level LOW"),
        (configured({}, thinkingConfig={"thinkingLevel": "high"}), OLD, "Thinking is not enabled"),
        (configured({}, temperature=0.5), NEW, "Sampling parameter 'temperature'"),
        (configured({}, seed=5), NEW, "Sampling parameter 'seed'"),
        (configured({}, candidateCount=2), PRO, "Multiple candidates"),
        (configured({}, responseModalities=["AUDIO"]), PRO, "response modalities"),
        (configured({}, maxOutputTokens=40_000), PRO, "maxOutputTokens"),
        (configured({}, responseSchema={"type": "object"}), PRO, "JSON mode"),
        (asked(tools=[{"googleSearch": {}}]), OLD, "Search as tool"),
        (asked(tools=[{"functionDeclarations": []}]), PRO, "functionDeclarations"),
        (asked(parts=[{"text": "  "}]), PRO, "must have a text parameter"),
    ],
)
def test_what_a_model_does_not_take_is_refused(ask: Ask, family: object, words: str) -> None:
    assert words in refusal(ask, family).message


def conversation(**signed: object) -> Ask:
    contents = [
        {"role": "user", "parts": [{"text": "a cat"}]},
        {"role": "model", "parts": [{"text": "Here"}, part(picture(), **signed)]},
        {"role": "user", "parts": [{"text": "make it blue"}]},
    ]
    return ask_from(request_node(encoded({"contents": contents})), "gemini-api", no_files)


def test_a_signature_must_come_back_with_its_picture() -> None:
    message = refusal(conversation()).message
    assert message.startswith(
        "Image part is missing a thought_signature in content position 2, part position 2"
    )
    assert "Corrupted" in refusal(conversation(thoughtSignature="bm9wZQ==")).message
    admit(conversation(thoughtSignature=new_signature()), PRO, "gemini-api")
    admit(
        conversation(thought_signature=new_signature().replace("+", "-").replace("/", "_")), PRO, "gemini-api"
    )
    admit(conversation(), OLD, "gemini-api")


def test_signatures_are_known_again_and_never_repeat() -> None:
    one, other = new_signature(), new_signature()
    assert one != other
    assert is_ours(one)
    assert not is_ours(one[:-6] + "AAAA==")


def test_an_edit_starts_from_the_latest_picture() -> None:
    ask = conversation(thoughtSignature=new_signature())
    assert len(ask.edited) == 1
    assert ask.references == ()
    assert ratio_of(ask, PRO, "gemini-api") == "4:3"

"""The emulator over HTTP: every door, as a client that knows only Google's documents would use it."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.emulator_process import EmulatorProcess, start_emulator

PRO = "gemini-3-pro-image"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(
        tmp_path_factory.mktemp("wire"), "--draw", "fast", "--as-of", "2026-11-21"
    ) as process:
        yield process


@pytest.fixture
def emulator(running: EmulatorProcess) -> EmulatorProcess:
    running.reset()
    return running


def body_of(*parts: object, **config: object) -> dict[str, object]:
    return {
        "contents": [{"role": "user", "parts": list(parts) or [{"text": "a cat"}]}],
        "generationConfig": config,
    }


def bought(emulator: EmulatorProcess, body: object, *, model: str = PRO, version: str = "v1beta") -> Any:
    answer = emulator.post(f"/{version}/models/{model}:generateContent", body)
    assert answer.status == 200, answer.body
    return answer.json


def parts_of(answer: Any) -> list[Any]:
    return answer["candidates"][0]["content"]["parts"]


def picture_in(answer: Any) -> tuple[Image.Image, Any]:
    part = next(part for part in parts_of(answer) if "inlineData" in part)
    return Image.open(io.BytesIO(base64.b64decode(part["inlineData"]["data"]))), part


def png(tone: tuple[int, int, int] = (200, 40, 40)) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), tone).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def reference(tone: tuple[int, int, int] = (200, 40, 40)) -> dict[str, object]:
    return {"inlineData": {"mimeType": "image/png", "data": png(tone)}}


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_a_picture_comes_with_its_usage_and_its_id(emulator: EmulatorProcess, version: str) -> None:
    config = {"imageConfig": {"aspectRatio": "16:9", "imageSize": "2K"}, "responseModalities": ["IMAGE"]}
    answer = bought(emulator, body_of({"text": "x" * 44}, **config), version=version)
    image, part = picture_in(answer)
    assert image.size == (2752, 1536)
    assert part["inlineData"]["mimeType"] == Image.MIME[image.format or ""]
    assert part["thoughtSignature"]
    usage = answer["usageMetadata"]
    thoughts = usage["thoughtsTokenCount"]
    assert usage["promptTokenCount"] == 11
    assert usage["candidatesTokensDetails"] == [{"modality": "IMAGE", "tokenCount": 1120}]
    assert usage["totalTokenCount"] == 11 + 1120 + thoughts
    assert usage["serviceTier"] == "standard"
    assert answer["modelVersion"] == PRO
    row = emulator.bill()["rows"][0]
    assert row["response_id"] == answer["responseId"]
    assert row["nano_usd"] == 11 * 2_000 + thoughts * 12_000 + 1120 * 120_000


@pytest.mark.parametrize(
    ("model", "day", "size", "tokens", "pixels"),
    [
        (PRO, "2026-11-21", "4K", 2000, (4096, 4096)),
        ("gemini-nano-banana-2.1", "2026-11-21", "4K", 3780, (4096, 4096)),
        ("gemini-3.1-flash-lite-image", "2026-11-21", "1K", 1120, (1024, 1024)),
        ("gemini-3.1-flash-image", "2026-10-28", "512", 747, (512, 512)),
        ("gemini-2.5-flash-image", "2026-10-01", "", 1290, (1024, 1024)),
        ("gemini-3-pro-image-preview", "2026-04-15", "1K", 1120, (1024, 1024)),
    ],
)
def test_tokens_and_pixels_are_those_of_model_and_size(
    emulator: EmulatorProcess, model: str, day: str, size: str, tokens: int, pixels: tuple[int, int]
) -> None:
    emulator.day(day)
    image_config = {"imageSize": size} if size else {}
    answer = bought(emulator, body_of(imageConfig=image_config, responseModalities=["IMAGE"]), model=model)
    assert picture_in(answer)[0].size == pixels
    assert answer["usageMetadata"]["candidatesTokenCount"] == tokens


def test_the_clock_retires_and_releases(emulator: EmulatorProcess) -> None:
    path = "/v1beta/models/gemini-3.1-flash-image:generateContent"
    for day, status in (("2026-10-28", 200), ("2026-10-29", 404), ("2026-05-27", 404), ("2026-05-28", 200)):
        emulator.day(day)
        assert emulator.post(path, body_of()).status == status, day
    assert emulator.post("/_emulator/clock", {"day": "yesterday"}).status == 400
    emulator.reset()
    assert emulator.get("/_emulator/clock").json == {"day": "2026-11-21"}


def test_imagen_and_gemini_do_not_take_each_others_verb(emulator: EmulatorProcess) -> None:
    emulator.day("2026-08-16")
    predict = {"instances": [{"prompt": "cat"}], "parameters": {"sampleCount": 1}}
    assert emulator.post("/v1beta/models/imagen-4.0-generate-001:generateContent", body_of()).status == 404
    assert emulator.post(f"/v1beta/models/{PRO}:predict", predict).status == 404
    assert emulator.post("/v1beta/models/imagen-4.0-generate-001:predict", predict).status == 200


def test_a_caller_without_a_credential_is_a_stranger(emulator: EmulatorProcess) -> None:
    bare = {"content-type": "application/json"}
    gemini = emulator.post(f"/v1/models/{PRO}:generateContent", body_of(), bare)
    assert (gemini.status, gemini.json["error"]["status"]) == (403, "PERMISSION_DENIED")
    vertex = f"/v1beta1/projects/p/locations/global/publishers/google/models/{PRO}:generateContent"
    assert emulator.post(vertex, body_of(), bare).status == 401
    assert emulator.post(f"/v1/models/{PRO}:generateContent?key=k", body_of(), bare).status == 200
    assert emulator.bill_summary()["accepted_calls"] == 1


def test_a_refused_request_is_indented_json_and_free(emulator: EmulatorProcess) -> None:
    answer = emulator.post(f"/v1/models/{PRO}:generateContent", body_of(imageConfig={"imageSize": "0.5K"}))
    assert answer.status == 400
    assert answer.body.startswith(b'{\n  "error": {\n    "code": 400,')
    assert emulator.bill_summary()["accepted_calls"] == 0


def test_thinking_levels_and_words_count(emulator: EmulatorProcess) -> None:
    counts: dict[str, int] = {}
    for level in ("minimal", "medium", "high"):
        config = {"thinkingConfig": {"thinking_level": level.upper(), "include_thoughts": True}}
        answer = bought(emulator, body_of(**config), model="gemini-nano-banana-2.1")
        assert parts_of(answer)[0]["thought"] is True
        counts[level] = answer["usageMetadata"]["thoughtsTokenCount"]
    assert counts["minimal"] <= 60 < 230 <= counts["medium"] <= 430 < counts["high"]


def test_output_tokens_bound_thinking_and_then_the_picture(emulator: EmulatorProcess) -> None:
    tight = bought(emulator, body_of(maxOutputTokens=1150))
    assert tight["usageMetadata"]["thoughtsTokenCount"] == 30
    assert tight["usageMetadata"]["candidatesTokenCount"] == 1120
    none = bought(emulator, body_of(maxOutputTokens=600))
    assert none["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert "content" not in none["candidates"][0]
    assert [row["usage"]["image"] for row in emulator.bill()["rows"]] == [1120, 0]


def test_words_only_where_only_words_are_wanted(emulator: EmulatorProcess) -> None:
    answer = bought(emulator, body_of(responseModalities=["TEXT"]))
    assert [sorted(part) for part in parts_of(answer)] == [["text", "thoughtSignature"]]
    assert emulator.bill()["rows"][0]["images"] == 0


def test_lanes_are_billed_and_named(emulator: EmulatorProcess) -> None:
    for tier in ("standard", "flex", "priority"):
        answer = emulator.post(f"/v1/models/{PRO}:generateContent", {**body_of(), "serviceTier": tier})
        assert answer.headers["x-gemini-service-tier"] == tier == answer.json["usageMetadata"]["serviceTier"]
    standard, flex, priority = (row["nano_usd"] for row in emulator.bill()["rows"])
    assert standard > flex
    assert priority > standard
    refused = emulator.post(
        "/v1/models/gemini-nano-banana-2.1:generateContent", {**body_of(), "serviceTier": "flex"}
    )
    assert refused.status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/v1beta1/projects/p/locations/us-central1",
        "/v1/projects/p/locations/global",
        "/v1beta1",
        "/v1",
        "",
    ],
)
def test_vertex_has_its_own_paths_and_traffic_type(emulator: EmulatorProcess, path: str) -> None:
    config = {"imageConfig": {"imageOutputOptions": {"mimeType": "image/jpeg", "compressionQuality": 60}}}
    answer = emulator.call(
        "POST",
        f"{path}/publishers/google/models/{PRO}:generateContent",
        body=json.dumps({**body_of(**config), "labels": {"team": "a"}}).encode(),
        headers={"authorization": "Bearer t", "X-Vertex-AI-LLM-Shared-Request-Type": "flex"},
    )
    assert answer.status == 200, answer.body
    assert picture_in(answer.json)[0].format == "JPEG"
    assert answer.json["usageMetadata"]["trafficType"] == "ON_DEMAND_FLEX"
    assert emulator.bill()["rows"][0]["surface"] == "vertex"


def test_the_token_desk_knows_everybody(emulator: EmulatorProcess) -> None:
    answer = emulator.call("POST", "/token", body=b"grant_type=x", headers={})
    assert answer.json == {
        "access_token": "simulated-access-token",
        "expires_in": 3600,
        "token_type": "Bearer",
    }


def test_references_are_counted(emulator: EmulatorProcess) -> None:
    answer = bought(emulator, body_of({"text": "join"}, *[reference((n, 9, 9)) for n in range(3)]))
    assert answer["usageMetadata"]["promptTokensDetails"] == [
        {"modality": "TEXT", "tokenCount": 1},
        {"modality": "IMAGE", "tokenCount": 3 * 560},
    ]
    assert emulator.truth(answer["responseId"])["references"] == 3


def test_a_conversation_goes_on_only_with_its_signature(emulator: EmulatorProcess) -> None:
    first = bought(emulator, body_of({"text": "a cat"}))
    said = first["candidates"][0]["content"]
    turns = [
        {"role": "user", "parts": [{"text": "a cat"}]},
        said,
        {"role": "user", "parts": [{"text": "in blue"}]},
    ]
    second = bought(emulator, {"contents": turns})
    assert emulator.truth(second["responseId"])["references"] == 1
    for part in said["parts"]:
        part.pop("thoughtSignature")
    forgot = emulator.post(f"/v1/models/{PRO}:generateContent", {"contents": turns})
    assert forgot.status == 400
    assert (
        "Image part is missing a thought_signature in content position 2" in forgot.json["error"]["message"]
    )


def test_a_stream_is_framed_as_the_vendors_client_needs_it(emulator: EmulatorProcess) -> None:
    config = {"thinkingConfig": {"includeThoughts": True}}
    answer = emulator.post(f"/v1/models/{PRO}:streamGenerateContent?alt=sse", body_of(**config))
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.body.endswith(b"\r\n\r\n")
    events = answer.body.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n")
    assert all(event.startswith(b"data: {") and b"\n" not in event for event in events)
    chunks = [json.loads(event.removeprefix(b"data: ")) for event in events]
    assert [sorted(parts_of(chunk)[0]) for chunk in chunks] == [
        ["text", "thought"],
        ["text", "thoughtSignature"],
        ["inlineData", "thoughtSignature"],
    ]
    assert ["finishReason" in chunk["candidates"][0] for chunk in chunks] == [False, False, True]
    assert len({chunk["responseId"] for chunk in chunks}) == 1
    assert emulator.bill_summary()["accepted_calls"] == 1
    array = emulator.post(f"/v1/models/{PRO}:streamGenerateContent", body_of())
    assert isinstance(array.json, list)


def test_tokens_can_be_counted_for_nothing(emulator: EmulatorProcess) -> None:
    answer = emulator.post(
        f"/v1/models/{PRO}:countTokens", {"contents": [{"parts": [{"text": "x" * 10}, reference()]}]}
    )
    assert answer.json["totalTokens"] == 563
    inner = emulator.post(
        f"/v1/models/{PRO}:countTokens", {"generateContentRequest": {**body_of(), "model": f"models/{PRO}"}}
    )
    assert inner.json["totalTokens"] == 2
    assert emulator.bill_summary()["accepted_calls"] == 0


def test_a_prompt_longer_than_the_model_reads_is_refused(emulator: EmulatorProcess) -> None:
    answer = emulator.post(f"/v1/models/{PRO}:generateContent", body_of({"text": "x" * 4 * 65_537}))
    assert answer.status == 400
    assert "input token count exceeds" in answer.json["error"]["message"]


def test_models_are_listed_by_day_and_without_an_empty_page(emulator: EmulatorProcess) -> None:
    emulator.day("2026-04-15")
    names: list[str] = []
    token = ""
    while True:
        page = emulator.get(f"/v1beta/models?pageSize=3&pageToken={token}", {"x-goog-api-key": "k"}).json
        assert page["models"]
        names += [model["name"] for model in page["models"]]
        if "nextPageToken" not in page:
            break
        token = page["nextPageToken"]
    assert names == [
        "models/gemini-3-pro-image-preview",
        "models/gemini-3.1-flash-image-preview",
        "models/gemini-2.5-flash-image",
        "models/imagen-4.0-ultra-generate-001",
        "models/imagen-4.0-generate-001",
        "models/imagen-4.0-fast-generate-001",
    ]
    vertex = emulator.get("/v1beta1/publishers/google/models", {"authorization": "Bearer t"}).json
    assert len(vertex["publisherModels"]) == 6
    key = {"x-goog-api-key": "k"}
    assert emulator.get(f"/v1/models/{PRO}", key).status == 404
    assert emulator.get("/v1/models/gemini-2.5-flash-image", key).json["displayName"] == "Nano Banana"
    assert emulator.get("/v1/tunedModels", key).json == {}

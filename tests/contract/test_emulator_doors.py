"""The emulator's other doors: Imagen, files and interactions; and the recorded requests on all of them."""

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.emulator_process import Answer, EmulatorProcess, start_emulator

PRO = "gemini-3-pro-image"
SAMPLES = Path(__file__).resolve().parents[2] / "contract" / "requests"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(
        tmp_path_factory.mktemp("doors"), "--draw", "fast", "--as-of", "2026-11-21"
    ) as process:
        yield process


@pytest.fixture
def emulator(running: EmulatorProcess) -> EmulatorProcess:
    running.reset()
    return running


def body_of(*parts: object) -> dict[str, object]:
    return {"contents": [{"role": "user", "parts": list(parts)}]}


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 40, 40)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("model", "parameters", "count", "pixels", "nano_usd"),
    [
        ("imagen-4.0-fast-generate-001", {"sampleCount": 1}, 1, (1024, 1024), 20_000_000),
        ("imagen-4.0-generate-001", {"sampleCount": 3, "aspectRatio": "16:9"}, 3, (1408, 768), 120_000_000),
        (
            "imagen-4.0-ultra-generate-001",
            {"sampleCount": 2, "sampleImageSize": "2K"},
            2,
            (2048, 2048),
            120_000_000,
        ),
        ("imagen-4.0-generate-001", {}, 4, (1024, 1024), 160_000_000),
    ],
)
def test_imagen_is_billed_by_the_picture(
    emulator: EmulatorProcess,
    model: str,
    parameters: dict[str, object],
    count: int,
    pixels: tuple[int, int],
    nano_usd: int,
) -> None:
    emulator.day("2026-04-15")
    answer = emulator.post(
        f"/v1beta/models/{model}:predict", {"instances": [{"prompt": "cat"}], "parameters": parameters}
    )
    assert answer.status == 200, answer.body
    pictures = [base64.b64decode(entry["bytesBase64Encoded"]) for entry in answer.json["predictions"]]
    assert len(set(pictures)) == count
    assert {Image.open(io.BytesIO(content)).size for content in pictures} == {pixels}
    assert emulator.bill_summary()["total_nano_usd"] == nano_usd
    assert emulator.truth(hashlib.sha256(pictures[0]).hexdigest())["model"] == model


@pytest.mark.parametrize(
    "parameters",
    [
        {"sampleCount": 5},
        {"sampleCount": 0},
        {"aspectRatio": "21:9"},
        {"sampleImageSize": "4K"},
        {"negativePrompt": "dog"},
        {"seed": 4},
        {"personGeneration": "ALLOW_ALL"},
    ],
)
def test_imagen_refuses_what_the_gemini_api_does_not_offer(
    emulator: EmulatorProcess, parameters: dict[str, object]
) -> None:
    emulator.day("2026-04-15")
    body = {"instances": [{"prompt": "cat"}], "parameters": parameters}
    assert emulator.post("/v1beta/models/imagen-4.0-generate-001:predict", body).status == 400
    assert emulator.bill_summary()["accepted_calls"] == 0


def uploaded(emulator: EmulatorProcess, content: bytes, *, step: int, key: str = "a") -> Answer:
    start = emulator.call(
        "POST",
        "/upload/v1beta/files",
        body=json.dumps({"file": {"display_name": "ref", "mime_type": "image/png"}}).encode(),
        headers={
            "x-goog-api-key": key,
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Type": "image/png",
        },
    )
    url = start.headers["x-goog-upload-url"]
    assert url.startswith(emulator.url)
    answer = start
    for offset in range(0, len(content), step):
        last = offset + step >= len(content)
        answer = emulator.call(
            "POST",
            url,
            body=content[offset : offset + step],
            headers={
                # The vendor's client repeats this one on binary bodies, and sends no key here.
                "content-type": "application/json",
                "X-Goog-Upload-Command": "upload, finalize" if last else "upload",
                "X-Goog-Upload-Offset": str(offset),
            },
        )
        assert answer.headers["x-goog-upload-status"] == ("final" if last else "active")
    return answer


def test_a_file_goes_up_in_pieces_and_serves_as_reference(emulator: EmulatorProcess) -> None:
    content = png()
    file = uploaded(emulator, content, step=50).json["file"]
    assert file["sizeBytes"] == str(len(content))
    assert file["state"] == "ACTIVE"
    key = {"x-goog-api-key": "a", "content-type": "application/json"}
    named = {
        "file_data": {
            "file_uri": "https://elsewhere.invalid/v1beta/" + file["name"],
            "mime_type": "image/png",
        }
    }
    answer = emulator.post(f"/v1/models/{PRO}:generateContent", body_of({"text": "use"}, named), key)
    assert emulator.truth(answer.json["responseId"])["references"] == 1
    assert emulator.get(f"/v1/{file['name']}:download?alt=media", key).body == content
    assert emulator.get(f"/v1/{file['name']}", key).json["displayName"] == "ref"
    assert len(emulator.get("/v1/files?pageSize=1", key).json["files"]) == 1
    assert emulator.call("DELETE", f"/v1/{file['name']}", headers=key).json == {}
    assert emulator.get("/v1/files", key).json == {}


def test_a_file_belongs_to_the_key_that_brought_it(emulator: EmulatorProcess) -> None:
    file = uploaded(emulator, png(), step=10_000).json["file"]
    named = {"fileData": {"fileUri": file["uri"], "mimeType": "image/png"}}
    other = {"x-goog-api-key": "b", "content-type": "application/json"}
    assert emulator.get(f"/v1/{file['name']}", other).status == 403
    assert (
        emulator.post(f"/v1/models/{PRO}:generateContent", body_of({"text": "use"}, named), other).status
        == 403
    )


def test_an_upload_in_the_wrong_order_is_refused(emulator: EmulatorProcess) -> None:
    headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "9"}
    assert (
        emulator.call("POST", "/upload/v1/files?upload_id=nobody", body=b"x", headers=headers).status == 404
    )


def test_an_interaction_is_kept_and_goes_on(emulator: EmulatorProcess) -> None:
    first = emulator.post(
        "/v1beta/interactions",
        {
            "model": PRO,
            "input": "a cat",
            "response_modalities": ["image"],
            "response_format": [{"type": "image", "aspect_ratio": "16:9", "image_size": "1K"}],
        },
    ).json
    (content,) = first["steps"][0]["content"]
    assert content["mime_type"] == "image/jpeg"
    assert Image.open(io.BytesIO(base64.b64decode(content["data"]))).size == (1376, 768)
    assert first["usage"]["output_tokens_by_modality"] == [{"modality": "image", "tokens": 1120}]
    second = emulator.post(
        "/v1beta/interactions",
        {"model": PRO, "input": [{"type": "text", "text": "blue"}], "previous_interaction_id": first["id"]},
    ).json
    assert second["usage"]["total_input_tokens"] >= 560
    key = {"x-goog-api-key": "a-key"}
    assert emulator.get(f"/v1beta/interactions/{first['id']}?stream=false", key).json == first
    assert emulator.get(f"/v1beta/interactions/{first['id']}", {"x-goog-api-key": "b"}).status == 404
    assert emulator.call("DELETE", f"/v1beta/interactions/{first['id']}", headers=key).json == {}
    assert emulator.get(f"/v1beta/interactions/{first['id']}", key).status == 404


def test_an_interaction_streams_named_events(emulator: EmulatorProcess) -> None:
    answer = emulator.post(
        "/v1beta/interactions", {"model": PRO, "input": "a cat", "stream": True, "store": False}
    )
    events = [block.split(b"\n")[0] for block in answer.body.strip().split(b"\n\n")]
    assert events == [
        b"event: interaction.created",
        b"event: step.start",
        b"event: step.delta",
        b"event: step.delta",
        b"event: step.stop",
        b"event: interaction.completed",
        b"event: done",
    ]
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_batches_are_not_here_yet(emulator: EmulatorProcess) -> None:
    assert emulator.post(f"/v1/models/{PRO}:batchGenerateContent", {"batch": {}}).status == 404
    assert emulator.get("/v1/batches", {"x-goog-api-key": "k"}).status == 404


def samples() -> list[Any]:
    return [
        pytest.param(json.loads(path.read_text("utf-8")), id=path.stem)
        for path in sorted(SAMPLES.glob("*.json"))
    ]


def signed_by_nobody(value: Any) -> Any:
    """Return the value with foreign signatures replaced by the stand-in that the API documents for them."""
    if isinstance(value, list):
        return [signed_by_nobody(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    stand_in = "skip_thought_signature_validator"
    return {
        name: stand_in if name == "thoughtSignature" else signed_by_nobody(entry)
        for name, entry in value.items()
    }


@pytest.mark.parametrize("sample", samples())
def test_the_recorded_requests_are_understood(emulator: EmulatorProcess, sample: Any) -> None:
    request = sample["request"]
    early = "imagen" in request["path"] or "2.5" in request["path"]
    emulator.day("2026-07-20" if early else "2026-10-20")
    headers = {"x-goog-api-key": "k", "authorization": "Bearer t", **request.get("headers", {})}
    body = json.dumps(signed_by_nobody(request["body"])).encode()
    answer = emulator.call("POST", request["path"], body=body, headers=headers)
    assert answer.status == 200, answer.body[:400]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "UPPER", "..", "a" * 65])
def test_a_file_name_is_never_a_path(emulator: EmulatorProcess, name: str) -> None:
    start = emulator.call(
        "POST",
        "/upload/v1beta/files",
        body=json.dumps({"file": {"name": f"files/{name}"}}).encode(),
        headers={"x-goog-api-key": "a", "X-Goog-Upload-Command": "start"},
    )
    assert start.status == (200 if "/" in name and name.rsplit("/", 1)[-1].isalnum() else 400)

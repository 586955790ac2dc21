"""Every way in which the emulator can be told to fail, seen from the caller's side and on its bill."""

import base64
import http.client
import io
import json
import socket
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.emulator_process import Answer, EmulatorProcess, start_emulator

PRO = "gemini-3-pro-image"
PATH = f"/v1beta/models/{PRO}:generateContent"
BODY = {
    "contents": [{"parts": [{"text": "a cat"}]}],
    "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"imageSize": "1K"}},
}
REPLIES = Path(__file__).resolve().parents[2] / "contract"
FINISH_REASONS = [
    "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MAX_TOKENS",
    "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
    "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER", "NO_IMAGE",
]  # fmt: skip
BLOCK_REASONS = [
    "SAFETY",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "IMAGE_SAFETY",
    "MODEL_ARMOR",
    "JAILBREAK",
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(
        tmp_path_factory.mktemp("faults"), "--draw", "fast", "--as-of", "2026-11-21"
    ) as process:
        yield process


@pytest.fixture
def emulator(running: EmulatorProcess) -> EmulatorProcess:
    running.reset()
    return running


def call(emulator: EmulatorProcess) -> Answer:
    return emulator.post(PATH, BODY)


def only_row(emulator: EmulatorProcess) -> Any:
    (row,) = emulator.bill()["rows"]
    return row


def drawn(answer: Any) -> list[tuple[str, Image.Image]]:
    parts = answer["candidates"][0]["content"]["parts"]
    found = [part["inlineData"] for part in parts if "inlineData" in part]
    return [(blob["mimeType"], Image.open(io.BytesIO(base64.b64decode(blob["data"])))) for blob in found]


@pytest.mark.parametrize("reason", FINISH_REASONS)
def test_a_withheld_picture_costs_reading_and_thinking(emulator: EmulatorProcess, reason: str) -> None:
    emulator.fault("finish_reason", reason=reason, message="Unable to show the generated image.")
    answer = call(emulator)
    candidate = answer.json["candidates"][0]
    assert answer.status == 200
    assert candidate["finishReason"] == reason
    assert candidate["finishMessage"] == "Unable to show the generated image."
    assert "content" not in candidate
    usage = answer.json["usageMetadata"]
    assert usage["candidatesTokenCount"] == 0
    row = only_row(emulator)
    assert row["nano_usd"] == usage["promptTokenCount"] * 2_000 + usage["thoughtsTokenCount"] * 12_000 > 0
    assert (row["outcome"], row["fault"]) == (f"finish:{reason}", "finish_reason")


def test_the_sentence_that_nothing_is_charged_is_kept(emulator: EmulatorProcess) -> None:
    emulator.fault(
        "finish_reason",
        reason="IMAGE_OTHER",
        message="Unable to show the image. You will not be charged for this request. Try rephrasing.",
    )
    assert call(emulator).json["usageMetadata"]["thoughtsTokenCount"] > 0
    assert only_row(emulator)["nano_usd"] == 0


@pytest.mark.parametrize("reason", BLOCK_REASONS)
def test_a_blocked_prompt_costs_its_reading(emulator: EmulatorProcess, reason: str) -> None:
    emulator.fault("block_reason", reason=reason)
    answer = call(emulator).json
    assert "candidates" not in answer
    assert answer["promptFeedback"] == {"blockReason": reason, "safetyRatings": []}
    assert only_row(emulator)["nano_usd"] == answer["usageMetadata"]["promptTokenCount"] * 2_000


def test_tokens_can_be_prescribed_to_the_last_one(emulator: EmulatorProcess) -> None:
    emulator.fault("finish_reason", reason="IMAGE_SAFETY", usage={"prompt": 1119, "thoughts": 240})
    answer = call(emulator).json
    assert answer["usageMetadata"]["totalTokenCount"] == 1359
    assert only_row(emulator)["nano_usd"] == 5_118_000


def test_a_doubled_count_is_billed_as_counted(emulator: EmulatorProcess) -> None:
    emulator.fault("latency", usage={"image": 2240})
    assert call(emulator).json["usageMetadata"]["candidatesTokenCount"] == 2240
    assert only_row(emulator)["usage"]["image"] == 2240


@pytest.mark.parametrize(
    ("kind", "members"),
    [("text_only", {"text"}), ("thought_only", {"text", "thought"})],
)
def test_words_may_come_in_place_of_a_picture(
    emulator: EmulatorProcess, kind: str, members: set[str]
) -> None:
    emulator.fault(kind)
    answer = call(emulator).json
    (part,) = answer["candidates"][0]["content"]["parts"]
    assert set(part) - {"thoughtSignature"} == members
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert only_row(emulator)["images"] == 0


def test_candidates_may_be_absent_or_hollow(emulator: EmulatorProcess) -> None:
    emulator.fault("no_candidates", times=1)
    emulator.fault("no_content", times=1)
    assert "candidates" not in call(emulator).json
    assert call(emulator).json["candidates"] == [{"index": 0, "finishReason": "STOP"}]


def test_odd_pictures(emulator: EmulatorProcess) -> None:
    emulator.fault("mislabelled", times=1)
    emulator.fault("wrong_size", times=1, width=640, height=480)
    emulator.fault("wrong_size", times=1, size="4K")
    emulator.fault("many_images", times=1)
    (lie,) = drawn(call(emulator).json)
    assert (lie[0], lie[1].format) == ("image/png", "JPEG")
    assert drawn(call(emulator).json)[0][1].size == (640, 480)
    assert drawn(call(emulator).json)[0][1].size == (4096, 4096)
    two = drawn(call(emulator).json)
    assert len(two) == 2
    rows = emulator.bill()["rows"]
    assert [row["images"] for row in rows] == [1, 1, 1, 2]
    assert {row["usage"]["image"] for row in rows} == {1120}


def test_a_draft_may_come_before_the_picture(emulator: EmulatorProcess) -> None:
    emulator.fault("draft_first")
    parts = call(emulator).json["candidates"][0]["content"]["parts"]
    assert [(part.get("thought", False), "thoughtSignature" in part) for part in parts] == [
        (True, False),
        (False, True),
    ]
    assert only_row(emulator)["usage"]["image"] == 1120


def test_another_model_may_serve_and_is_billed(emulator: EmulatorProcess) -> None:
    emulator.fault("serve_model", model="gemini-3.1-flash-lite-image")
    answer = call(emulator).json
    assert answer["modelVersion"] == "gemini-3.1-flash-lite-image"
    row = only_row(emulator)
    assert (row["model"], row["served_model"]) == (PRO, "gemini-3.1-flash-lite-image")
    thoughts = answer["usageMetadata"]["thoughtsTokenCount"]
    assert row["nano_usd"] == 2 * 250 + thoughts * 1_500 + 1120 * 30_000


def test_usage_may_be_missing_though_billed(emulator: EmulatorProcess) -> None:
    emulator.fault("no_usage")
    assert "usageMetadata" not in call(emulator).json
    assert only_row(emulator)["nano_usd"] > 134_400_000


def test_bodies_may_be_damaged_though_billed(emulator: EmulatorProcess) -> None:
    emulator.fault("empty_body", times=1)
    emulator.fault("truncated_json", times=1, keep=0.3)
    emulator.fault("lost_middle", times=1)
    whole = len(call_whole(emulator))
    emulator.reset()
    emulator.fault("empty_body", times=1)
    emulator.fault("truncated_json", times=1, keep=0.3)
    emulator.fault("lost_middle", times=1)
    bodies = [call(emulator).body for _ in range(3)]
    assert bodies[0] == b""
    assert 0.2 * whole < len(bodies[1]) < 0.4 * whole
    assert bodies[2].endswith(b"}")
    with pytest.raises(json.JSONDecodeError):
        json.loads(bodies[1])
    assert emulator.bill_summary()["accepted_calls"] == 3


def call_whole(emulator: EmulatorProcess) -> bytes:
    emulator.clear_faults()
    return call(emulator).body


def test_a_body_may_be_cut_by_a_closed_connection(emulator: EmulatorProcess) -> None:
    emulator.fault("cut_body", keep=0.4)
    with pytest.raises(http.client.IncompleteRead) as caught:
        call(emulator)
    assert caught.value.partial
    assert only_row(emulator)["nano_usd"] > 0


@pytest.mark.parametrize(("kind", "accepted"), [("drop_after_accept", 1), ("drop_before_accept", 0)])
def test_a_dropped_call_is_billed_when_it_was_accepted(
    emulator: EmulatorProcess, kind: str, accepted: int
) -> None:
    emulator.fault(kind)
    with pytest.raises((urllib.error.URLError, ConnectionError, http.client.HTTPException)):
        call(emulator)
    assert emulator.bill_summary()["accepted_calls"] == accepted


@pytest.mark.parametrize(
    ("members", "code", "status", "within"),
    [
        ({"code": 400}, 400, "INVALID_ARGUMENT", ""),
        ({"code": 400, "cause": "failed_precondition"}, 400, "FAILED_PRECONDITION", "billing"),
        ({"code": 400, "cause": "api_key_invalid"}, 400, "INVALID_ARGUMENT", "API_KEY_INVALID"),
        ({"code": 402}, 402, "RESOURCE_EXHAUSTED", "prepayment"),
        ({"code": 403}, 403, "PERMISSION_DENIED", ""),
        ({"code": 404}, 404, "NOT_FOUND", ""),
        ({"code": 408}, 408, "DEADLINE_EXCEEDED", ""),
        ({"code": 429}, 429, "RESOURCE_EXHAUSTED", ""),
        ({"code": 429, "cause": "limit_zero"}, 429, "RESOURCE_EXHAUSTED", "limit: 0"),
        (
            {"code": 429, "cause": "per_minute", "retry_after_s": 7},
            429,
            "RESOURCE_EXHAUSTED",
            '"retryDelay": "7s"',
        ),
        ({"code": 429, "cause": "per_day"}, 429, "RESOURCE_EXHAUSTED", "PerDay"),
        ({"code": 429, "cause": "spend_window"}, 429, "RESOURCE_EXHAUSTED", "Spend"),
        ({"code": 500}, 500, "INTERNAL", ""),
        ({"code": 503}, 503, "UNAVAILABLE", "overloaded"),
        (
            {"code": 503, "message": "The model is experiencing high demand."},
            503,
            "UNAVAILABLE",
            "high demand",
        ),
        ({"code": 504}, 504, "DEADLINE_EXCEEDED", "Deadline expired"),
    ],
)
def test_errors_have_googles_body_and_cost_nothing(
    emulator: EmulatorProcess, members: dict[str, object], code: int, status: str, within: str
) -> None:
    emulator.fault("error", **members)
    answer = call(emulator)
    assert answer.status == code == answer.json["error"]["code"]
    assert answer.json["error"]["status"] == status
    assert within in answer.body.decode()
    assert answer.headers.get("retry-after") == (
        str(members["retry_after_s"]) if "retry_after_s" in members else None
    )
    assert emulator.bill_summary()["accepted_calls"] == 0


def test_an_error_may_hide_an_accepted_call(emulator: EmulatorProcess) -> None:
    emulator.fault("error", code=504, billed=True)
    assert call(emulator).status == 504
    assert only_row(emulator)["nano_usd"] > 134_400_000


@pytest.mark.parametrize("code", [502, 503])
def test_a_proxy_speaks_html(emulator: EmulatorProcess, code: int) -> None:
    emulator.fault("proxy_error", code=code)
    answer = call(emulator)
    assert answer.status == code
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.body.startswith(b"<html>")


def test_an_answer_may_take_its_time_and_is_billed_before(emulator: EmulatorProcess) -> None:
    emulator.fault("latency", latency_ms=400)
    with ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        waiting = pool.submit(call, emulator)
        while emulator.bill_summary()["accepted_calls"] == 0:
            assert time.monotonic() - begun < 0.4
        assert waiting.result().status == 200
    assert time.monotonic() - begun >= 0.4


def test_a_caller_that_leaves_has_still_bought(emulator: EmulatorProcess) -> None:
    emulator.fault("latency", latency_ms=300)
    host, port = emulator.url.removeprefix("http://").split(":")
    body = json.dumps(BODY).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nx-goog-api-key: k\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((host, int(port))) as caller:
        caller.sendall(head.encode() + body)
        time.sleep(0.1)
    time.sleep(0.4)
    assert emulator.bill_summary()["accepted_calls"] == 1


def test_a_stream_may_end_in_an_error_or_in_the_middle(emulator: EmulatorProcess) -> None:
    stream = f"/v1/models/{PRO}:streamGenerateContent?alt=sse"
    emulator.fault("stream_error", code=503, times=1)
    emulator.fault("cut_body", times=1)
    words = {"contents": BODY["contents"]}
    first, second = emulator.post(stream, words).body.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n")
    assert first.startswith(b'data: {"candidates"')
    assert second.startswith(b'data: {"error":{"code":503')
    with pytest.raises(http.client.IncompleteRead):
        emulator.post(stream, words)
    assert emulator.bill_summary()["accepted_calls"] == 2


def test_imagen_pictures_may_be_filtered(emulator: EmulatorProcess) -> None:
    emulator.day("2026-04-15")
    path = "/v1beta/models/imagen-4.0-generate-001:predict"
    body = {"instances": [{"prompt": "cat"}], "parameters": {"sampleCount": 3, "includeRaiReason": True}}
    emulator.fault("rai_filtered", images=1, times=1)
    emulator.fault("rai_filtered", times=1)
    emulator.fault("no_candidates", times=1)
    some, none, nothing = (emulator.post(path, body).json for _ in range(3))
    assert [sorted(entry) for entry in some["predictions"]] == [
        ["bytesBase64Encoded", "mimeType"],
        ["bytesBase64Encoded", "mimeType"],
        ["raiFilteredReason"],
    ]
    assert [sorted(entry) for entry in none["predictions"]] == [["raiFilteredReason"]] * 3
    assert nothing == {}
    assert [row["nano_usd"] for row in emulator.bill()["rows"]] == [80_000_000, 0, 0]


def test_rules_can_be_read_and_withdrawn(emulator: EmulatorProcess) -> None:
    emulator.faults({"fault": {"kind": "no_usage"}, "match": {"prompt_contains": "dog"}, "times": 2})
    assert "usageMetadata" in call(emulator).json
    (entry,) = emulator.get("/_emulator/faults").json["rules"]
    assert (entry["rule"]["times"], entry["applied"]) == (2, 0)
    emulator.clear_faults()
    assert emulator.get("/_emulator/faults").json == {"rules": []}
    assert emulator.post("/_emulator/faults", [{"fault": {"kind": "wonder"}}]).status == 400


def recordings() -> list[Any]:
    paths = sorted([*(REPLIES / "replies").glob("*.json"), *(REPLIES / "refusals").glob("*.json")])
    return [
        pytest.param(json.loads(path.read_text("utf-8"))["reply"], id=f"{path.parent.name}-{path.stem}")
        for path in paths
    ]


@pytest.mark.parametrize("reply", recordings())
def test_a_recorded_reply_is_given_word_for_word(emulator: EmulatorProcess, reply: Any) -> None:
    text = reply["body_text"] if "body_text" in reply else json.dumps(reply["body"])
    emulator.fault("recorded", code=reply["status"], headers=reply.get("headers", {}), body=text)
    opened = http.client.HTTPConnection(emulator.url.removeprefix("http://"))
    opened.request("POST", PATH, json.dumps(BODY), {"x-goog-api-key": "k"})
    answer = opened.getresponse()
    assert answer.status == reply["status"]
    assert answer.read().decode() == text
    opened.close()
    assert emulator.bill_summary()["accepted_calls"] == (1 if reply["status"] == 200 else 0)

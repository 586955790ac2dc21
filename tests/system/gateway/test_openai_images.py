"""OpenAI's image calls through the whole house; what was bought is what the emulator's bill says."""

import base64
import hashlib
import io
import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from keeprate.domain.budgets import Window
from keeprate.domain.money import usd
from keeprate.domain.scopes import LOCAL_OWNER
from keeprate.domain.terms import Cap, Grant
from keeprate.gateway.openai.links import SECRET_FILE, signed
from keeprate.safety.home_secrets import home_secret
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.gateway_ground import Gateway, open_gateway

pytestmark = pytest.mark.anyio
GENERATIONS, EDITS, VARIATIONS = "/v1/images/generations", "/v1/images/edits", "/v1/images/variations"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(tmp_path_factory.mktemp("openai"), "--draw", "fast") as running:
        yield running


@pytest.fixture
async def gateway(tmp_path: Path, emulator: EmulatorProcess) -> AsyncGenerator[Gateway]:
    emulator.reset()
    async with open_gateway(tmp_path, emulator.url) as opened:
        yield opened


def picture(width: int = 64, height: int = 64) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(written, "PNG")
    return written.getvalue()


def drawn(one: dict[str, str]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(one["b64_json"], validate=True)))


async def generate(gateway: Gateway, secret: str | None = None, **body: object) -> httpx.Response:
    return await gateway.ask("POST", GENERATIONS, secret, json={"prompt": "a lamp", **body})


def bought(emulator: EmulatorProcess) -> int:
    return emulator.bill_summary()["accepted_calls"]


async def test_words_become_a_picture_with_its_size_usage_and_price(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    answer = await generate(gateway, model="gpt-image-1", size="1024x1024")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    image = drawn(body["data"][0])
    assert body["size"] == f"{image.width}x{image.height}" == "1024x1024"
    assert body["output_format"] == image.format.lower()
    assert body["background"] == "opaque"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens_details"]["image_tokens"] > 0
    billed = emulator.bill_summary()["total_nano_usd"]
    assert int(answer.headers["x-keeprate-cost-usd"].replace(".", "").ljust(1, "0")) > 0
    assert round(float(answer.headers["x-keeprate-cost-usd"]) * 1e9) == billed
    assert answer.headers["x-keeprate-outcome"] == "image"
    assert {"x-request-id", "x-keeprate-attempt", "x-keeprate-route", "x-keeprate-reason"} <= set(
        answer.headers
    )
    assert bought(emulator) == 1


async def test_a_picture_of_another_shape_says_its_real_size(gateway: Gateway) -> None:
    for asked, real in (("1024x1536", "848x1264"), ("1536x1024", "1264x848"), ("1792x1024", "1376x768")):
        answer = await generate(gateway, model="gemini-3-pro-image", size=asked)
        assert answer.json()["size"] == real
        assert answer.headers["x-keeprate-adjusted"] == f"size={real} (asked {asked})"


async def test_n_images_are_n_purchases_with_n_prices(gateway: Gateway, emulator: EmulatorProcess) -> None:
    answer = await generate(gateway, n=4)
    assert len(answer.json()["data"]) == 4
    summary = emulator.bill_summary()
    assert summary["accepted_calls"] == 4
    assert round(float(answer.headers["x-keeprate-cost-usd"]) * 1e9) == summary["total_nano_usd"]


async def test_some_of_n_images_come_with_an_error_for_the_rest(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    emulator.fault("finish_reason", times=1, reason="IMAGE_SAFETY")
    answer = await generate(gateway, n=3, model="gemini-3-pro-image")
    emulator.clear_faults()
    body = answer.json()
    assert answer.status_code == 200, answer.text
    assert len(body["data"]) == 2
    assert body["error"]["code"] == "partial_failure"
    assert body["keeprate"]["failures"][0]["outcome"] == "blocked"
    assert answer.headers["x-keeprate-partial"] == "2/3"


@pytest.mark.parametrize("names", [["image"], ["image[]", "image[]", "image[]"]])
async def test_an_edit_takes_pictures(gateway: Gateway, emulator: EmulatorProcess, names: list[str]) -> None:
    files = [(name, ("upload", picture(), "application/octet-stream")) for name in names]
    answer = await gateway.ask("POST", EDITS, data={"prompt": "make it night", "n": "1"}, files=files)
    assert answer.status_code == 200, answer.text
    assert drawn(answer.json()["data"][0]).width > 0
    assert answer.json()["usage"]["input_tokens_details"]["image_tokens"] > 0
    assert bought(emulator) == 1


async def test_a_variation_needs_no_words(gateway: Gateway) -> None:
    files = {"image": ("upload", picture(), "image/png")}
    answer = await gateway.ask("POST", VARIATIONS, data={"n": "2", "size": "1024x1024"}, files=files)
    assert len(answer.json()["data"]) == 2, answer.text


async def test_a_mask_is_refused_with_its_reason_and_nothing_is_bought(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    files = {"image": ("a.png", picture()), "mask": ("m.png", picture())}
    answer = await gateway.ask("POST", EDITS, data={"prompt": "make it night"}, files=files)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "mask"
    assert "no model here takes a mask" in answer.json()["error"]["message"]
    assert bought(emulator) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("background", "transparent"),
        ("moderation", "low"),
        ("style", "vivid"),
        ("output_format", "gif"),
        ("n", 11),
        ("n", True),
        ("size", "1000x300"),
        ("size", "big"),
        ("quality", "best"),
        ("negative_prompt", "fog"),
        ("output_compression", 50),
        ("partial_images", 1),
        ("prompt", None),
        ("prompt", 7),
    ],
)
async def test_what_cannot_be_had_is_refused_by_name(
    gateway: Gateway, emulator: EmulatorProcess, field: str, value: object
) -> None:
    answer = await generate(gateway, **{field: value})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == field, answer.text
    assert answer.headers["x-should-retry"] == "false"
    assert bought(emulator) == 0


@pytest.mark.parametrize("wanted", ["png", "jpeg", "webp"])
async def test_a_format_asked_for_is_what_comes(gateway: Gateway, wanted: str) -> None:
    answer = await generate(gateway, output_format=wanted)
    assert answer.json()["output_format"] == wanted
    assert drawn(answer.json()["data"][0]).format.lower() == wanted


async def test_what_was_bought_stays_as_it_came_where_another_format_is_answered(gateway: Gateway) -> None:
    answer = await generate(gateway, output_format="webp", output_compression=40)
    row = await gateway.house.ledger.attempt(LOCAL_OWNER, answer.headers["x-keeprate-attempt"])
    original = gateway.house.means.till.assets.find(row.new.key.workspace, row.image_sha256s[0])
    assert original is not None
    sent = base64.b64decode(answer.json()["data"][0]["b64_json"])
    assert hashlib.sha256(sent).hexdigest() != original.sha256


async def test_links_lead_to_the_picture_for_an_hour_and_only_whole(gateway: Gateway) -> None:
    answer = await generate(gateway, response_format="url")
    link = answer.json()["data"][0]["url"]
    assert link.startswith("http://127.0.0.1:8787/v1/images/files/")
    shown = await gateway.client.get(link)
    assert shown.status_code == 200
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-type"] == f"image/{Image.open(io.BytesIO(shown.content)).format.lower()}"
    for broken in (link[:-2], link.replace("expires=1", "expires=2"), link.partition("?")[0]):
        refused = await gateway.client.get(broken)
        assert refused.status_code == 404, broken


async def test_a_link_opens_without_a_key_where_everything_else_wants_one(gateway: Gateway) -> None:
    key = await gateway.key(Grant.GENERATE)
    headers = {"idempotency-key": "linked"}
    body = {"prompt": "a lamp", "response_format": "url"}
    answer = await gateway.ask("POST", GENERATIONS, key.secret, json=body, headers=headers)
    assert (await gateway.client.get(answer.json()["data"][0]["url"])).status_code == 200
    replayed = await gateway.ask("POST", GENERATIONS, key.secret, json=body, headers=headers)
    assert (await gateway.client.get(replayed.json()["data"][0]["url"])).status_code == 200
    assert (await gateway.client.get("/v1/models")).status_code == 401


async def test_a_link_that_is_too_old_is_as_good_as_none(gateway: Gateway) -> None:
    link = (await generate(gateway, response_format="url")).json()["data"][0]["url"]
    name = link.partition("?")[0].rpartition("/")[2]
    secret = home_secret(gateway.house.settings.home, SECRET_FILE)
    now = int(gateway.house.means.till.clock.now().timestamp())
    for ends, status in ((now + 60, 200), (now - 1, 404)):
        signature = signed(secret, LOCAL_OWNER.workspace, name, ends)
        shown = await gateway.client.get(f"{link.partition('?')[0]}?expires={ends}&signature={signature}")
        assert shown.status_code == status


async def test_what_is_no_picture_is_refused_by_the_name_of_its_field(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    answer = await gateway.ask("POST", EDITS, data={"prompt": "x"}, files={"image": b"no picture"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "image")
    assert bought(emulator) == 0


async def test_a_stream_brings_the_finished_picture_as_one_event(gateway: Gateway) -> None:
    answer = await generate(gateway, stream=True, partial_images=2, model="gpt-image-2")
    assert answer.headers["content-type"] == "text/event-stream"
    head, _, rest = answer.text.partition("\n\n")
    name, data = head.split("\n", 1)
    assert name == "event: image_generation.completed"
    event = json.loads(data.removeprefix("data: "))
    assert event["type"] == "image_generation.completed"
    assert drawn(event).width > 0
    assert event["usage"]["total_tokens"] > 0
    assert rest.strip() == "data: [DONE]"
    assert "partial_images=0" in answer.headers["x-keeprate-adjusted"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "finish_reason", "reason": "IMAGE_SAFETY"}, "content_policy_violation"),
        ({"kind": "text_only"}, "no_image"),
        ({"kind": "no_candidates"}, "no_image"),
    ],
)
async def test_no_picture_is_an_error_that_names_its_cost(
    gateway: Gateway, emulator: EmulatorProcess, fault: dict[str, str], code: str
) -> None:
    emulator.fault(**fault)
    answer = await generate(gateway, model="gemini-3-pro-image")
    emulator.clear_faults()
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == code
    assert answer.headers["x-should-retry"] == "false"
    assert "x-keeprate-cost-usd" in answer.headers


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"code": 429, "cause": "per_day"}, 429, "upstream_throttled"),
        ({"code": 400}, 400, "upstream_refused"),
        ({"code": 503}, 503, "upstream_error"),
        ({"code": 500}, 502, "upstream_error"),
    ],
)
async def test_a_refusal_that_cost_nothing_is_told_apart_and_may_be_asked_for_again(
    gateway: Gateway, emulator: EmulatorProcess, fault: dict[str, object], status: int, code: str
) -> None:
    headers = {"idempotency-key": "again"}
    body = {"prompt": "a lamp", "model": "gemini-3-pro-image"}
    emulator.fault("error", **fault)
    answer = await gateway.ask("POST", GENERATIONS, json=body, headers=headers)
    emulator.clear_faults()
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["x-keeprate-cost-usd"] == "0"
    assert answer.headers["x-keeprate-attempt"].startswith("att_")
    again = await gateway.ask("POST", GENERATIONS, json=body, headers=headers)
    assert again.status_code == 200, again.text
    assert bought(emulator) == 1


async def test_what_may_have_been_paid_is_said_to_be_unknown_and_not_sent_again(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    emulator.fault("drop_after_accept", times=1)
    headers = {"idempotency-key": "once"}
    body = {"prompt": "a lamp", "model": "gemini-3-pro-image"}
    answer = await gateway.ask("POST", GENERATIONS, json=body, headers=headers)
    emulator.clear_faults()
    assert answer.status_code == 504, answer.text
    assert answer.json()["error"]["code"] == "outcome_unknown"
    assert answer.headers["x-should-retry"] == "false"
    again = await gateway.ask("POST", GENERATIONS, json=body, headers=headers)
    assert again.json()["error"]["code"] == "outcome_unknown"
    assert bought(emulator) == 1


async def test_the_same_key_twice_is_paid_once_and_answered_alike(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    headers = {"idempotency-key": "order-1"}
    body = {"prompt": "a lamp", "n": 2}
    first = await gateway.ask("POST", GENERATIONS, json=body, headers=headers)
    second = await gateway.ask("POST", f"/openai{GENERATIONS}", json=body, headers=headers)
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["x-keeprate-cost-usd"] == "0"
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert bought(emulator) == 2
    other = await gateway.ask("POST", GENERATIONS, json={"prompt": "a boat"}, headers=headers)
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "idempotency_mismatch"


async def test_four_equal_live_requests_are_four_purchases(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    for _ in range(4):
        assert (await generate(gateway)).status_code == 200
    assert bought(emulator) == 4


async def test_the_cache_answers_where_it_is_asked_for(gateway: Gateway, emulator: EmulatorProcess) -> None:
    first = await generate(gateway, keeprate={"cache": True})
    second = await generate(gateway, keeprate={"cache": True})
    assert first.json()["data"] == second.json()["data"]
    assert second.headers["x-keeprate-claimed"] == "cached"
    assert second.headers["x-keeprate-cost-usd"] == "0"
    other = await generate(gateway, keeprate={"cache": True}, output_format="webp")
    assert other.json()["output_format"] == "webp"
    assert bought(emulator) == 2


async def test_hints_choose_where_the_dialect_has_no_word(gateway: Gateway) -> None:
    answer = await gateway.ask(
        "POST",
        GENERATIONS,
        json={"prompt": "a lamp", "keeprate": {"size": "2K"}},
        headers={"x-keeprate-purpose": "hero", "x-keeprate-ratio": "16:9"},
    )
    assert answer.json()["size"] == "2752x1536", answer.text
    wrong = await generate(gateway, keeprate={"purpos": "hero"})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["param"] == "keeprate"


async def test_quality_says_the_class_where_the_size_is_left_open(gateway: Gateway) -> None:
    assert (await generate(gateway, quality="low")).json()["size"] == "1024x1024"
    sharp = await generate(gateway, quality="high")
    assert sharp.json()["size"] == "2048x2048"
    assert sharp.json()["quality"] == "high"
    assert (await generate(gateway, quality="high", size="1024x1024")).json()["size"] == "1024x1024"


async def test_models_are_listed_in_this_dialect_with_auto(gateway: Gateway) -> None:
    for path in ("/v1/models", "/openai/v1/models"):
        answer = await gateway.ask("GET", path)
        assert answer.json()["object"] == "list"
        ids = [record["id"] for record in answer.json()["data"]]
        assert ids[0] == "auto"
        assert "gemini-3-pro-image" in ids
        assert all(set(record) == {"id", "object", "created", "owned_by"} for record in answer.json()["data"])
    one = await gateway.ask("GET", "/v1/models/gemini-3-pro-image")
    assert one.json()["owned_by"] == "google"
    assert (await gateway.ask("GET", "/v1/models/no-such")).json()["error"]["code"] == "unknown_model"


async def test_a_key_opens_the_doors_of_its_grants(gateway: Gateway, emulator: EmulatorProcess) -> None:
    key = await gateway.key(Grant.GENERATE)
    refused = await gateway.ask("POST", EDITS, key.secret, data={"prompt": "x"}, files={"image": picture()})
    assert refused.status_code == 403
    assert (await generate(gateway)).status_code == 401
    assert (await generate(gateway, key.secret, user="anna")).status_code == 200
    assert bought(emulator) == 1


async def test_each_end_user_of_a_key_has_a_cap_and_a_402_says_what_is_left(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    cap = Cap(limit=usd("0.20", field="cap"), window=Window.DAY)
    key = await gateway.key(Grant.GENERATE, user_cap=cap)
    pro = {"model": "gemini-3-pro-image", "user": "anna"}
    assert (await generate(gateway, key.secret, **pro)).status_code == 200
    refused = await generate(gateway, key.secret, **pro)
    assert refused.status_code == 402, refused.text
    assert refused.json()["error"]["type"] == "insufficient_quota"
    assert refused.headers["x-should-retry"] == "false"
    assert {"x-keeprate-limit-usd", "x-keeprate-remaining-usd", "x-keeprate-reset"} <= set(refused.headers)
    assert (await generate(gateway, key.secret, **pro | {"user": "berta"})).status_code == 200
    assert bought(emulator) == 2

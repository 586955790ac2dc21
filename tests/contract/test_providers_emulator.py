"""The providers against the emulator: a stranger's idea of Google's API, over real HTTP."""

import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from PIL import Image

from keeprate.catalogue.pricing import charge_for
from keeprate.catalogue.standard import FACT_FILES, book_of
from keeprate.domain.geometry import Ratio, Size
from keeprate.domain.outcomes import FailureClass, OutcomeKind
from keeprate.domain.purposes import Lane, Purpose, Thinking
from keeprate.domain.requests import ImageRequest, Video
from keeprate.domain.routes import GEMINI_API, ModelId, Route
from keeprate.providers.credentials import ApiKey, Credential, GoogleDefault
from keeprate.providers.gemini import client as gemini
from keeprate.providers.google.provider import GoogleProvider
from keeprate.providers.shapes import CallShape, ConnectOptions, SizeField, shape_of_card
from keeprate.providers.table import paid_session
from keeprate.providers.vertex import client as vertex
from keeprate.workflows.ports import Answer, Materials, ReferenceBytes, Reply, SendFailure
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.unit.providers.build import upstream
from tests.unit.providers.spooling import OneFile

pytestmark = pytest.mark.anyio

PRO = "gemini-3-pro-image"
FLASH = "gemini-3.1-flash-image"
NANO = "gemini-2.5-flash-image"
ULTRA = "imagen-4.0-ultra-generate-001"
FAST = "imagen-4.0-fast-generate-001"

_FACTS = files("keeprate.catalogue") / "facts"
BOOK = book_of({name: (_FACTS / name).read_text("utf-8") for name in FACT_FILES})


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(tmp_path_factory.mktemp("emulator"), "--draw", "fast") as process:
        yield process


@pytest.fixture
def emulator(running: EmulatorProcess) -> EmulatorProcess:
    running.clear_faults()
    running.reset()
    running.day("2026-05-30")
    return running


def shape_of(route: Route) -> CallShape:
    return shape_of_card(BOOK.card(GEMINI_API, route.model, date(2026, 5, 30)), route.size)


@asynccontextmanager
async def provider_on(
    emulator: EmulatorProcess,
    *,
    credential: Credential | None = None,
    project: str | None = None,
    size_field: SizeField = SizeField.IMAGE_CONFIG,
) -> AsyncIterator[GoogleProvider]:
    on_vertex = project is not None or isinstance(credential, GoogleDefault)
    place = upstream(emulator.url, vertex=on_vertex, simulated=True, quota_project=project)
    options = ConnectOptions(shape_of=shape_of, size_field=size_field)
    async with paid_session() as http:
        connect = vertex.connect if on_vertex else gemini.connect
        yield connect(place, credential or ApiKey("a-key"), http, options)


async def bought(
    provider: GoogleProvider,
    folder: Path,
    prompt: str = "a red bicycle",
    *,
    route: Route | None = None,
    lane: Lane = Lane.LIVE,
    images: int = 1,
    materials: Materials | None = None,
    max_output_tokens: int | None = None,
    **wanted: object,
) -> tuple[Reply, Answer]:
    way = route or to(PRO)
    request = msgspec.convert(
        {"prompt": prompt, "purpose": Purpose.DRAFT, "size": way.size} | wanted, ImageRequest
    )
    call = provider.outgoing(
        request,
        route=way,
        lane=lane,
        images=images,
        max_output_tokens=max_output_tokens,
        materials=materials or Materials(),
    )
    reply = await provider.send(call, attempt_id="a-1", into=OneFile(folder))
    return reply, provider.understand(reply, way)


def to(model: str, size: Size = Size.ONE_K, thinking: Thinking = Thinking.NONE) -> Route:
    return Route(upstream="u", model=ModelId(model), size=size, thinking=thinking)


def pixels(answer: Answer, which: int = 0) -> tuple[int, int]:
    return Image.open(io.BytesIO(answer.images[which].content)).size


def picture(colour: str) -> ReferenceBytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return ReferenceBytes(content=file.getvalue(), mime="image/png")


async def test_generate_brings_the_pixels_and_the_tokens_asked_for(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    async with provider_on(emulator) as provider:
        route = to(PRO, Size.TWO_K, Thinking.FIXED)
        _, answer = await bought(provider, tmp_path, route=route, ratio=Ratio(16, 9), max_output_tokens=6000)
    assert answer.outcome.kind is OutcomeKind.IMAGE
    assert pixels(answer) == (2752, 1536)
    assert answer.model_version == PRO
    assert answer.served_lane is Lane.LIVE
    row = emulator.bill()["rows"][0]
    assert answer.response_id in json.dumps(row)
    assert answer.usage is not None
    assert answer.usage.output_image_tokens == 1120
    assert answer.usage.thought_tokens > 0
    assert answer.images[0].signature


@pytest.mark.parametrize("lane", [Lane.LIVE, Lane.FLEX])
@pytest.mark.parametrize(
    ("model", "size"),
    [(PRO, "1K"), (PRO, "4K"), (FLASH, "512"), (FLASH, "2K"), (NANO, "1K"), (ULTRA, "2K"), (FAST, "1K")],
)
async def test_tokens_times_the_dated_rates_are_the_bill(
    emulator: EmulatorProcess, tmp_path: Path, model: str, size: str, lane: Lane
) -> None:
    price = BOOK.price_on(GEMINI_API, ModelId(model), date(2026, 5, 30))
    if lane not in price.lanes:
        lane = Lane.LIVE
    materials = Materials() if model.startswith("imagen") else Materials(references=(picture("red"),))
    async with provider_on(emulator) as provider:
        route = to(model, Size(size), Thinking.HIGH if model == FLASH else Thinking.NONE)
        _, answer = await bought(provider, tmp_path, route=route, lane=lane, materials=materials)
    assert answer.usage is not None
    served = answer.served_lane or lane
    priced = charge_for(answer.usage, price, lane=served, size=route.size)
    assert priced.amount == emulator.bill()["total_nano_usd"]
    assert priced.certain


async def test_an_edit_counts_its_references(emulator: EmulatorProcess, tmp_path: Path) -> None:
    materials = Materials(references=tuple(picture(colour) for colour in ("red", "green", "blue")))
    async with provider_on(emulator) as provider:
        _, answer = await bought(provider, tmp_path, "put all three on a table", materials=materials)
    assert answer.outcome.kind is OutcomeKind.IMAGE
    assert answer.usage is not None
    assert answer.usage.prompt_image_tokens == 3 * 560


async def test_a_conversation_goes_on_with_its_signatures(emulator: EmulatorProcess, tmp_path: Path) -> None:
    async with provider_on(emulator) as provider:
        first = ImageRequest(prompt="a cat", purpose=Purpose.DRAFT)
        reply, answer = await bought(provider, tmp_path, "a cat", route=to(FLASH))
        turn = provider.model_turn(reply)
        assert turn is not None
        assert answer.images[0].signature is not None
        assert answer.images[0].signature.encode() in turn
        said = msgspec.json.decode(provider.contents(first, Materials()), type=list[msgspec.Raw])
        history = msgspec.json.encode([*said, msgspec.Raw(turn)])
        materials = Materials(history_json=history)
        _, second = await bought(provider, tmp_path, "now in blue", route=to(FLASH), materials=materials)
        assert second.outcome.kind is OutcomeKind.IMAGE

        forgot = Materials(history_json=history.replace(b'"thoughtSignature"', b'"partMetadata"'))
        with pytest.raises(SendFailure) as caught:
            await bought(provider, tmp_path, "now in blue", route=to(FLASH), materials=forgot)
    assert caught.value.failure is FailureClass.REFUSED_FREE
    assert caught.value.is_final


async def test_system_grounding_video_and_thinking_are_understood(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    async with provider_on(emulator) as provider:
        _, answer = await bought(
            provider,
            tmp_path,
            route=to(FLASH, thinking=Thinking.HIGH),
            system="You paint.",
            grounding=True,
            video=Video(uri="https://www.youtube.com/watch?v=abc"),
        )
    assert answer.outcome.kind is OutcomeKind.IMAGE
    assert answer.usage is not None
    assert answer.usage.search_queries >= 1
    assert answer.usage.thought_tokens > 0


async def test_imagen_is_bought_by_predict_and_counted(emulator: EmulatorProcess, tmp_path: Path) -> None:
    async with provider_on(emulator) as provider:
        _, answer = await bought(
            provider, tmp_path, route=to(ULTRA, Size.TWO_K), images=4, ratio=Ratio(1, 1), max_output_tokens=9
        )
    assert answer.outcome.kind is OutcomeKind.IMAGE
    assert len(answer.images) == 4
    assert pixels(answer, 3) == (2048, 2048)
    assert answer.usage is not None
    assert answer.usage.images == 4


async def test_a_filtered_imagen_picture_is_a_partial_answer(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    emulator.fault("rai_filtered", times=1)
    async with provider_on(emulator) as provider:
        _, answer = await bought(provider, tmp_path, route=to(ULTRA))
    assert answer.outcome.kind is OutcomeKind.BLOCKED
    assert answer.outcome.raw_reason


async def test_the_newer_size_field_is_spoken_too(emulator: EmulatorProcess, tmp_path: Path) -> None:
    async with provider_on(emulator, size_field=SizeField.RESPONSE_FORMAT) as provider:
        _, answer = await bought(provider, tmp_path, route=to(FLASH, Size.TWO_K))
    assert pixels(answer) == (2048, 2048)


async def test_the_flex_lane_is_asked_for_and_served(emulator: EmulatorProcess, tmp_path: Path) -> None:
    async with provider_on(emulator) as provider:
        _, answer = await bought(provider, tmp_path, lane=Lane.FLEX)
    assert answer.served_lane is Lane.FLEX


async def test_vertex_by_default_credentials(
    emulator: EmulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "GOOGLE_APPLICATION_CREDENTIALS", str(service_account(tmp_path, emulator.url + "/token"))
    )
    async with provider_on(emulator, credential=GoogleDefault(), project="p-1") as provider:
        for lane in (Lane.LIVE, Lane.FLEX):
            _, answer = await bought(provider, tmp_path, lane=lane)
            assert answer.outcome.kind is OutcomeKind.IMAGE
            assert answer.served_lane is lane
        _, imagen = await bought(provider, tmp_path, route=to(ULTRA))
        assert len(imagen.images) == 1


async def test_vertex_by_a_key_with_and_without_a_project(emulator: EmulatorProcess, tmp_path: Path) -> None:
    place = upstream(emulator.url, vertex=True, simulated=True)
    async with paid_session() as http:
        express = vertex.connect(place, ApiKey("a-key"), http, ConnectOptions(shape_of=shape_of))
        _, answer = await bought(express, tmp_path)
    assert answer.outcome.kind is OutcomeKind.IMAGE
    async with provider_on(emulator, credential=ApiKey("a-key"), project="p-1") as provider:
        _, answer = await bought(provider, tmp_path)
    assert answer.outcome.kind is OutcomeKind.IMAGE


async def test_without_credentials_nothing_is_sent(
    emulator: EmulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "no-such-file.json"))
    async with provider_on(emulator, credential=GoogleDefault(), project="p-1") as provider:
        with pytest.raises(SendFailure) as caught:
            await bought(provider, tmp_path)
    assert caught.value.failure is FailureClass.NOT_SENT
    assert caught.value.outcome.raw_reason == "no_credentials"
    assert caught.value.is_final
    assert emulator.bill()["accepted_calls"] == 0


async def test_a_token_endpoint_that_is_down_can_be_tried_again(
    emulator: EmulatorProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = service_account(tmp_path, "http://127.0.0.1:9/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
    async with provider_on(emulator, credential=GoogleDefault(), project="p-1") as provider:
        with pytest.raises(SendFailure) as caught:
            await bought(provider, tmp_path)
    assert caught.value.failure is FailureClass.NOT_SENT
    assert caught.value.outcome.raw_reason == "token_unreachable"
    assert not caught.value.is_final


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ({"kind": "finish_reason", "reason": "IMAGE_SAFETY"}, "blocked", "IMAGE_SAFETY"),
        ({"kind": "finish_reason", "reason": "IMAGE_OTHER"}, "empty", "IMAGE_OTHER"),
        ({"kind": "block_reason", "reason": "PROHIBITED_CONTENT"}, "blocked", "PROHIBITED_CONTENT"),
        ({"kind": "text_only"}, "text_only", "STOP"),
        ({"kind": "thought_only"}, "empty", "thought_only"),
        ({"kind": "no_candidates"}, "empty", "no_candidates"),
        ({"kind": "no_content"}, "empty", "STOP"),
        ({"kind": "empty_body"}, "empty", "empty_body"),
        ({"kind": "truncated_json"}, "unknown", "undecodable"),
        ({"kind": "many_images", "images": 2}, "image", None),
        ({"kind": "no_usage"}, "image", None),
        ({"kind": "mislabelled"}, "image", None),
        ({"kind": "serve_model", "model": FLASH}, "image", None),
    ],
)
async def test_an_odd_answer_has_its_outcome(
    emulator: EmulatorProcess, tmp_path: Path, fault: dict[str, object], kind: str, reason: str | None
) -> None:
    emulator.faults({"fault": fault, "times": 1})
    async with provider_on(emulator) as provider:
        _, answer = await bought(provider, tmp_path)
    assert (answer.outcome.kind, answer.outcome.raw_reason) == (kind, reason)
    assert emulator.bill()["accepted_calls"] == 1
    if fault["kind"] == "many_images":
        assert len(answer.images) == 2
    if fault["kind"] == "serve_model":
        assert answer.model_version == FLASH
    assert (answer.usage is None) == (fault["kind"] in {"no_usage", "empty_body", "truncated_json"})


async def test_a_stated_free_answer_is_free_on_both_books(emulator: EmulatorProcess, tmp_path: Path) -> None:
    said = "Unable to show the image. You will not be charged for this request."
    emulator.fault("finish_reason", times=1, reason="IMAGE_RECITATION", message=said)
    async with provider_on(emulator) as provider:
        _, answer = await bought(provider, tmp_path)
    assert answer.stated_free
    assert answer.outcome.message == said
    assert emulator.bill()["total_nano_usd"] == 0


@pytest.mark.parametrize(
    ("fault", "failure", "reason", "final"),
    [
        ({"kind": "error", "code": 400}, "refused_free", "INVALID_ARGUMENT", True),
        ({"kind": "error", "code": 401}, "refused_free", "UNAUTHENTICATED", True),
        ({"kind": "error", "code": 402}, "refused_free", "RESOURCE_EXHAUSTED", True),
        ({"kind": "error", "code": 403}, "refused_free", "PERMISSION_DENIED", True),
        ({"kind": "error", "code": 404}, "refused_free", "NOT_FOUND", True),
        ({"kind": "error", "code": 408}, "unknown", "DEADLINE_EXCEEDED", False),
        ({"kind": "error", "code": 429}, "refused_free", "RESOURCE_EXHAUSTED (unspecified)", False),
        ({"kind": "error", "code": 429, "cause": "limit_zero"}, "refused_free", "RESOURCE_EXHAUSTED (no_billing)", True),
        ({"kind": "error", "code": 429, "cause": "per_minute"}, "refused_free", "RESOURCE_EXHAUSTED (burst)", False),
        ({"kind": "error", "code": 429, "cause": "per_day"}, "refused_free", "RESOURCE_EXHAUSTED (per_day)", True),
        ({"kind": "error", "code": 429, "cause": "spend_window"}, "refused_free", "RESOURCE_EXHAUSTED (spend_window)", False),
        ({"kind": "error", "code": 500}, "refused_free", "INTERNAL", False),
        ({"kind": "error", "code": 503}, "refused_free", "UNAVAILABLE", False),
        ({"kind": "error", "code": 504}, "unknown", "DEADLINE_EXCEEDED", False),
        ({"kind": "proxy_error", "code": 502}, "unknown", "http_502", False),
        ({"kind": "proxy_error", "code": 503}, "unknown", "http_503", False),
        ({"kind": "drop_before_accept"}, "unknown", "connection_lost", False),
        ({"kind": "drop_after_accept"}, "unknown", "connection_lost", False),
        ({"kind": "cut_body"}, "unknown", "truncated", False),
    ],
)  # fmt: skip
async def test_a_failure_has_its_class_and_is_sent_once(
    emulator: EmulatorProcess,
    tmp_path: Path,
    fault: dict[str, object],
    failure: str,
    reason: str,
    *,
    final: bool,
) -> None:
    emulator.faults({"fault": fault})
    async with provider_on(emulator) as provider:
        with pytest.raises(SendFailure) as caught:
            await bought(provider, tmp_path)
    assert caught.value.failure == failure
    assert caught.value.outcome.raw_reason == reason
    assert caught.value.is_final is final
    if failure == "refused_free":
        assert emulator.bill()["accepted_calls"] == 0
    else:
        assert emulator.bill()["accepted_calls"] <= 1


def service_account(folder: Path, token_uri: str) -> Path:
    """Write a service-account file whose tokens come from `token_uri`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "account.json"
    account = {
        "type": "service_account",
        "project_id": "p-1",
        "private_key_id": "k-1",
        "private_key": secret.decode(),
        "client_email": "someone@p-1.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": token_uri,
    }
    file.write_text(json.dumps(account))
    return file

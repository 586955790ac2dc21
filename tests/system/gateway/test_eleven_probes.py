"""Eleven questions about money that gateways are asked, each answered by the emulator's bill.

The first seven are about how often one is charged, the last four about how much. Public threads tell how
others answered: a cached answer billed again, a timed-out picture bought three times, `n=4` priced as one.
"""

import asyncio
import base64
import io
import statistics
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from keeprate import bootstrap
from keeprate.catalogue.cards import ModelCard
from keeprate.domain.geometry import Size
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.scopes import LOCAL_OWNER
from keeprate.providers.shapes import CallShape, shape_of_card
from keeprate.workflows.options import Options
from keeprate.workflows.route import route
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.gateway_ground import Gateway, open_gateway
from tests.trust_counts import count, record

pytestmark = [pytest.mark.anyio, pytest.mark.trust]

PATH = "/v1/images/generations"
PRO = "gemini-3-pro-image"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(tmp_path_factory.mktemp("probes"), "--draw", "fast") as running:
        yield running


@pytest.fixture
async def gateway(tmp_path: Path, emulator: EmulatorProcess) -> AsyncGenerator[Gateway]:
    emulator.reset()
    emulator.clear_faults()
    async with open_gateway(tmp_path, emulator.url) as opened:
        yield opened


async def ask(gateway: Gateway, headers: dict[str, str] | None = None, **body: object) -> httpx.Response:
    return await gateway.ask("POST", PATH, json={"prompt": "a lamp", **body}, headers=headers or {})


def calls(emulator: EmulatorProcess) -> int:
    return int(emulator.bill_summary()["accepted_calls"])


def billed(emulator: EmulatorProcess) -> int:
    return int(emulator.bill_summary()["total_nano_usd"])


def cost(answer: httpx.Response) -> int:
    return round(float(answer.headers["x-keeprate-cost-usd"]) * 1e9)


async def rows(gateway: Gateway) -> list[Any]:
    found = await gateway.house.ledger.attempts(LOCAL_OWNER, unknown_only=False, limit=1000, intent=None)
    return list(found)


async def test_1_the_same_request_twice_with_the_cache_is_paid_once(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    first, second = [await ask(gateway, {"x-keeprate-cache": "true"}) for _ in range(2)]
    assert (calls(emulator), first.json()["data"] == second.json()["data"]) == (1, True)
    assert (cost(first), cost(second)) == (billed(emulator), 0)
    assert second.headers["x-keeprate-claimed"] == "cached"


async def test_2_the_same_idempotency_key_twice_is_paid_once(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    key = {"idempotency-key": "order-7"}
    answers = await asyncio.gather(*(ask(gateway, key) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert (calls(emulator), len({answer.content for answer in answers})) == (1, 1)
    assert sum(cost(answer) for answer in answers) == billed(emulator)
    other = await ask(gateway, key, size="1536x1024")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_mismatch")
    assert calls(emulator) == 1
    record(
        "gateway: 100 requests with one Idempotency-Key, and one with another body: calls",
        "1, 0",
        "1, 0",
        met=True,
    )


async def test_3_four_equal_live_requests_are_four_purchases(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    answers = await asyncio.gather(*(ask(gateway) for _ in range(4)))
    assert (calls(emulator), len({answer.content for answer in answers})) == (4, 4)
    assert sum(cost(answer) for answer in answers) == billed(emulator)


async def test_4_an_upstream_slower_than_the_timeout_is_called_once_and_unknown(
    tmp_path: Path, emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hasty(card: ModelCard, size: Size) -> CallShape:
        return replace(shape_of_card(card, size), timeout_s=1)

    monkeypatch.setattr(bootstrap, "shape_of_card", hasty)
    emulator.reset()
    emulator.fault("latency", latency_ms=2500, times=1)
    async with open_gateway(tmp_path, emulator.url) as gateway:
        answers = [await ask(gateway, {"x-stainless-retry-count": str(number)}) for number in range(3)]
        (row,) = await rows(gateway)
    emulator.clear_faults()
    assert {answer.json()["error"]["code"] for answer in answers} == {"outcome_unknown"}
    assert {answer.headers["x-should-retry"] for answer in answers} == {"false"}
    assert (calls(emulator), row.state, row.held) == (1, AttemptState.UNKNOWN, row.new.hold)


async def test_5_a_503_is_tried_again_and_paid_once(gateway: Gateway, emulator: EmulatorProcess) -> None:
    emulator.fault("error", code=503, times=2)
    answer = await ask(gateway)
    assert answer.status_code == 200
    assert (calls(emulator), cost(answer)) == (1, billed(emulator))
    states = sorted(row.state for row in await rows(gateway))
    assert states == [AttemptState.FAILED, AttemptState.FAILED, AttemptState.IMAGE]


async def test_6_a_refusal_is_a_typed_error(gateway: Gateway, emulator: EmulatorProcess) -> None:
    emulator.fault("finish_reason", reason="IMAGE_SAFETY", times=1)
    refused = await ask(gateway, model=PRO)
    assert refused.status_code in {400, 422}
    assert refused.json()["error"]["code"]
    assert "IMAGE_SAFETY" in refused.text
    assert refused.headers["x-keeprate-outcome"] == "blocked"
    assert (calls(emulator), cost(refused)) == (1, billed(emulator))


async def test_6_an_allowed_fallback_is_taken_for_no_more_money(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    emulator.reset()
    home = tmp_path / "home"
    home.mkdir()
    with start_emulator(tmp_path / "spare", "--draw", "fast") as spare:
        (home / "keeprate.toml").write_text(
            f'[[upstream]]\nname = "spare"\nsurface = "gemini-api"\nbase_url = "{spare.url}"\nsimulated = true\n'
        )
        by_name = {"emulator": emulator, "spare": spare}
        async with open_gateway(tmp_path, emulator.url) as gateway:
            view = await route(gateway.house.means, LOCAL_OWNER, "a lamp", Options())
            first, second = (step.offer for step in view.decision.steps if step.after != "reject")
            by_name[first.route.upstream].fault("error", code=503)
            answer = await ask(gateway)
        emulator.clear_faults()
        assert answer.status_code == 200
        assert answer.headers["x-keeprate-route"] == str(second.route)
        assert second.quote.expected <= first.quote.expected
        assert calls(by_name[first.route.upstream]) == 0
        assert cost(answer) == billed(by_name[second.route.upstream])


async def test_7_four_images_are_four_purchases_at_four_prices(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    answer = await ask(gateway, n=4)
    assert (len(answer.json()["data"]), calls(emulator)) == (4, 4)
    assert cost(answer) == billed(emulator)
    assert [row.charge.amount > 0 for row in await rows(gateway)] == [True] * 4


@pytest.mark.parametrize(("quality", "size"), [("medium", "1K"), ("high", "4K")])
async def test_8_prices_come_from_usage_with_thought_tokens(
    gateway: Gateway, emulator: EmulatorProcess, quality: str, size: str
) -> None:
    emulator.fault("latency", usage={"thoughts": 333})
    answer = await ask(gateway, {"x-keeprate-size": size}, model=PRO, quality=quality)
    emulator.clear_faults()
    (row,) = await rows(gateway)
    assert (str(row.new.route.size), row.charge.usage.thought_tokens) == (size, 333)
    assert cost(answer) == row.charge.amount == billed(emulator)


async def test_9_a_native_4k_widescreen_picture_arrives_as_it_was_drawn(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    answer = await ask(gateway, {"x-keeprate-size": "4K", "x-keeprate-ratio": "16:9"}, model=PRO)
    assert answer.status_code == 200, answer.text
    content = base64.b64decode(answer.json()["data"][0]["b64_json"], validate=True)
    (row,) = await rows(gateway)
    assert Image.open(io.BytesIO(content)).size == (5504, 3072)
    assert emulator.truth(row.image_sha256s[0])
    stored = await gateway.house.means.till.assets.read("default", row.image_sha256s[0])
    assert stored == content


async def test_10_the_quote_is_within_two_percent_of_what_is_metered(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    images = count("quoted_images", 24, 400)
    quoted: list[float] = []
    for number in range(images):
        size = ("1K", "2K", "4K")[number % 3]
        answer = await ask(gateway, {"x-keeprate-size": size}, model=PRO if number % 2 else "auto")
        quoted.append(float(answer.headers["x-keeprate-quote-usd"]) * 1e9)
    metered = billed(emulator) / images
    error = statistics.mean(quoted) / metered - 1
    assert abs(error) <= 0.02
    record(
        "gateway: expected quote against metered, mean of mixed sizes",
        f"{error:+.2%} over {images} images",
        "± 2 %",
        met=abs(error) <= 0.02 and images >= 400,
    )


async def test_11_the_hold_of_one_4k_picture_is_its_quote(gateway: Gateway) -> None:
    view = await route(gateway.house.means, LOCAL_OWNER, "a lamp", Options(model=PRO, size="4K"))
    await ask(gateway, {"x-keeprate-size": "4K"}, model=PRO)
    (row,) = await rows(gateway)
    assert row.new.hold == view.decision.quote.worst
    assert 1 <= row.new.hold / row.charge.amount <= 1.5

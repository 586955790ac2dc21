"""Clients of OpenAI's dialect that leave before their answer: it is bought once, kept, and theirs when they come back."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from keeprate.gateway.exchange import Message
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.gateway_ground import Gateway, open_gateway

pytestmark = pytest.mark.anyio
PATH = "/v1/images/generations"
BODY = {"prompt": "a lamp", "model": "gemini-3-pro-image"}
SLOW_MS = 1500


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(tmp_path_factory.mktemp("leavers"), "--draw", "fast") as running:
        yield running


@pytest.fixture
async def gateway(tmp_path: Path, emulator: EmulatorProcess) -> AsyncGenerator[Gateway]:
    emulator.reset()
    emulator.clear_faults()
    async with open_gateway(tmp_path, emulator.url) as opened:
        yield opened


async def left_after(gateway: Gateway, seconds: float, headers: Mapping[str, str] | None = None) -> None:
    """Ask, and hang up after a while, as a server tells of it."""
    content = json.dumps(BODY).encode()
    messages: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.sleep(seconds)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        assert message["type"] != "http.response.start", "the client was to leave before its answer"

    fields = {"content-type": "application/json", "host": "127.0.0.1:8787", **(headers or {})}
    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
        "client": ("127.0.0.1", 50_000),
        "scheme": "http",
    }
    await gateway.app(scope, receive, send)


async def ask(gateway: Gateway, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await gateway.ask("POST", PATH, json=BODY, headers=named)


def bought(emulator: EmulatorProcess) -> int:
    return emulator.bill_summary()["accepted_calls"]


async def test_whoever_asks_again_while_it_is_made_gets_what_a_leaver_paid_for(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    emulator.fault("latency", latency_ms=SLOW_MS)
    await left_after(gateway, 0.3)
    answer = await ask(gateway)
    assert answer.headers["x-keeprate-claimed"] == "orphan"
    assert answer.headers["x-keeprate-cost-usd"] == "0"
    assert len(answer.json()["data"]) == 1
    assert bought(emulator) == 1


async def test_an_orphan_is_claimed_once_and_the_next_equal_request_is_a_purchase(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    emulator.fault("latency", latency_ms=SLOW_MS, times=1)
    await left_after(gateway, 0.3)
    await gateway.house.claims.drain()
    assert (await ask(gateway)).headers["x-keeprate-claimed"] == "orphan"
    again = await ask(gateway)
    assert "x-keeprate-claimed" not in again.headers
    assert bought(emulator) == 2


async def test_a_try_marked_as_such_joins_the_first_though_its_client_seems_there(
    gateway: Gateway, emulator: EmulatorProcess
) -> None:
    emulator.fault("latency", latency_ms=SLOW_MS)
    first = asyncio.create_task(ask(gateway))
    await asyncio.sleep(0.5)
    second = await ask(gateway, x_stainless_retry_count="1")
    assert second.headers["x-keeprate-claimed"] == "orphan"
    assert (await first).json()["data"] == second.json()["data"]
    assert bought(emulator) == 1


async def test_a_key_answers_whoever_left_and_comes_back(gateway: Gateway, emulator: EmulatorProcess) -> None:
    emulator.fault("latency", latency_ms=SLOW_MS)
    await left_after(gateway, 0.3, {"idempotency-key": "order-7"})
    answer = await ask(gateway, idempotency_key="order-7")
    assert answer.headers["idempotent-replayed"] == "true"
    assert len(answer.json()["data"]) == 1
    assert bought(emulator) == 1

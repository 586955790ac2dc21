"""Upstreams that lose answers, are not there yet, or say "not now": what clients that retry get, and who pays."""

import asyncio
import socket
from collections import Counter
from pathlib import Path

import httpx
import pytest

from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.scopes import LOCAL_OWNER
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.gateway_ground import Gateway, open_gateway
from tests.trust_counts import count, record

pytestmark = [pytest.mark.anyio, pytest.mark.trust]

AT_ONCE = 16


async def ask(gateway: Gateway, prompt: str) -> httpx.Response:
    """Ask as OpenAI's client does: three tries, marked, unless it is told not to."""
    for number in range(3):
        answer = await gateway.ask(
            "POST",
            "/v1/images/generations",
            json={"prompt": prompt},
            headers={"x-stainless-retry-count": str(number)},
        )
        final = answer.headers.get("x-should-retry") == "false"
        if final or (answer.status_code not in {408, 409, 429} and answer.status_code < 500):
            break
    return answer


async def ask_all(gateway: Gateway, number: int) -> list[httpx.Response]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(prompt: str) -> httpx.Response:
        async with gate:
            return await ask(gateway, prompt)

    return list(await asyncio.gather(*(one(f"a lamp, {place}") for place in range(number))))


async def rows(gateway: Gateway):
    return await gateway.house.ledger.attempts(LOCAL_OWNER, unknown_only=False, limit=10**6, intent=None)


async def test_an_accepted_call_whose_answer_is_lost_is_never_sent_again(tmp_path: Path) -> None:
    wanted = count("gateway_dropped_calls", 60, 500)
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        emulator.faults({"probability": 0.3, "fault": {"kind": "drop_after_accept"}})
        async with open_gateway(tmp_path, emulator.url) as gateway:
            answers = await ask_all(gateway, wanted)
            bill = emulator.bill_summary()
            found = await rows(gateway)
            unknown = [row for row in found if row.state is AttemptState.UNKNOWN]
            lost = [answer for answer in answers if answer.status_code != 200]
            codes = Counter(answer.json()["error"]["code"] for answer in lost)
            assert bill["accepted_calls"] == wanted
            assert codes == {"outcome_unknown": len(unknown)}
            assert 0.1 * wanted < len(unknown) < 0.5 * wanted
            booked = sum(row.held + (row.charge.amount if row.charge else 0) for row in found)
            assert booked >= bill["total_nano_usd"]
            said = {row["client_request_id"]: row["nano_usd"] for row in emulator.bill()["rows"]}
            for row in unknown:
                await gateway.house.ledger.reconcile(
                    LOCAL_OWNER, row.id, billed=NanoUSD(said[row.id]), by="ana",
                    at=gateway.house.means.till.clock.now(),
                )  # fmt: skip
            settled = sum(row.charge.amount for row in await rows(gateway) if row.charge)
    assert settled == bill["total_nano_usd"]
    record(
        "gateway: answers lost after acceptance, clients that retry: calls the referee counted",
        f"{bill['accepted_calls']} of {wanted}, {len(unknown)} unknown, books equal the bill after reconcile",
        "equal: 0 sent again",
        met=wanted >= 500,
    )


async def test_an_upstream_that_is_not_there_yet_costs_nothing_and_is_tried_again(tmp_path: Path) -> None:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    started: list[EmulatorProcess] = []
    async with open_gateway(tmp_path, f"http://127.0.0.1:{port}") as gateway:

        async def come() -> None:
            await asyncio.sleep(0.3)
            command = ("--draw", "fast", "--port", str(port))
            started.append(await asyncio.to_thread(start_emulator, tmp_path, *command))

        coming = asyncio.create_task(come())
        try:
            answers = []
            while not answers or answers[-1].status_code != 200:
                answers.append(await ask(gateway, "a lamp"))
                await asyncio.sleep(0.1)
            await coming
            found = await rows(gateway)
            assert started[0].bill_summary()["accepted_calls"] == 1
        finally:
            await coming
            started[0].stop()
    assert [row.state for row in found].count(AttemptState.IMAGE) == 1
    assert {row.charge.amount for row in found if row.state is not AttemptState.IMAGE} == {0}
    early = [answer for answer in answers[:-1] if answer.status_code != 200]
    assert {answer.status_code for answer in early} <= {429, 502, 503}


@pytest.mark.parametrize("cause", ["per_day", "limit_zero"])
async def test_a_quota_that_waiting_does_not_fill_is_asked_once(tmp_path: Path, cause: str) -> None:
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        emulator.fault("error", code=429, cause=cause)
        async with open_gateway(tmp_path, emulator.url) as gateway:
            answer = await ask(gateway, "a lamp")
            applied = sum(rule["applied"] for rule in emulator.get("/_emulator/faults").json["rules"])
            assert answer.status_code == 429
            assert answer.headers["x-should-retry"] == "false"
            assert applied == 1
            assert {row.state for row in await rows(gateway)} == {AttemptState.FAILED}


async def test_a_client_is_told_when_to_come_back(tmp_path: Path) -> None:
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        emulator.fault("error", code=429, cause="per_minute", retry_after_s=900)
        async with open_gateway(tmp_path, emulator.url) as gateway:
            first = await gateway.ask("POST", "/v1/images/generations", json={"prompt": "a lamp"})
            second = await gateway.ask("POST", "/v1/images/generations", json={"prompt": "a chair"})
            applied = sum(rule["applied"] for rule in emulator.get("/_emulator/faults").json["rules"])
    assert (first.status_code, second.status_code) == (429, 429)
    assert 800 < int(second.headers["retry-after"]) <= 900
    assert applied == 1

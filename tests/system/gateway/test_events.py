"""The ledger as a stream: what happens is told, a broken stream is taken up again, an idle one stays alive."""

import asyncio
import json
from pathlib import Path

import pytest
from fastapi.responses import StreamingResponse

from keeprate.domain.scopes import LOCAL_OWNER
from keeprate.domain.terms import OWNER_TERMS
from keeprate.gateway.api.events import Events, Pace
from keeprate.gateway.desk import Desk
from keeprate.gateway.identity import Authenticator, Caller
from tests.emulator_process import start_emulator
from tests.gateway_ground import Gateway, open_gateway

pytestmark = pytest.mark.anyio
OWNER = Caller(scope=LOCAL_OWNER, terms=OWNER_TERMS)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory):
    with start_emulator(tmp_path_factory.mktemp("events"), "--draw", "fast") as emulator:
        yield emulator.url


def desk_of(gateway: Gateway) -> Desk:
    clock = gateway.house.means.till.clock
    identity = Authenticator(gateway.house.ledger, workspace="default", now=clock.now)
    return Desk(house=gateway.house, identity=identity)


async def bought(gateway: Gateway) -> str:
    answer = await gateway.ask("POST", "/api/generate", json={"prompt": "a red boat"})
    return str(answer.json()["attempt_id"])


async def pieces_of(stream: StreamingResponse, *, until: bytes) -> list[str]:
    seen: list[str] = []
    async with asyncio.timeout(10):
        async for piece in stream.body_iterator:
            seen.append(bytes(piece).decode())  # type: ignore[arg-type]
            if until in bytes(piece):  # type: ignore[arg-type]
                return seen
    return seen


async def test_a_purchase_is_told_as_it_happens_and_silence_is_filled(tmp_path: Path, url: str) -> None:
    async with open_gateway(tmp_path, url) as gateway:
        events = Events(desk_of(gateway), Pace(look_s=0.01, heartbeat_s=0.03))
        stream = await events.events(OWNER)
        following = asyncio.create_task(pieces_of(stream, until=b'"kind":"close"'))
        await asyncio.sleep(0.2)
        attempt = await bought(gateway)
        told = await following
        assert any(one.startswith(":") for one in told), "a heartbeat while nothing happened"
        hold, close = [json.loads(one.split("data: ")[1]) for one in told if "data:" in one]
        assert (hold["attempt_id"], hold["kind"]) == (attempt, "hold")
        assert (close["kind"], close["state"]) == ("close", "image")
        assert float(close["spent_usd"]) > 0


async def test_a_broken_stream_is_taken_up_where_it_ended(tmp_path: Path, url: str) -> None:
    async with open_gateway(tmp_path, url) as gateway:
        first, second = await bought(gateway), await bought(gateway)
        answer = await gateway.ask("GET", "/api/events?follow=false", headers={"last-event-id": "1-0-a"})
        ids = [line[4:] for line in answer.text.splitlines() if line.startswith("id: ")]
        assert len(ids) == len(set(ids)) == 4
        assert [first in one for one in ids] == [True, True, False, False]
        again = await gateway.ask("GET", "/api/events?follow=false", headers={"last-event-id": ids[2]})
        later = [line[4:] for line in again.text.splitlines() if line.startswith("id: ")]
        assert ids[2] not in later
        assert ids[3] in later
        assert second in later[-1]


async def test_streams_end_when_the_program_does(tmp_path: Path, url: str) -> None:
    async with open_gateway(tmp_path, url) as gateway:
        desk = desk_of(gateway)
        stream = await Events(desk, Pace(look_s=30, heartbeat_s=60)).events(OWNER)
        following = asyncio.create_task(pieces_of(stream, until=b"never"))
        await asyncio.sleep(0.1)
        desk.stopping.set()
        assert await asyncio.wait_for(following, 2) == ["retry: 2000\n\n"]

"""Batches through the gateway: held when they are handed in, booked when they are seen to be over."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from keeprate.domain.charges import ChargeBasis
from keeprate.domain.scopes import LOCAL_OWNER
from tests.contract_server import sample
from tests.gateway_ground import open_gateway

pytestmark = pytest.mark.anyio

ROW = {"request": {"contents": [{"role": "user", "parts": [{"text": "a cat"}]}]}, "metadata": {"key": "r1"}}
BATCH = {"batch": {"displayName": "job", "inputConfig": {"requests": {"requests": [ROW, ROW, ROW]}}}}
CREATE = "/v1beta/models/gemini-3-pro-image:batchGenerateContent"


class Upstream:
    """Takes a batch on, and tells of it as it stands."""

    url = ""
    handed_in = 0
    state = "BATCH_STATE_PENDING"

    async def create(self, request: web.Request) -> web.Response:
        await request.read()
        self.handed_in += 1
        return web.json_response({"name": "batches/b1", "metadata": {"state": self.state}})

    async def one(self, request: web.Request) -> web.Response:
        picture = sample("replies", "image").content["reply"]["body"]
        rows = [{"response": picture}, {"response": picture}, {"error": {"code": 3, "message": "bad prompt"}}]
        output = {"inlinedResponses": {"inlinedResponses": rows}}
        metadata = {"state": self.state}
        if self.state == "BATCH_STATE_SUCCEEDED":
            metadata["output"] = output
        return web.json_response({"name": "batches/b1", "done": True, "metadata": metadata})

    async def listed(self, request: web.Request) -> web.Response:
        return web.json_response({"operations": [{"name": "batches/b1"}, {"name": "batches/of-others"}]})


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    served, app = Upstream(), web.Application()
    app.router.add_post("/v1beta/models/{model}", served.create)
    app.router.add_get("/v1beta/batches", served.listed)
    app.router.add_get("/v1beta/batches/{batch}", served.one)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield served
    finally:
        await runner.cleanup()


async def test_a_batch_is_held_whole_and_booked_from_its_results(tmp_path: Path) -> None:
    async with upstream() as there, open_gateway(tmp_path, there.url) as gateway:
        made = await gateway.ask("POST", CREATE, json=BATCH)
        ledger = gateway.house.ledger
        row = await ledger.attempt(LOCAL_OWNER, made.headers["x-keeprate-attempt"])
        pending = await gateway.ask("GET", "/v1beta/batches/b1")
        still = await ledger.attempt(LOCAL_OWNER, row.id)
        there.state = "BATCH_STATE_SUCCEEDED"
        done = await gateway.ask("GET", "/v1beta/batches/b1")
        booked = await ledger.attempt(LOCAL_OWNER, row.id)
        again = await gateway.ask("GET", "/v1beta/batches/b1")
        listed = await gateway.ask("GET", "/v1beta/batches")
        strange = await gateway.ask("GET", "/v1beta/batches/of-others")
    assert (made.status_code, made.json()["name"]) == (200, "batches/b1")
    assert row.charge is not None
    assert still.charge is not None
    assert booked.charge is not None
    # Three times the worst of one image in the batch lane, until the results say what it was.
    assert row.charge.amount == row.new.hold == still.charge.amount
    assert not row.charge.certain
    one = json.loads(sample("replies", "image").body)["usageMetadata"]
    tokens = one["promptTokenCount"] * 2_000 + one["candidatesTokensDetails"][0]["tokenCount"] * 120_000
    thoughts = one.get("thoughtsTokenCount", 0) * 12_000
    assert booked.charge.amount == 2 * -(-(tokens + thoughts) // 2)
    assert booked.charge.basis is ChargeBasis.RECONCILED
    assert pending.status_code == 200
    assert done.content == again.content
    assert [one["name"] for one in listed.json()["operations"]] == ["batches/b1"]
    assert strange.status_code == 404


async def test_a_batch_that_nobody_can_quote_is_not_handed_in(tmp_path: Path) -> None:
    in_a_file = {"batch": {"inputConfig": {"fileName": "files/abc"}}}
    async with (
        upstream() as there,
        open_gateway(tmp_path, there.url, extra={"KEEPRATE_DAY_CAP_USD": "0.20"}) as gateway,
    ):
        refused = await gateway.ask("POST", CREATE, json=in_a_file)
        empty = await gateway.ask("POST", CREATE, json={"batch": {}})
        over = await gateway.ask("POST", CREATE, json=BATCH)
    assert (refused.status_code, empty.status_code, over.status_code) == (400, 400, 402)
    assert there.handed_in == 0

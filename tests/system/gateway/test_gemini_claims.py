"""Google's clients send no idempotency key, and some send again by themselves: paid once all the same."""

import asyncio
import json
from pathlib import Path

import pytest

from keeprate.domain.scopes import LOCAL_OWNER
from tests.contract_server import contract_server
from tests.emulator_process import start_emulator
from tests.gateway_ground import open_gateway
from tests.slow_upstream import SlowUpstream
from tests.system.gateway.test_gemini_streams import BODY, GENERATE, REPLY, asked, listening

pytestmark = pytest.mark.anyio


async def test_who_lost_the_connection_gets_the_answer_that_was_paid_for(tmp_path: Path) -> None:
    with SlowUpstream(REPLY) as upstream:
        async with listening(tmp_path, upstream.url) as (gateway, port):
            reader, writer, first = await asked(port)
            await reader.readexactly(200_000)
            writer.transport.abort()
            await asyncio.sleep(0.2)
            upstream.gate.set()
            again, writer, second = await asked(port)
            body = await again.readuntil(b"0\r\n\r\n") if "content-length" not in second else b""
            whole = await again.readexactly(int(second["content-length"])) if not body else unchunked(body)
            writer.close()
            await gateway.house.means.till.drain()
    assert whole == REPLY
    assert upstream.accepted == 1
    assert second["x-keeprate-attempt"] == first["x-keeprate-attempt"]
    assert second["x-keeprate-cost-usd"] == "0"


def unchunked(body: bytes) -> bytes:
    whole, rest = b"", body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        whole, rest = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


async def test_equal_calls_of_live_clients_are_bought_apart(tmp_path: Path) -> None:
    async with contract_server() as server, open_gateway(tmp_path, server.url) as gateway:
        answers = await asyncio.gather(*(gateway.ask("POST", GENERATE, content=BODY) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["x-keeprate-attempt"] for answer in answers}) == 4
    assert len(server.received) == 4


async def test_one_idempotency_key_buys_once(tmp_path: Path) -> None:
    async with contract_server() as server, open_gateway(tmp_path, server.url) as gateway:
        key = {"idempotency-key": "one-thing"}
        first = await gateway.ask("POST", GENERATE, content=BODY, headers=key)
        second = await gateway.ask("POST", GENERATE, content=BODY, headers=key)
        other = await gateway.ask("POST", GENERATE, content=BODY.replace(b"lamp", b"lynx"), headers=key)
    assert first.content == second.content == server.shown.body
    assert second.headers["idempotent-replayed"] == "true"
    assert other.status_code == 409
    assert len(server.received) == 1


async def test_while_nobody_knows_a_key_answers_so_and_sends_nothing(tmp_path: Path) -> None:
    async with contract_server() as server, open_gateway(tmp_path, server.url) as gateway:
        server.show("refusals", "504_deadline")
        key = {"idempotency-key": "one-thing"}
        first = await gateway.ask("POST", GENERATE, content=BODY, headers=key)
        second = await gateway.ask("POST", GENERATE, content=BODY, headers=key)
        rows = await gateway.house.ledger.attempts(LOCAL_OWNER, unknown_only=True, limit=9, intent=None)
    assert (first.status_code, second.status_code) == (504, 504)
    assert second.json()["error"]["details"][0]["reason"] == "OUTCOME_UNKNOWN"
    assert (len(server.received), len(rows)) == (1, 1)


async def test_files_interactions_and_models_pass_through(tmp_path: Path) -> None:
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        async with open_gateway(tmp_path, emulator.url) as gateway:
            start = await gateway.ask(
                "POST", "/upload/v1beta/files", json={"file": {"display_name": "x"}},
                headers={"x-goog-upload-command": "start", "x-goog-upload-protocol": "resumable"},
            )  # fmt: skip
            there = start.headers["x-goog-upload-url"]
            done = await gateway.ask(
                "POST", there, content=b"not really a picture",
                headers={"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"},
            )  # fmt: skip
            file = done.json()["file"]["name"]
            listed = await gateway.ask("GET", "/v1beta/files")
            elsewhere = emulator.get("/v1beta/files", {"x-goog-api-key": "simulated"}).json["files"]
            lost = await gateway.ask("POST", "/upload/v1beta/files?upload_id=00.guessed", content=b"x")
            strange = await gateway.ask("GET", "/v1beta/files/nobodys")
            gone = await gateway.ask("DELETE", f"/v1beta/{file}")
            first = await gateway.ask(
                "POST", "/v1beta/interactions", json={"model": "gemini-3-pro-image", "input": "a cat"}
            )
            then = {
                "model": "Nano Banana Pro",
                "input": "bluer",
                "previous_interaction_id": first.json()["id"],
            }
            second = await gateway.ask("POST", "/v1beta/interactions", json=then)
            kept = await gateway.ask("GET", f"/v1beta/interactions/{first.json()['id']}")
            foreign = {"model": "gemini-3-pro-image", "input": "x", "previous_interaction_id": "v1_other"}
            refused = await gateway.ask("POST", "/v1beta/interactions", json=foreign)
            pages, token = [], ""
            while True:
                page = (await gateway.ask("GET", f"/v1/models?pageSize=3&pageToken={token}&key=x")).json()
                pages += page["models"]
                token = page.get("nextPageToken")
                if token is None:
                    break
            bill = emulator.bill_summary()
            spent = [
                row.charge.amount
                for row in await gateway.house.ledger.attempts(
                    LOCAL_OWNER, unknown_only=False, limit=9, intent=None
                )
                if row.charge is not None
            ]
    assert there.startswith("http://127.0.0.1:8787/upload/v1beta/files?upload_id=")
    assert [one["name"] for one in listed.json()["files"]] == [file] == [one["name"] for one in elsewhere]
    assert (lost.status_code, strange.status_code, gone.status_code) == (404, 404, 200)
    assert (first.status_code, second.status_code, kept.json()) == (200, 200, first.json())
    assert second.headers["x-keeprate-outcome"] == "image"
    assert (refused.status_code, bill["accepted_calls"], sum(spent)) == (404, 2, bill["total_nano_usd"])
    assert "models/auto" in {one["name"] for one in pages}
    assert len({one["name"] for one in pages}) == len(pages) > 3
    assert json.dumps(pages).count("supportedGenerationMethods") == len(pages)

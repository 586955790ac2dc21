"""Every answer on record, through the gateway's Google dialect: passed on byte for byte, typed and booked."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from keeprate.domain.attempts import Attempt
from keeprate.domain.outcomes import AttemptState, FailureClass, OutcomeKind
from keeprate.domain.scopes import LOCAL_OWNER
from tests.contract_server import ContractServer, Sample, contract_server, samples
from tests.gateway_ground import Gateway, open_gateway
from tests.trust_counts import record

pytestmark = pytest.mark.anyio

REPLIES, REFUSALS = samples("replies"), samples("refusals")
BODY = {"contents": [{"role": "user", "parts": [{"text": "a lamp"}]}]}
IMAGEN = {"instances": [{"prompt": "a lamp"}]}
GENERATE = "/v1beta/models/gemini-3-pro-image:generateContent"


def event(document: object) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\r\n\r\n"


@asynccontextmanager
async def both(folder: Path, day: str = "2026-07-01") -> AsyncGenerator[tuple[ContractServer, Gateway]]:
    async with (
        contract_server() as server,
        open_gateway(folder, server.url, extra={"KEEPRATE_AS_OF": day}) as gateway,
    ):
        yield server, gateway


async def rows(gateway: Gateway) -> list[Attempt]:
    return list(await gateway.house.ledger.attempts(LOCAL_OWNER, unknown_only=False, limit=50, intent=None))


def call_for(sample: Sample) -> tuple[str, object]:
    if sample.content["method"] != "predict":
        return GENERATE, BODY
    count = {"parameters": {"sampleCount": sample.content.get("wanted", 1)}}
    return "/v1beta/models/imagen-4.0-generate-001:predict", IMAGEN | count


async def passed_on(server: ContractServer, gateway: Gateway, sample: Sample) -> None:
    """Show `sample` to one caller and check all that is known of it."""
    server.shown, expect = sample, sample.content["expect"]
    sent = len(server.received)
    path, body = call_for(sample)
    answer = await gateway.ask("POST", path, json=body)
    row = await gateway.house.ledger.attempt(LOCAL_OWNER, answer.headers["x-keeprate-attempt"])
    assert (answer.status_code, answer.content) == (200, sample.body)
    assert len(server.received) == sent + 1
    assert row.outcome is not None
    assert answer.headers["x-keeprate-outcome"] == expect["outcome"] == row.outcome.kind
    assert row.outcome.raw_reason == expect.get("raw_reason")
    if row.outcome.kind is OutcomeKind.IMAGE:
        assert len(row.image_sha256s) == expect["images"]
    if row.outcome.kind is OutcomeKind.UNKNOWN:
        assert (row.state, row.held) == (AttemptState.UNKNOWN, row.new.hold)
    else:
        assert row.charge is not None
        assert float(answer.headers["x-keeprate-cost-usd"]) == pytest.approx(row.charge.amount / 1e9)


@pytest.mark.trust
async def test_every_shape_goes_on_as_it_came_and_says_what_it_is(tmp_path: Path) -> None:
    wrong: dict[str, str] = {}
    async with both(tmp_path) as (server, gateway):
        for sample in REPLIES:
            try:
                await passed_on(server, gateway, sample)
            except (AssertionError, KeyError) as fault:
                wrong[sample.name] = str(fault)
            # Some of them cost more than anybody holds, and that stops everything until a person says go on.
            ledger, clock = gateway.house.ledger, gateway.house.means.till.clock
            await ledger.resume_spending(LOCAL_OWNER, by="test", at=clock.now())
    record(
        "Answer shapes through the Gemini door",
        f"{len(REPLIES) - len(wrong)}/{len(REPLIES)} typed, booked and byte for byte",
        f"{len(REPLIES)}/{len(REPLIES)}",
        met=not wrong,
    )
    assert wrong == {}


async def turned_away(server: ContractServer, gateway: Gateway, sample: Sample) -> None:
    """Show a refusal to one caller and check what it cost."""
    server.shown = sample
    sent, before = len(server.received), {row.id for row in await rows(gateway)}
    answer = await gateway.ask("POST", GENERATE, json=BODY)
    found = [row for row in await rows(gateway) if row.id not in before]
    assert (answer.status_code, answer.content) == (sample.content["reply"]["status"], sample.body)
    assert len(found) == len(server.received) - sent
    unknown = sample.content["expect"]["failure"] == FailureClass.UNKNOWN
    assert {row.state is AttemptState.UNKNOWN for row in found} == {unknown}
    if unknown:
        assert len(found) == 1
    else:
        assert all(row.held == 0 for row in found)


async def test_every_refusal_goes_on_in_the_upstreams_own_words(tmp_path: Path) -> None:
    wrong: dict[str, str] = {}
    for sample in REFUSALS:  # a house for each: a breaker that opened for one must not answer for the next
        async with both(tmp_path / sample.name) as (server, gateway):
            try:
                await turned_away(server, gateway, sample)
            except (AssertionError, KeyError) as fault:
                wrong[sample.name] = str(fault)
    assert wrong == {}


async def test_a_stream_keeps_its_frames_and_is_typed_from_the_whole_of_it(tmp_path: Path) -> None:
    picture = json.loads(next(one for one in REPLIES if one.name == "image").body)
    first = {"candidates": [{"content": {"parts": [{"text": "Here"}], "role": "model"}}]}
    frames = event(first) + event(picture)
    reply = {"status": 200, "headers": {"content-type": "text/event-stream"}, "body_text": frames.decode()}
    async with both(tmp_path) as (server, gateway):
        server.shown = Sample("made", "stream", {"reply": reply})
        path = GENERATE.replace("generateContent", "streamGenerateContent") + "?alt=sse&key=a-key"
        answer = await gateway.ask("POST", path, json=BODY)
        (row,) = await rows(gateway)
    assert answer.content == frames
    assert answer.headers["content-type"] == "text/event-stream"
    assert "x-keeprate-outcome" not in answer.headers
    assert answer.headers["x-keeprate-attempt"] == row.id
    assert (row.state, len(row.image_sha256s)) == (AttemptState.IMAGE, 1)
    assert row.charge is not None
    assert row.charge.certain
    assert server.received[0].path.endswith(":streamGenerateContent")


async def test_a_stream_without_events_is_an_array(tmp_path: Path) -> None:
    sample = next(one for one in REPLIES if one.name == "array_of_chunks")
    async with both(tmp_path) as (server, gateway):
        server.shown = sample
        answer = await gateway.ask(
            "POST", GENERATE.replace("generateContent", "streamGenerateContent"), json=BODY
        )
        (row,) = await rows(gateway)
    assert answer.content == sample.body
    assert row.outcome is not None
    assert row.outcome.kind is OutcomeKind.IMAGE


async def test_a_callers_key_never_goes_up_and_the_upstreams_never_comes_down(tmp_path: Path) -> None:
    async with both(tmp_path) as (server, gateway):
        headers = [("user-agent", "one"), ("user-agent", "two"), ("x-goog-api-key", "the-callers-key")]
        answer = await gateway.client.post(GENERATE + "?key=the-callers-key", json=BODY, headers=headers)
    sent = server.received[0]
    assert answer.status_code == 200
    assert "the-callers-key" not in json.dumps(sent.headers) + sent.path
    assert sent.headers["x-goog-api-key"] == "simulated"
    assert "simulated" not in json.dumps(
        {k: v for k, v in answer.headers.items() if k != "x-keeprate-simulated"}
    )


async def test_only_the_bound_of_a_cap_is_added_and_the_answer_says_so(tmp_path: Path) -> None:
    odd = b'{"contents":[{"role":"user","parts":[{"text":"a lamp"}]}],"somethingNew":{"a":[1.50]},"labels":{"a_b":"c"}}'
    bound = odd[:-1] + b',"generationConfig":{"maxOutputTokens":900}}'
    async with both(tmp_path) as (server, gateway):
        first = await gateway.ask("POST", GENERATE, content=odd)
        second = await gateway.ask("POST", GENERATE, content=bound)
    added = json.loads(server.received[0].body)
    assert first.headers["x-keeprate-added"] == "generationConfig.maxOutputTokens"
    assert added.pop("generationConfig")["maxOutputTokens"] > 1120
    assert added == json.loads(odd)
    assert b'"somethingNew":{"a":[1.50]}' in server.received[0].body
    assert server.received[1].body == bound
    assert "x-keeprate-added" not in second.headers


async def test_hints_stay_here(tmp_path: Path) -> None:
    async with both(tmp_path) as (server, gateway):
        hinted = BODY | {"keeprate": {"purpose": "draft"}}
        answer = await gateway.ask("POST", GENERATE.replace("gemini-3-pro-image", "auto"), json=hinted)
        (row,) = await rows(gateway)
        refused = await gateway.ask("POST", GENERATE, json=BODY, headers={"x-keeprate-size": "2K"})
    assert answer.status_code == 200
    assert row.new.purpose == "draft"
    assert "keeprate" not in json.loads(server.received[0].body)
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert len(server.received) == 1


async def test_a_refusal_of_ours_never_reaches_the_upstream(tmp_path: Path) -> None:
    async with (
        contract_server() as server,
        open_gateway(tmp_path, server.url, extra={"KEEPRATE_DAY_CAP_USD": "0.05"}) as gateway,
    ):
        over = await gateway.ask("POST", GENERATE, json=BODY)
        gone = await gateway.ask(
            "POST", "/v1beta/models/gemini-2.5-flash-image-preview:generateContent", json=BODY
        )
        no_json = await gateway.ask("POST", GENERATE, content=b"{")
    assert over.status_code == 402
    assert over.headers["x-should-retry"] == "false"
    assert {"x-keeprate-limit-usd", "x-keeprate-remaining-usd", "x-keeprate-reset"} <= set(over.headers)
    assert over.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert (gone.status_code, no_json.status_code) == (410, 400)
    assert server.received == []

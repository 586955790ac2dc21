"""Every answer shape on record, through the library and through the command line: typed, charged, never silent."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from keeprate.cli.main import main
from keeprate.domain.money import usd
from keeprate.domain.outcomes import OutcomeKind
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result
from tests.contract_server import ContractServer, Sample, contract_server, sample, samples
from tests.homes import keeprate_at

REPLIES = samples("replies")
# Nano-dollars a token, worked out by hand from the printed page: $2, $12 and $120 a million.
INPUT, TEXT, IMAGE, SEARCH = 2_000, 12_000, 120_000, 14_000_000
EXIT_CODES = {"image": 0, "text_only": 6, "blocked": 6, "empty": 6, "failed": 5, "unknown": 7}


def bill_of(sample: Sample) -> int | None:
    """Return what this answer costs on Pro, by hand; None where the answer does not say."""
    expect = sample.content["expect"]
    usage = expect["usage"]
    if expect.get("stated_free"):
        return 0
    if usage is None:
        return None
    if expect["images"] and not usage.get("output_image_tokens"):
        return None
    prompt = sum(usage.get(f"prompt_{kind}_tokens", 0) for kind in ("text", "image", "video"))
    text = usage.get("output_text_tokens", 0) + usage.get("thought_tokens", 0)
    tokens = prompt * INPUT + text * TEXT + usage.get("output_image_tokens", 0) * IMAGE
    # Flex is half of the token price, rounded up; a search is $14 a thousand in any lane.
    return (
        -(-tokens // (2 if expect.get("served_lane") == "flex" else 1))
        + usage.get("search_queries", 0) * SEARCH
    )


def is_predict(sample: Sample) -> bool:
    return sample.content["method"] == "predict"


METERED = [one for one in REPLIES if not is_predict(one)]
COUNTED = [one for one in REPLIES if is_predict(one)]


@pytest.fixture(scope="module")
def server() -> Iterator[ContractServer]:
    """A server in a thread of its own, so that a whole command can run beside it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    opened = contract_server()
    yield asyncio.run_coroutine_threadsafe(opened.__aenter__(), loop).result()
    asyncio.run_coroutine_threadsafe(opened.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def bought(home: Path, server: ContractServer, sample: Sample) -> Result:
    server.shown = sample
    server.received.clear()
    options = Options(model="gemini-3-pro-image")
    if is_predict(sample):
        options = Options(model="imagen-4.0-generate-001", variants=sample.content.get("wanted", 1))
    day = date(2026, 4, 15) if is_predict(sample) else None
    async with keeprate_at(home, server.url, day=day) as keeprate:
        return await keeprate.generate("a lamp", options=options)


@pytest.mark.anyio
@pytest.mark.parametrize("sample", METERED, ids=lambda one: one.name)
async def test_the_library_types_and_charges_every_shape(
    sample: Sample, server: ContractServer, tmp_path: Path
) -> None:
    expect = sample.content["expect"]
    result = await bought(tmp_path / "home", server, sample)
    row = result.attempts[0]
    assert len(server.received) == len(result.attempts) == 1
    assert (result.outcome.kind, result.outcome.raw_reason) == (expect["outcome"], expect.get("raw_reason"))
    assert result.outcome.raw_reason or result.outcome.kind is OutcomeKind.IMAGE
    if result.outcome.kind is OutcomeKind.UNKNOWN:
        assert (result.charge, result.held, row.charge) == (0, row.new.hold, None)
        return
    assert row.charge is not None
    assert result.held == 0
    by_hand = bill_of(sample)
    if by_hand is None:
        assert not row.charge.certain
        assert result.charge > 0
    elif row.charge.served_model == "gemini-3-pro-image":
        assert result.charge == by_hand


@pytest.mark.anyio
@pytest.mark.parametrize("sample", COUNTED, ids=lambda one: one.name)
async def test_the_library_counts_every_imagen_shape(
    sample: Sample, server: ContractServer, tmp_path: Path
) -> None:
    expect = sample.content["expect"]
    result = await bought(tmp_path / "home", server, sample)
    assert len(server.received) == 1
    assert (result.outcome.kind, result.outcome.raw_reason) == (expect["outcome"], expect.get("raw_reason"))
    if result.outcome.kind is not OutcomeKind.UNKNOWN:
        made = max(expect["images"], (expect["usage"] or {}).get("images", 0))
        assert result.charge == made * 40_000_000  # $0.04 an image, by hand


@pytest.mark.parametrize("sample", METERED, ids=lambda one: one.name)
def test_the_command_line_tells_every_shape(
    sample: Sample,
    server: ContractServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.shown = sample
    monkeypatch.setenv("KEEPRATE_EMULATOR_URL", server.url)
    words = ["generate", "a lamp", "--model", "gemini-3-pro-image", "--json"]
    code = main([*words, "--home", str(tmp_path / "home")])
    told = json.loads(capsys.readouterr().out)
    expect = sample.content["expect"]
    assert (told["outcome"], told["outcome_reason"]) == (expect["outcome"], expect.get("raw_reason"))
    assert code == EXIT_CODES[expect["outcome"]]


@pytest.mark.anyio
async def test_prompt_and_thinking_of_a_blocked_picture_are_charged_to_the_nano_dollar(
    server: ContractServer, tmp_path: Path
) -> None:
    blocked = sample("replies", "finish_image_safety")
    usage = {
        "promptTokenCount": 1119,
        "candidatesTokenCount": 0,
        "thoughtsTokenCount": 240,
        "totalTokenCount": 1359,
    }
    blocked.content["reply"]["body"]["usageMetadata"] = usage
    result = await bought(tmp_path / "home", server, blocked)
    assert result.outcome.kind is OutcomeKind.BLOCKED
    assert result.charge == usd("0.005118")

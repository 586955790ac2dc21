"""What was quoted against what was billed, through the library and over HTTP; and history that no rate card changes."""

import asyncio
import random
from datetime import date
from pathlib import Path

import pytest

from keeprate.domain.errors import InvalidRequest, NoEligibleRoute
from keeprate.domain.outcomes import OutcomeKind
from keeprate.domain.purposes import Purpose
from keeprate.library.front import Keeprate
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.homes import keeprate_at
from tests.trust_counts import count, record
from tests.unit.safety.pictures import picture

DAYS = (date(2026, 4, 15), date(2026, 7, 1), date(2026, 10, 10), date(2026, 11, 21))
MODELS = (
    "gemini-3-pro-image",
    "gemini-3.1-flash-image",
    "gemini-nano-banana-2.1",
    "gemini-3.1-flash-lite-image",
)
POLICIES = ("flash-first", "six-model", "quality-first", "cheapest")
WORDS = [
    "a",
    "red",
    "fox",
    "on",
    "a",
    "green",
    "hill",
    "'GRAND",
    "OPENING'",
    "in",
    "tall",
    "letters",
    "soft",
    "light",
    "狐狸",
    "at",
    "dawn",
]
AT_ONCE = 8


def drawn(dice: random.Random) -> tuple[str, Options]:
    """Return one wish: any purpose, size, number of references and variants, now and then a model and a level."""
    references = dice.choice([0, 0, 0, 1, 3, 6])
    model = dice.choice([None, None, *MODELS])
    options = Options(
        purpose=str(dice.choice(list(Purpose))),
        size=dice.choice(["1K", "1K", "2K", "4K"]),
        policy=None if model else dice.choice(POLICIES),
        model=model,
        references=tuple(picture("PNG", 64, 64) for _ in range(references)),
        variants=dice.choice([1, 1, 2, 3, 5]),
        text=dice.choice([None, None, "short"]),
        thinking=dice.choice([None, None, None, "minimal", "high"]) if model else None,
    )
    return " ".join(dice.choices(WORDS, k=dice.randint(3, 120))), options


async def bought(keeprate: Keeprate, dice: random.Random, wanted: int) -> list[Result]:
    """Buy `wanted` random wishes; what no route can serve is drawn again."""
    gate = asyncio.Semaphore(AT_ONCE)
    wishes = iter([drawn(dice) for _ in range(20 * wanted)])

    async def one() -> Result:
        async with gate:
            while True:
                prompt, options = next(wishes)
                try:
                    return await keeprate.generate(prompt, options=options)
                except (NoEligibleRoute, InvalidRequest):
                    continue

    return list(await asyncio.gather(*(one() for _ in range(wanted))))


@pytest.mark.anyio
@pytest.mark.trust
@pytest.mark.timeout(900)
async def test_the_bill_of_every_request_lies_within_its_quote(tmp_path: Path) -> None:
    each = count("quoted_requests", 6, 25)
    results: list[Result] = []
    for number, day in enumerate(DAYS):
        with start_emulator(tmp_path / f"{day}", "--draw", "fast", "--as-of", day.isoformat()) as emulator:
            async with keeprate_at(tmp_path / f"home-{day}", emulator.url, day=day) as keeprate:
                some = await bought(keeprate, random.Random(number), each)
            total = billed_exactly(emulator, some)
            results.extend(some)
            assert total == sum(result.charge for result in some)
    inside = sum(
        result.decision.quote.low <= result.charge <= result.decision.quote.worst for result in results
    )
    expected = sum(result.decision.quote.expected for result in results)
    paid = sum(result.charge for result in results)
    off = abs(expected - paid) / paid
    record(
        "requests through the library billed inside the quoted band",
        f"{inside}/{len(results)}",
        "all",
        met=inside == len(results),
    )
    record("their expected total against the bill", f"{off:.2%}", "<= 2 %", met=off <= 0.02)
    assert inside == len(results)
    assert off <= 0.02


def billed_exactly(emulator: EmulatorProcess, results: list[Result]) -> int:
    """Hold every attempt to the emulator's own row, and return the emulator's total."""
    bill = {row["client_request_id"]: row["nano_usd"] for row in emulator.bill()["rows"]}
    for result in results:
        assert result.outcome.kind is OutcomeKind.IMAGE
        assert len(result.images) == result.request.variants
        for row in result.attempts:
            assert row.charge is not None
            assert row.charge.amount == bill[row.id]
    return emulator.bill_summary()["total_nano_usd"]


CONTRACT = """
[[price]]
model = "gemini-3-pro-image"
surface = "gemini-api"
upstream = "emulator"
input_per_million = "1.00"
text_output_per_million = "6.00"
image_output_per_million = "60.00"
image_tokens = { 1K = 1120, 2K = 1120, 4K = 2000 }
source = "https://example.com/contract"
valid_from = 2026-05-28
seen_on = 2026-11-21
confidence = "high"
"""


@pytest.mark.anyio
@pytest.mark.trust
async def test_a_new_rate_card_leaves_history_as_it_was(tmp_path: Path) -> None:
    pro = Options(model="gemini-3-pro-image", output=tmp_path / "old.png")
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        async with keeprate_at(tmp_path / "home", emulator.url) as keeprate:
            await keeprate.generate("a lamp", options=pro)
            before = await keeprate.attempts()
            told = await keeprate.whence(tmp_path / "old.png")
        (tmp_path / "keeprate.toml").write_text(CONTRACT)
        async with keeprate_at(tmp_path / "home", emulator.url) as keeprate:
            assert await keeprate.attempts() == before
            assert (await keeprate.whence(tmp_path / "old.png")).price == told.price
            cheaper = await keeprate.generate("a lamp", options=Options(model="gemini-3-pro-image"))
            assert cheaper.attempts[0].new.price_id != before[0].new.price_id
            assert cheaper.charge < before[0].charge.amount
            assert (await keeprate.attempts())[-1] == before[0]
        async with keeprate_at(tmp_path / "home", emulator.url, day=date(2026, 6, 1)) as keeprate:
            assert (await keeprate.attempts())[-1] == before[0]
            assert (await keeprate.whence(tmp_path / "old.png")).price == told.price
    record("rows of the past changed by a new rate card", 0, "0", met=True)

"""Models that are gone, go while one works, are not there after all, or answer under another name."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from keeprate.domain.errors import ModelRetired
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.library.front import Keeprate
from keeprate.testing.clocks import SetClock
from keeprate.workflows.options import Options
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.homes import keeprate_at, settings_at
from tests.trust_counts import count, record

pytestmark = [pytest.mark.anyio, pytest.mark.trust]

TODAY = date(2026, 11, 21)
# The ids of the two founding texts of April and May 2026; all had left the Gemini API by that day.
FOUNDING = (
    "gemini-3-pro-image-preview",
    "gemini-3.1-flash-image-preview",
    "gemini-2.5-flash-image",
    "imagen-4.0-ultra-generate-001",
    "imagen-4.0-generate-001",
    "imagen-4.0-fast-generate-001",
    "gemini-3.1-flash-image",
)
# An announced end: https://ai.google.dev/gemini-api/docs/changelog, read 2026-11-21.
LAST_DAY = datetime(2026, 10, 1, 23, 50, tzinfo=UTC)
GOING = "gemini-2.5-flash-image"


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[EmulatorProcess]:
    with start_emulator(tmp_path, "--draw", "fast") as process:
        process.day(TODAY.isoformat())
        yield process


def called(emulator: EmulatorProcess) -> set[str]:
    return {row["model"] for row in emulator.bill()["rows"]}


async def names_a_successor(keeprate: Keeprate, model: str) -> bool:
    """Ask for a dead id; return whether its successor was bought by name, or named with its price."""
    try:
        result = await keeprate.generate("a lamp", options=Options(model=model))
    except ModelRetired as refusal:
        return bool(refusal.facts["successor"]) and "$" in (refusal.remedy or "")
    # A preview id whose model goes on under its own name.
    return any(model in notice for notice in result.notices)


async def test_no_dead_id_is_called_and_each_has_a_costed_successor(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    told = 0
    # A call to a dead id would be answered 404, and counted by this rule before.
    for model in FOUNDING:
        emulator.fault("latency", match={"model": model})
    async with keeprate_at(tmp_path / "home", emulator.url, day=TODAY) as keeprate:
        for model in FOUNDING:
            told += await names_a_successor(keeprate, model)
        rows = await keeprate.attempts(limit=100)
    applied = [rule["applied"] for rule in emulator.get("/_emulator/faults").json["rules"]]
    dead = set(FOUNDING)
    assert (sum(applied), told) == (0, len(FOUNDING))
    assert not dead & {str(row.new.route.model) for row in rows}
    assert not dead & called(emulator)
    record(
        "founding ids asked for on 2026-11-21: calls to dead ids, costed successors",
        f"{sum(applied)}, {told} of {len(FOUNDING)}",
        "0, all",
        met=sum(applied) == 0 and told == len(FOUNDING),
    )


async def test_a_model_whose_day_passes_is_refused_from_then_on_and_what_was_bought_stays(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    emulator.day("2026-10-01")
    clock = SetClock(LAST_DAY)
    settings = settings_at(tmp_path / "home", emulator.url)
    wanted = [f"item-{number}" for number in range(12)]
    bought: list[str] = []
    refusals: list[ModelRetired] = []
    async with Keeprate(settings=settings, clock=clock) as keeprate:
        for name in wanted:
            clock.move(timedelta(minutes=2))
            try:
                await keeprate.generate(name, options=Options(model=GOING, intent=name))
                bought.append(name)
            except ModelRetired as refusal:
                refusals.append(refusal)
        before = emulator.bill_summary()["accepted_calls"]
        # What is left goes on with the successor, once somebody says so: never by itself.
        successor = str(refusals[0].facts["successor"])
        emulator.day("2026-10-02")
        rest = [name for name in wanted if name not in bought]
        for name in rest:
            result = await keeprate.generate(name, options=Options(model=successor, intent=name))
            assert result.outcome.kind is OutcomeKind.IMAGE
        rows = await keeprate.attempts(limit=100)
    assert 0 < len(bought) < len(wanted)
    assert len(refusals) == len(rest)
    assert before == len(bought)
    assert {row.state for row in rows} == {AttemptState.IMAGE}
    assert sum(str(row.new.route.model) == GOING for row in rows) == len(bought)


async def test_a_404_nobody_expected_is_named_and_costs_nothing(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    emulator.fault("error", code=404, times=1)
    async with keeprate_at(tmp_path / "home", emulator.url, day=TODAY) as keeprate:
        result = await keeprate.generate("a lamp", options=Options(model="gemini-3-pro-image"))
    assert (result.outcome.kind, result.outcome.raw_reason) == (OutcomeKind.FAILED, "NOT_FOUND")
    assert (result.charge, result.held) == (0, 0)
    assert emulator.bill_summary()["accepted_calls"] == 0


async def test_every_model_that_answers_for_another_is_flagged_and_priced_as_served(
    emulator: EmulatorProcess, tmp_path: Path
) -> None:
    calls = count("served_otherwise", 20, 200)
    emulator.fault("serve_model", model="gemini-3.1-flash-lite-image")
    flagged = right = 0
    async with keeprate_at(tmp_path / "home", emulator.url, day=TODAY) as keeprate:
        for _ in range(calls):
            result = await keeprate.generate("a lamp", options=Options(model="gemini-3-pro-image"))
            (row,) = result.attempts
            bill = emulator.bill()["rows"][-1]
            assert row.charge is not None
            flagged += any("answered instead of gemini-3-pro-image" in notice for notice in result.notices)
            right += row.charge.amount == bill["nano_usd"] and row.charge.served_model == bill["served_model"]
    assert (flagged, right) == (calls, calls)
    record(
        "answers of another model than asked for: flagged, priced as served",
        f"{flagged} and {right} of {calls}",
        "all",
        met=(flagged, right) == (calls, calls) and calls >= 200,
    )

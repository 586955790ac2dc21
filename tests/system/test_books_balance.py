"""The ledger against the emulator's own bill, under every fault at once. The referee is never our ledger."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from keeprate.domain.errors import Throttled
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.library.front import Keeprate
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.homes import keeprate_at
from tests.trust_counts import count, record

AT_ONCE = 16
# Each with its chance: about half of all calls go wrong in some way.
MIXED: tuple[tuple[float, Mapping[str, object]], ...] = (
    (0.04, {"kind": "error", "code": 503}),
    (0.04, {"kind": "error", "code": 429, "cause": "per_minute", "retry_after_s": 1}),
    (0.02, {"kind": "error", "code": 429, "cause": "per_day"}),
    (0.02, {"kind": "error", "code": 400}),
    (0.02, {"kind": "error", "code": 504}),
    (0.02, {"kind": "proxy_error", "code": 502}),
    (0.04, {"kind": "drop_before_accept"}),
    (0.05, {"kind": "drop_after_accept"}),
    (0.03, {"kind": "cut_body"}),
    (0.03, {"kind": "truncated_json"}),
    (0.02, {"kind": "empty_body"}),
    (0.04, {"kind": "finish_reason", "reason": "IMAGE_SAFETY"}),
    (0.02, {"kind": "finish_reason", "reason": "IMAGE_OTHER",
            "message": "Unable to show the image. You will not be charged for this request."}),
    (0.03, {"kind": "block_reason", "reason": "PROHIBITED_CONTENT"}),
    (0.03, {"kind": "text_only"}),
    (0.02, {"kind": "thought_only"}),
    (0.02, {"kind": "no_candidates"}),
    (0.03, {"kind": "no_usage"}),
    (0.03, {"kind": "serve_model", "model": "gemini-3.1-flash-lite-image"}),
    (0.02, {"kind": "many_images"}),
    (0.02, {"kind": "mislabelled"}),
)  # fmt: skip


def put_mixed_faults(emulator: EmulatorProcess) -> None:
    emulator.faults(*({"probability": chance, "fault": fault} for chance, fault in MIXED))


async def buy_all(keeprate: Keeprate, names: list[str]) -> list[Result]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> Result:
        async with gate:
            while True:
                try:
                    return await keeprate.generate(f"a lamp, {name}", options=Options(intent=name))
                except Throttled:
                    continue  # nothing was bought: whoever is told to come later comes later

    return list(await asyncio.gather(*(one(name) for name in names)))


def billed_rows(emulator: EmulatorProcess) -> dict[str, Mapping[str, Any]]:
    """Return the emulator's rows by the attempt they were for; none may be billed twice."""
    rows = emulator.bill()["rows"]
    by_attempt = {row["client_request_id"]: row for row in rows}
    assert len(by_attempt) == len(rows), "an attempt was accepted twice"
    return by_attempt


@pytest.mark.anyio
@pytest.mark.trust
async def test_after_a_thousand_mixed_calls_charges_and_holds_cover_the_bill(tmp_path: Path) -> None:
    calls = count("faulty_calls", 150, 1000)
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        put_mixed_faults(emulator)
        async with keeprate_at(tmp_path / "home", emulator.url) as keeprate:
            await buy_all(keeprate, [f"job-{number}" for number in range(calls)])
            rows = await keeprate.attempts(limit=10 * calls)
            bill = billed_rows(emulator)
            total = emulator.bill_summary()["total_nano_usd"]
            charged = sum(row.charge.amount for row in rows if row.charge is not None)
            held = sum(row.held for row in rows)
            assert set(bill) <= {row.id for row in rows}
            assert charged + held >= total

            unknown = {row.id for row in rows if row.state is AttemptState.UNKNOWN}
            listed = {row.id for row in await keeprate.attempts(unknown_only=True, limit=10 * calls)}
            assert listed == unknown
            assert all(row.held == row.new.hold for row in rows if row.id in unknown)
            unsure = {row.id for row in rows if row.charge is not None and not row.charge.certain}
            for attempt_id in unknown | unsure:
                said = bill.get(attempt_id)
                await keeprate.accounts.reconcile(
                    attempt_id, billed=None if said is None else NanoUSD(said["nano_usd"])
                )
            settled = await keeprate.attempts(limit=10 * calls)
    assert sum(row.held for row in settled) == 0
    assert sum(row.charge.amount for row in settled if row.charge is not None) == total
    kinds = Counter(row.outcome.kind for row in rows if row.outcome is not None)
    assert set(kinds) == set(OutcomeKind)
    record(
        "mixed faulty calls: charges + held − bill, then after reconcile",
        f"{calls} jobs, {len(rows)} attempts: +{charged + held - total} n$, then 0; unknown {len(unknown)}",
        "≥ 0, then exactly 0",
        met=True,
    )


@pytest.mark.anyio
@pytest.mark.trust
async def test_a_call_that_was_accepted_and_dropped_is_never_sent_again(tmp_path: Path) -> None:
    calls = count("dropped_calls", 100, 500)
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        emulator.faults({"probability": 0.3, "fault": {"kind": "drop_after_accept"}})
        async with keeprate_at(tmp_path / "home", emulator.url) as keeprate:
            results = await buy_all(keeprate, [f"job-{number}" for number in range(calls)])
            accepted = emulator.bill_summary()["accepted_calls"]
            unknown = [result for result in results if result.outcome.kind is OutcomeKind.UNKNOWN]
            assert accepted == calls
            assert 0.15 * calls < len(unknown) < 0.45 * calls
            total = emulator.bill_summary()["total_nano_usd"]
            assert sum(result.charge + result.held for result in results) >= total

            # Asking for the same thing again buys nothing: it is still unknown.
            again = await buy_all(keeprate, [f"job-{number}" for number in range(calls)])
            assert emulator.bill_summary()["accepted_calls"] == calls
            assert [one.outcome.kind for one in again] == [one.outcome.kind for one in results]

            emulator.clear_faults()
            first = unknown[0].attempts[-1]
            retried = await keeprate.retry_unknown(first.id)
            assert emulator.bill_summary()["accepted_calls"] == calls + 1
            assert retried.attempts[-1].follows == first.id
            assert retried.outcome.kind is OutcomeKind.IMAGE
            assert (await keeprate.attempt(first.id)).held == first.new.hold
    record(
        "accepted then dropped: calls the referee counted",
        f"{accepted} of {calls} asked for, {len(unknown)} unknown",
        "equal: 0 sent again by itself",
        met=accepted == calls,
    )


@pytest.mark.anyio
async def test_what_was_never_sent_is_tried_again_and_recovered(tmp_path: Path) -> None:
    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        emulator.fault("error", times=3, code=503)
        async with keeprate_at(tmp_path / "home", emulator.url) as keeprate:
            result = await keeprate.generate("a lamp")
        assert result.outcome.kind is OutcomeKind.IMAGE
        assert [row.state for row in result.attempts] == [AttemptState.FAILED] * 3 + [AttemptState.IMAGE]
        assert emulator.bill_summary()["accepted_calls"] == 1
        assert result.charge == emulator.bill_summary()["total_nano_usd"]

"""A cap is a cap, and never refuses what fits, on every store."""

import asyncio
import random
from datetime import timedelta

import pytest

from keeprate.domain.budgets import Window
from keeprate.domain.errors import BudgetExceeded, NotFound, SpendingStopped
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.scopes import Scope
from keeprate.ledger.ledger import SqlLedger
from tests.contract.ledger.conftest import House
from tests.ledger_ground import (
    CENT,
    NOON,
    SCOPE,
    budget,
    failed,
    later,
    new_attempt,
    settlement,
    unknown,
)

pytestmark = pytest.mark.anyio


async def standing(ledger: SqlLedger, at=NOON, scope: Scope = SCOPE, simulated: bool = False):
    (found,) = await ledger.standings(scope, simulated=simulated, at=at)
    return found.spent, found.held


async def buy(ledger: SqlLedger, intent: str, charge: int, **changes: object) -> None:
    new = new_attempt(intent, owner=ledger.owner, **changes)
    await ledger.intend(new)
    await ledger.sent(new.id, new.created_at)
    await ledger.settle(new.id, settlement(charge))


async def test_a_cap_is_met_to_the_nano_dollar(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(25 * CENT), NOON)
    await ledger.intend(new_attempt("a", owner=ledger.owner, hold=15 * CENT))
    with pytest.raises(BudgetExceeded) as refusal:
        await ledger.intend(new_attempt("b", owner=ledger.owner, hold=10 * CENT + 1))
    assert refusal.value.facts == {
        "budget": "studio-day",
        "limit_usd": "0.25",
        "remaining_usd": "0.1",
        "wanted_usd": "0.100000001",
        "resets_at": "2026-11-22T00:00:00+00:00",
    }
    await ledger.intend(new_attempt("c", owner=ledger.owner, hold=10 * CENT))
    assert await standing(ledger) == (0, 25 * CENT)
    with pytest.raises(NotFound):
        await ledger.attempt(SCOPE, new_attempt("b").id)


async def test_what_is_released_may_be_held_again(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(10 * CENT), NOON)
    await buy(ledger, "a", 4 * CENT)
    await ledger.intend(new_attempt("b", owner=ledger.owner, hold=6 * CENT))
    await ledger.free(new_attempt("b").id, failed(), NOON)
    await ledger.intend(new_attempt("c", owner=ledger.owner, hold=6 * CENT))
    assert await standing(ledger) == (4 * CENT, 6 * CENT)


async def test_a_key_has_its_own_cap_within_the_workspace(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(30 * CENT), NOON)
    await ledger.set_budget(SCOPE, budget(10 * CENT, key="key_1", id="k1"), NOON)
    await ledger.intend(new_attempt("a", owner=ledger.owner, api_key="key_1"))
    with pytest.raises(BudgetExceeded) as refusal:
        await ledger.intend(new_attempt("b", owner=ledger.owner, api_key="key_1", hold=1))
    assert refusal.value.facts["budget"] == "k1"
    await ledger.intend(new_attempt("c", owner=ledger.owner, api_key="key_2", hold=20 * CENT))
    with pytest.raises(BudgetExceeded) as refusal:
        await ledger.intend(new_attempt("d", owner=ledger.owner, hold=1))
    assert refusal.value.facts["budget"] == "studio-day"
    found = await ledger.standings(Scope(workspace="studio", key="key_1"), simulated=False, at=NOON)
    assert [(one.budget.id, one.held) for one in found] == [("studio-day", 30 * CENT), ("k1", 10 * CENT)]


async def test_simulated_money_meets_no_real_cap(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(10 * CENT), NOON)
    await ledger.set_budget(SCOPE, budget(20 * CENT, simulated=True, id="sim"), NOON)
    await ledger.intend(new_attempt("a", owner=ledger.owner, simulated=True, hold=20 * CENT))
    await ledger.intend(new_attempt("b", owner=ledger.owner))
    assert await standing(ledger) == (0, 10 * CENT)
    assert await standing(ledger, simulated=True) == (0, 20 * CENT)
    with pytest.raises(BudgetExceeded):
        await ledger.intend(new_attempt("c", owner=ledger.owner, simulated=True, hold=1))


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (Window.HOUR, timedelta(minutes=59), timedelta(minutes=60)),
        (Window.DAY, timedelta(hours=11), timedelta(hours=12)),
        (Window.MONTH, timedelta(days=9), timedelta(days=10)),
    ],
)
async def test_a_window_opens_again_at_its_end(
    ledger: SqlLedger, window: Window, inside: timedelta, outside: timedelta
) -> None:
    await ledger.set_budget(SCOPE, budget(10 * CENT, window), NOON)
    await buy(ledger, "a", 10 * CENT)
    with pytest.raises(BudgetExceeded):
        await ledger.intend(new_attempt("b", owner=ledger.owner, hold=1, created_at=NOON + inside))
    await ledger.intend(new_attempt("c", owner=ledger.owner, created_at=NOON + outside))
    assert await standing(ledger, NOON + outside) == (0, 10 * CENT)


async def test_a_charge_belongs_to_the_window_of_its_hold(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(10 * CENT), NOON)
    await ledger.intend(new_attempt("a", owner=ledger.owner))
    await ledger.sent(new_attempt("a").id, NOON)
    await ledger.intend(new_attempt("b", owner=ledger.owner, hold=3 * CENT, created_at=later(days=1)))
    await ledger.settle(new_attempt("a").id, settlement(9 * CENT))
    assert await standing(ledger, later(days=1)) == (0, 3 * CENT)
    assert await ledger.audit(SCOPE) == []


async def test_a_clock_that_runs_backwards_opens_no_old_window(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(10 * CENT), NOON)
    await buy(ledger, "a", 10 * CENT, created_at=later(days=1))
    with pytest.raises(BudgetExceeded):
        await ledger.intend(new_attempt("b", owner=ledger.owner, hold=1, created_at=NOON))
    assert await standing(ledger, NOON) == (10 * CENT, 0)


async def test_a_cap_set_at_noon_counts_the_morning(ledger: SqlLedger) -> None:
    await buy(ledger, "a", 4 * CENT)
    await ledger.set_budget(SCOPE, budget(10 * CENT), NOON)
    assert await standing(ledger) == (4 * CENT, 0)
    with pytest.raises(BudgetExceeded):
        await ledger.intend(new_attempt("b", owner=ledger.owner, hold=7 * CENT))
    await ledger.set_budget(SCOPE, budget(11 * CENT), NOON)
    await ledger.intend(new_attempt("b", owner=ledger.owner, hold=7 * CENT))
    assert await standing(ledger) == (4 * CENT, 7 * CENT)
    assert await ledger.audit(SCOPE) == []


async def test_a_cap_can_be_lowered_changed_and_dropped(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(50 * CENT), NOON)
    await buy(ledger, "a", 8 * CENT)
    await ledger.set_budget(SCOPE, budget(5 * CENT, Window.TOTAL, id="studio-day"), NOON)
    (found,) = await ledger.standings(SCOPE, simulated=False, at=NOON)
    assert (found.spent, found.remaining, found.resets_at) == (8 * CENT, 0, None)
    assert await ledger.audit(SCOPE) == []
    await ledger.remove_budget(SCOPE, "studio-day")
    assert await ledger.budgets(SCOPE) == []
    with pytest.raises(NotFound):
        await ledger.remove_budget(SCOPE, "studio-day")
    await ledger.intend(new_attempt("b", owner=ledger.owner, hold=10**9 * CENT))


async def test_an_overrun_is_booked_whole_and_stops_new_holds_until_resumed(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(11 * CENT), NOON)
    new = new_attempt("a", owner=ledger.owner)
    await ledger.intend(new)
    await ledger.sent(new.id, NOON)
    row = await ledger.settle(new.id, settlement(12 * CENT))
    assert (row.overrun, row.held) == (2 * CENT, 0)
    assert await standing(ledger) == (12 * CENT, 0)
    await ledger.set_budget(SCOPE, budget(99 * CENT), NOON)
    with pytest.raises(SpendingStopped, match=r"0\.02 more") as refusal:
        await ledger.intend(new_attempt("b", owner=ledger.owner))
    assert "keeprate budget resume" in str(refusal.value.remedy)
    await ledger.intend(new_attempt("s", owner=ledger.owner, simulated=True))
    brake = await ledger.brake(SCOPE, simulated=False)
    assert brake is not None
    assert brake.attempt_id == row.id
    assert await ledger.resume_spending(SCOPE, by="ana", at=NOON) == 1
    assert await ledger.brake(SCOPE, simulated=False) is None
    await ledger.intend(new_attempt("b", owner=ledger.owner))
    assert await ledger.audit(SCOPE) == []


async def test_the_kill_switch_stops_holds_of_its_workspace_only(ledger: SqlLedger) -> None:
    for _ in range(2):
        await ledger.stop_spending(SCOPE, simulated=False, reason="stolen key", at=NOON)
    with pytest.raises(SpendingStopped, match="stolen key"):
        await ledger.intend(new_attempt("a", owner=ledger.owner))
    await ledger.intend(new_attempt("a", owner=ledger.owner, workspace="other"))
    assert await ledger.resume_spending(SCOPE, by="ana", at=NOON) == 1


async def test_two_owners_together_never_pass_a_cap_nor_leave_room_unused(house: House) -> None:
    draw = random.Random(4)
    ledgers = [house.open(), house.open()]
    await ledgers[0].set_budget(SCOPE, budget(100 * CENT), NOON)
    holds = [draw.randrange(2, 25) * CENT for _ in range(200)]

    async def one(number: int, hold: int) -> int:
        ledger = ledgers[number % 2]
        new = new_attempt(f"i{number}", owner=ledger.owner, hold=hold)
        try:
            await ledger.intend(new)
        except BudgetExceeded:
            return 0
        await asyncio.sleep(draw.random() / 100)
        await ledger.sent(new.id, NOON)
        charge = draw.randrange(hold + 1)
        await ledger.settle(new.id, settlement(charge))
        return charge

    charges = await asyncio.gather(*(one(*each) for each in enumerate(holds)))
    spent, held = await standing(ledgers[0])
    assert (spent, held) == (sum(charges), 0)
    assert spent <= 100 * CENT
    left = 100 * CENT - spent
    await ledgers[1].intend(new_attempt("rest", owner=ledgers[1].owner, hold=left))
    assert await ledgers[0].audit(SCOPE) == []


async def test_held_money_returns_to_nothing(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, budget(1000 * CENT), NOON)
    for number, end in enumerate(("settle", "free", "unknown")):
        new = new_attempt(end, owner=ledger.owner, created_at=later(seconds=number))
        await ledger.intend(new)
        if end == "free":
            await ledger.free(new.id, failed(), NOON)
            continue
        await ledger.sent(new.id, NOON)
        if end == "settle":
            await ledger.settle(new.id, settlement(CENT))
        else:
            await ledger.mark_unknown(new.id, unknown(), NOON)
            row = await ledger.reconcile(SCOPE, new.id, billed=None, by="ana", at=NOON)
            assert row.state is AttemptState.FAILED
    assert await standing(ledger) == (CENT, 0)

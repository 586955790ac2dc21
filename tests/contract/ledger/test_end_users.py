"""End users of a key have caps of their own and count for the key, on every store."""

import asyncio

import pytest

from keeprate.domain.budgets import Budget, Window
from keeprate.domain.errors import BudgetExceeded
from keeprate.domain.money import NanoUSD
from keeprate.domain.scopes import Role, Scope
from keeprate.ledger.ledger import SqlLedger
from tests.ledger_ground import CENT, NOON, SCOPE, later, new_attempt, settlement

pytestmark = pytest.mark.anyio


def cap(key: str | None, limit: int) -> Budget:
    return Budget(
        id=f"cap-{key}", workspace="studio", key=key, window=Window.DAY, limit=NanoUSD(limit), simulated=False
    )


async def hold(ledger: SqlLedger, intent: str, key: str | None, cents: int) -> bool:
    try:
        await ledger.intend(new_attempt(intent, owner=ledger.owner, hold=cents * CENT, api_key=key))
    except BudgetExceeded:
        return False
    return True


async def test_a_user_meets_its_own_cap_and_that_of_its_key(ledger: SqlLedger) -> None:
    for one in (cap("app", 30 * CENT), cap("app/al", 10 * CENT), cap("app/alice", 20 * CENT)):
        await ledger.set_budget(SCOPE, one, NOON)
    held = [
        await hold(ledger, "1", "app/al", 10),
        await hold(ledger, "2", "app/al", 1),  # its own is full
        await hold(ledger, "3", "app/alice", 15),  # whose name merely begins alike
        await hold(ledger, "4", "app/bob", 6),  # the key's is full
        await hold(ledger, "5", "app", 5),
        await hold(ledger, "6", "application", 50),  # another key
    ]
    assert held == [True, False, True, False, True, True]
    assert await ledger.audit(SCOPE) == []


async def test_a_cap_set_late_counts_what_users_spent_before(ledger: SqlLedger) -> None:
    new = new_attempt("1", owner=ledger.owner, api_key="app/a%b_c")
    await ledger.intend(new)
    await ledger.sent(new.id, NOON)
    await ledger.settle(new.id, settlement(7 * CENT))
    for one in (cap("app", 10 * CENT), cap("app/a%b_c", 10 * CENT), cap("app/aXbXc", 10 * CENT)):
        await ledger.set_budget(SCOPE, one, later(minutes=1))
    spent = {
        one.budget.key: one.spent
        for one in await ledger.all_standings(SCOPE, simulated=False, at=later(minutes=2))
    }
    assert spent == {"app": 7 * CENT, "app/a%b_c": 7 * CENT, "app/aXbXc": 0}


async def test_two_hundred_users_share_a_key_without_passing_its_cap(ledger: SqlLedger) -> None:
    await ledger.set_budget(SCOPE, cap("app", 100 * CENT), NOON)
    users = [f"app/user-{number}" for number in range(200)]
    for user in users:
        await ledger.add_budgets(SCOPE, [cap(user, CENT)], NOON)
        await ledger.add_budgets(SCOPE, [cap(user, 9 * CENT)], NOON)  # is there already, and stays
    held = await asyncio.gather(
        *(hold(ledger, f"{user}-{turn}", user, 1) for user in users for turn in range(2))
    )
    assert sum(held) == 100
    assert await ledger.audit(SCOPE) == []


async def test_a_key_sees_what_its_users_bought_and_they_see_their_own(ledger: SqlLedger) -> None:
    for key in ("app", "app/alice", "app/bob", "other", None):
        await hold(ledger, str(key), key, 1)

    async def seen(key: str | None, *roles: Role) -> set[str]:
        scope = Scope(workspace="studio", key=key, roles=frozenset(roles))
        return {
            row.new.key.intent
            for row in await ledger.attempts(scope, unknown_only=False, limit=9, intent=None)
        }

    assert await seen("app", Role.BUYER) == {"app", "app/alice", "app/bob"}
    assert await seen("app/alice", Role.BUYER) == {"app/alice"}
    assert len(await seen("app", Role.READER)) == 5

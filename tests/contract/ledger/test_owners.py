"""Only a dead owner's rows are taken over, and only once, on every store."""

import asyncio

import pytest

from keeprate.domain.errors import Conflict
from keeprate.domain.outcomes import AttemptState
from tests.contract.ledger.conftest import House
from tests.ledger_ground import NOON, SCOPE, failed, new_attempt, settlement, unknown

pytestmark = pytest.mark.anyio


async def test_a_living_owners_rows_are_no_orphans(house: House) -> None:
    one, other = house.open(), house.open()
    row = await one.intend(new_attempt("a", owner=one.owner))
    assert await other.orphans() == []
    assert await one.orphans() == []
    for refused in (lambda: other.adopt(row), lambda: other.sent(row.id, NOON)):
        with pytest.raises(Conflict):
            await refused()
    with pytest.raises(Conflict):
        await other.free(row.id, failed(), NOON)


async def test_a_dead_owners_open_rows_are_orphans(house: House) -> None:
    one, other = house.open(), house.open()
    for intent in ("intent", "sent", "unknown", "settled"):
        await one.intend(new_attempt(intent, owner=one.owner))
    for intent in ("sent", "unknown", "settled"):
        await one.sent(new_attempt(intent).id, NOON)
    await one.mark_unknown(new_attempt("unknown").id, unknown(), NOON)
    await one.settle(new_attempt("settled").id, settlement(1))
    one.close()
    found = await other.orphans()
    assert {row.new.key.intent for row in found} == {"intent", "sent"}
    for row in found:
        mine = await other.adopt(row)
        assert (mine.new.owner, mine.state) == (other.owner, row.state)
    freed = await other.free(new_attempt("intent").id, failed(), NOON)
    left = await other.mark_unknown(new_attempt("sent").id, unknown(), NOON)
    assert (freed.state, left.state) == (AttemptState.FREED, AttemptState.UNKNOWN)
    assert await other.orphans() == []


async def test_of_many_who_would_adopt_one_succeeds(house: House) -> None:
    dead = house.open()
    row = await dead.intend(new_attempt("a", owner=dead.owner))
    dead.close()
    heirs = [house.open() for _ in range(4)]
    results = await asyncio.gather(*(heir.adopt(row) for heir in heirs), return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 3
    (heir,) = {one.owner for one in heirs} & {(await heirs[0].attempt(SCOPE, row.id)).new.owner}
    assert heir != dead.owner

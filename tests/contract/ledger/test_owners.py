"""Only a dead owner's rows are taken over, and only once, on every store."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import update

from keeprate.database.schema import owners
from keeprate.domain.errors import Conflict
from keeprate.domain.outcomes import AttemptState
from keeprate.ledger.owners import DEAD_AFTER_US, BeatingOwner
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


async def test_a_process_that_fell_silent_is_dead_and_finds_its_moves_refused(
    postgres_url: str, tmp_path: Path
) -> None:
    house = House(postgres_url, tmp_path)
    asleep, other = house.open(), house.open()
    row = await asleep.intend(new_attempt("a", owner=asleep.owner))
    with house.database.write() as connection:
        silent = update(owners).where(owners.c.id == asleep.owner)
        connection.execute(silent.values(beat_us=owners.c.beat_us - DEAD_AFTER_US - 1))
    assert [one.id for one in await other.orphans()] == [row.id]
    await other.adopt(row)
    with pytest.raises(Conflict):
        await asleep.sent(row.id, NOON)
    assert (await other.free(row.id, failed(), NOON)).state is AttemptState.FREED
    house.close()


async def test_a_heartbeat_brings_a_slow_process_back_to_life(postgres_url: str, tmp_path: Path) -> None:
    house = House(postgres_url, tmp_path)
    ledger, owner = house.open(), BeatingOwner(house.database)
    await ledger.intend(new_attempt("a", owner=owner.id))
    with house.database.write() as connection:
        connection.execute(update(owners).values(beat_us=0))
    assert len(await ledger.orphans()) == 1
    owner.beat()
    assert await ledger.orphans() == []
    owner.close()
    assert len(await ledger.orphans()) == 1
    house.close()

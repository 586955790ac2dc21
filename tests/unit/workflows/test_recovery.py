"""What a start makes of a dead process's rows, replies and drafts. It never sends anything."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from keeprate.domain.attempts import NewAttempt
from keeprate.domain.errors import UnknownModel
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import AttemptState, Outcome, OutcomeKind
from keeprate.safety.failpoints import arm
from keeprate.testing.answers import lost, pictures, png, without_picture
from keeprate.testing.builders import attempt
from keeprate.workflows.ports import Answer, Reply
from keeprate.workflows.recover import Recovery
from tests.unit.workflows.house import ON_PRO, PRO, SCOPE, House, open_house

pytestmark = pytest.mark.anyio

GARBAGE = b"<html>"


async def left(house: House, name: str, *, sent: bool = True) -> NewAttempt:
    """Write the row of a call that its process did not live to end."""
    route = replace(attempt(name).route, upstream="scripted")
    new = replace(attempt(name, owner=house.ledger.owner), route=route, created_at=house.clock.now())
    await house.ledger.intend(new)
    if sent:
        await house.ledger.sent(new.id, house.clock.now())
    return new


def spooled(house: House, new: NewAttempt, answer: Answer | bytes) -> Reply:
    into = house.till.spool.begin(new.id)
    into.write(answer if isinstance(answer, bytes) else msgspec.json.encode(answer))
    return into.complete(content_type="application/json", served_tier=None, request_id=None)


def cut_off(house: House, new: NewAttempt, body: bytes) -> None:
    into = house.till.spool.begin(new.id)
    into.write(body)
    into.abandon()


async def test_each_row_of_a_dead_process_is_closed_by_what_is_on_disk(tmp_path: Path) -> None:
    async with open_house(tmp_path) as dead:
        intent = await left(dead, "a", sent=False)
        whole, silent, garbled = [await left(dead, name) for name in "bcd"]
        half = await left(dead, "e")
        spooled(dead, whole, pictures(png()))
        spooled(dead, garbled, GARBAGE)
        cut_off(dead, half, b'{"outcome": {"kind"')
    async with open_house(tmp_path) as house:
        found = await house.recover()
        assert (found.freed, found.settled) == ((intent.id,), (whole.id,))
        assert set(found.unknown) == {silent.id, garbled.id, half.id}
        rows = {row.id: row for row in await house.rows()}
        assert rows[intent.id].state is AttemptState.FREED
        assert rows[whole.id].state is AttemptState.IMAGE
        assert await house.till.assets.read("default", rows[whole.id].image_sha256s[0]) == png()
        for one in (silent, garbled, half):
            assert (rows[one.id].state, rows[one.id].held) == (AttemptState.UNKNOWN, one.hold)
            assert rows[one.id].outcome is not None
            assert rows[one.id].outcome.raw_reason
        assert set(house.till.spool.waiting()) == {garbled.id, half.id}
        assert await house.recover() == Recovery()
        assert house.sends == 0
        await house.audit()


async def test_a_living_process_keeps_its_rows(tmp_path: Path) -> None:
    async with open_house(tmp_path) as living, open_house(tmp_path) as house:
        await left(living, "a", sent=False)
        await left(living, "b")
        assert await house.recover() == Recovery()


async def test_a_reply_whose_row_was_settled_is_cleared_away(tmp_path: Path) -> None:
    async with open_house(tmp_path) as dead:
        arm("spool.discard.before:eio")
        try:
            assert (await dead.buy(options=replace(ON_PRO, intent="i"))).images
        finally:
            arm("")
    async with open_house(tmp_path) as house:
        (row,) = await house.rows()
        assert row.state is AttemptState.IMAGE
        assert house.till.spool.waiting() == (row.id,)
        assert await house.recover() == Recovery()
        assert house.till.spool.waiting() == ()
        assert (await house.buy(options=replace(ON_PRO, intent="i"))).image().path.exists()
        assert house.sends == 0


async def test_an_unknown_whose_answer_is_whole_after_all_is_settled_late(tmp_path: Path) -> None:
    async with open_house(tmp_path) as dead:
        described, bare, broken = [await left(dead, name) for name in "abc"]
        for new in (described, bare, broken):
            unsure = Outcome(kind=OutcomeKind.UNKNOWN, raw_reason="spool_failed")
            await dead.ledger.mark_unknown(new.id, unsure, dead.clock.now())
        spooled(dead, described, pictures(png(shade=1)))
        body = msgspec.json.encode(pictures(png(shade=2)))
        cut_off(dead, bare, body)
        cut_off(dead, broken, body[:-9])
    async with open_house(tmp_path) as house:
        found = await house.recover()
        assert set(found.settled) == {described.id, bare.id}
        rows = {row.id: row for row in await house.rows()}
        assert rows[described.id].state is rows[bare.id].state is AttemptState.IMAGE
        assert rows[broken.id].state is AttemptState.UNKNOWN
        assert house.till.spool.waiting() == (broken.id,)
        await house.audit()


async def test_an_upstream_that_is_gone_leaves_its_answer_for_the_day_it_is_back(tmp_path: Path) -> None:
    async with open_house(tmp_path) as dead:
        new = await left(dead, "a")
        spooled(dead, new, pictures(png()))
    async with open_house(tmp_path, names=("another",)) as house:
        assert (await house.recover()).unknown == (new.id,)
        (row,) = await house.rows()
        assert row.outcome is not None
        assert "no longer configured" in str(row.outcome.message)
        assert house.till.spool.waiting() == (new.id,)
    async with open_house(tmp_path) as house:
        assert (await house.recover()).settled == (new.id,)
        assert (await house.rows())[0].state is AttemptState.IMAGE


async def test_what_a_person_reconciled_stays_as_they_said(tmp_path: Path) -> None:
    async with open_house(tmp_path) as dead:
        dead.plays(lost())
        row = (await dead.buy()).attempts[0]
        cut_off(dead, row.new, b"{")
        await dead.ledger.reconcile(SCOPE, row.id, billed=NanoUSD(5), by="ana", at=dead.clock.now())
    async with open_house(tmp_path) as house:
        assert await house.recover() == Recovery()
        (row,) = await house.rows()
        assert row.charge is not None
        assert row.charge.amount == 5


async def test_an_answer_without_an_image_is_recovered_as_what_it_is(tmp_path: Path) -> None:
    async with open_house(tmp_path) as dead:
        new = await left(dead, "a")
        spooled(dead, new, without_picture(OutcomeKind.BLOCKED, "SAFETY"))
    async with open_house(tmp_path) as house:
        assert (await house.recover()).settled == (new.id,)
        assert (await house.rows())[0].state is AttemptState.BLOCKED


async def test_drafts_of_dead_writers_are_swept_after_an_hour(tmp_path: Path) -> None:
    async with open_house(tmp_path, at=datetime.now(UTC)) as house:
        image = (await house.buy()).image()
        for folder in (image.path.parent, tmp_path / "spool"):
            for name, age_s in ((".tmp-old", 7200), (".tmp-new", 60)):
                draft = folder / name
                draft.write_bytes(b"half")
                os.utime(draft, (time.time() - age_s,) * 2)
        await house.recover()
        for folder in (image.path.parent, tmp_path / "spool"):
            assert [path.name for path in folder.glob(".tmp-*")] == [".tmp-new"]
        assert image.path.exists()


async def test_a_model_that_left_the_book_does_not_keep_the_home_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(tmp_path) as dead:
        new = await left(dead, "a")
        spooled(dead, new, pictures(png()))
    async with open_house(tmp_path) as house:

        def no_such_model(reply: Reply, route: object) -> Answer:
            raise UnknownModel(f"there is no model {PRO}")

        monkeypatch.setattr(house.provider.__class__, "understand", lambda self, r, c: no_such_model(r, c))
        assert (await house.recover()).unknown == (new.id,)
        assert house.till.spool.waiting() == (new.id,)

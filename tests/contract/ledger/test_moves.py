"""What each move of an attempt does to its row, on every store."""

import asyncio
from dataclasses import replace

import pytest

from keeprate.domain.charges import ChargeBasis
from keeprate.domain.errors import Conflict, NotFound, StorageError
from keeprate.domain.outcomes import AttemptState, Outcome, OutcomeKind
from keeprate.domain.scopes import Role, Scope
from keeprate.ledger.ledger import SqlLedger
from keeprate.safety.failpoints import arm
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

IMAGE = "ab" * 32


async def bought(ledger: SqlLedger, intent: str, charge: int = 7 * CENT, *images: str, **changes: object):
    new = new_attempt(intent, owner=ledger.owner, **changes)
    await ledger.intend(new)
    await ledger.sent(new.id, later(seconds=1))
    return await ledger.settle(new.id, settlement(charge, OutcomeKind.IMAGE, *images))


async def test_an_attempt_reads_back_as_it_was_written(ledger: SqlLedger) -> None:
    settled = await bought(ledger, "a", 7 * CENT, IMAGE, prompt='Ünï "quoted"\n👍', follows="f" * 64)
    assert await ledger.attempt(SCOPE, settled.id) == settled
    assert settled.state is AttemptState.IMAGE
    assert (settled.held, settled.overrun) == (0, 0)
    assert settled.charge == settlement(7 * CENT).charge
    assert settled.sent_at == later(seconds=1)
    assert settled.image_sha256s == (IMAGE,)
    assert await ledger.attempts_of_image(SCOPE, IMAGE) == [settled]
    assert await ledger.audit(SCOPE) == []


async def test_an_equal_key_finds_the_row_it_made_and_holds_nothing_twice(ledger: SqlLedger) -> None:
    settled = await bought(ledger, "a")
    again = await ledger.intend(new_attempt("a", owner="somebody else", hold=99 * CENT))
    assert again == settled
    assert len(await ledger.attempts(SCOPE, unknown_only=False, limit=10, intent=None)) == 1


async def test_a_hundred_at_once_with_one_key_make_one_row(ledger: SqlLedger) -> None:
    new = new_attempt("a", owner=ledger.owner)
    rows = await asyncio.gather(*(ledger.intend(new) for _ in range(100)))
    assert set(rows) == {rows[0]}
    with pytest.raises(Conflict):
        await asyncio.gather(*(ledger.sent(new.id, NOON) for _ in range(2)))


async def test_what_was_never_sent_is_freed_and_what_was_refused_free_has_failed(ledger: SqlLedger) -> None:
    for intent in ("a", "b"):
        await ledger.intend(new_attempt(intent, owner=ledger.owner))
    sent = new_attempt("b").id
    await ledger.sent(sent, NOON)
    freed = await ledger.free(new_attempt("a").id, failed("NO_SPACE"), NOON)
    refused = await ledger.free(sent, failed("RESOURCE_EXHAUSTED"), NOON)
    assert (freed.state, refused.state) == (AttemptState.FREED, AttemptState.FAILED)
    for row in (freed, refused):
        assert row.charge is not None
        assert (row.held, row.charge.amount, row.charge.basis) == (0, 0, ChargeBasis.NOT_SENT)


async def test_an_unknown_keeps_its_hold_until_a_person_says_what_the_bill_says(ledger: SqlLedger) -> None:
    for intent in ("a", "b"):
        await ledger.intend(new_attempt(intent, owner=ledger.owner))
        await ledger.sent(new_attempt(intent).id, NOON)
        row = await ledger.mark_unknown(new_attempt(intent).id, unknown(), NOON)
        assert (row.state, row.held, row.settled_at) == (AttemptState.UNKNOWN, 10 * CENT, None)
    listed = await ledger.attempts(SCOPE, unknown_only=True, limit=10, intent=None)
    assert len(listed) == 2
    billed = await ledger.reconcile(SCOPE, listed[0].id, billed=4 * CENT, by="ana", at=NOON)
    not_billed = await ledger.reconcile(SCOPE, listed[1].id, billed=None, by="ana", at=NOON)
    assert billed.charge is not None
    assert not_billed.charge is not None
    assert (billed.charge.amount, not_billed.charge.amount) == (4 * CENT, 0)
    assert {billed.charge.basis, not_billed.charge.basis} == {ChargeBasis.RECONCILED}
    assert (billed.held, not_billed.held, billed.reconciled_by) == (0, 0, "ana")
    assert await ledger.attempts(SCOPE, unknown_only=True, limit=10, intent=None) == []
    assert await ledger.audit(SCOPE) == []


async def test_a_guessed_charge_is_set_right_by_the_bill(ledger: SqlLedger) -> None:
    rows = []
    for intent in ("dearer", "cheaper"):
        new = new_attempt(intent, owner=ledger.owner)
        await ledger.intend(new)
        await ledger.sent(new.id, NOON)
        guess = settlement(10 * CENT, OutcomeKind.IMAGE, IMAGE)
        unsure = replace(guess, charge=replace(guess.charge, basis=ChargeBasis.ESTIMATED, certain=False))
        rows.append(await ledger.settle(new.id, unsure))
    await ledger.set_budget(SCOPE, budget(100 * CENT), NOON)
    dearer = await ledger.reconcile(SCOPE, rows[0].id, billed=12 * CENT, by="ana", at=later(days=3))
    cheaper = await ledger.reconcile(SCOPE, rows[1].id, billed=None, by="ana", at=later(days=3))
    for row, before, amount in ((dearer, rows[0], 12 * CENT), (cheaper, rows[1], 0)):
        assert row.charge is not None
        assert (row.charge.amount, row.charge.basis) == (amount, ChargeBasis.RECONCILED)
        assert row.charge.certain
        assert (row.state, row.outcome, row.settled_at) == (before.state, before.outcome, before.settled_at)
        assert (row.image_sha256s, row.reconciled_by) == ((IMAGE,), "ana")
        assert await ledger.attempt(SCOPE, row.id) == row
    # The money belongs to the window it was held in, not to the day of the correction.
    (standing,) = await ledger.standings(SCOPE, simulated=False, at=NOON)
    assert (standing.spent, standing.held) == (12 * CENT, 0)
    assert dearer.overrun == 2 * CENT
    assert await ledger.brake(SCOPE, simulated=False) is not None
    assert await ledger.audit(SCOPE) == []


async def test_what_a_person_read_wrongly_off_the_bill_is_set_right_as_often_as_it_takes(
    ledger: SqlLedger,
) -> None:
    await ledger.set_budget(SCOPE, budget(100 * CENT), NOON)
    new = new_attempt("a", owner=ledger.owner)
    await ledger.intend(new)
    await ledger.sent(new.id, NOON)
    await ledger.mark_unknown(new.id, unknown(), NOON)
    for by, billed in (
        ("ana", 90 * CENT),
        ("ben", 4 * CENT),
        ("ana", 80 * CENT),
        ("ana", None),
        ("ben", 5 * CENT),
    ):
        row = await ledger.reconcile(SCOPE, new.id, billed=billed, by=by, at=NOON)
        assert row.charge is not None
        assert (row.charge.amount, row.charge.basis) == (billed or 0, ChargeBasis.RECONCILED)
        assert (row.state, row.reconciled_by) == (AttemptState.FAILED, by)
        assert row.overrun == max(0, (billed or 0) - row.new.hold)
        assert await ledger.attempt(SCOPE, new.id) == row
        (standing,) = await ledger.standings(SCOPE, simulated=False, at=NOON)
        assert (standing.spent, standing.held) == (billed or 0, 0)
        # Each time it passes the hold anew the brake is on again, though it was let go of before.
        assert (await ledger.brake(SCOPE, simulated=False) is not None) is (row.overrun > 0)
        await ledger.resume_spending(SCOPE, by="ana", at=NOON)
        assert await ledger.audit(SCOPE) == []


async def test_a_late_answer_settles_an_unknown(ledger: SqlLedger) -> None:
    await ledger.intend(new_attempt("a", owner=ledger.owner))
    await ledger.sent(new_attempt("a").id, NOON)
    await ledger.mark_unknown(new_attempt("a").id, unknown(), NOON)
    assert (await ledger.settle(new_attempt("a").id, settlement(5 * CENT))).state is AttemptState.IMAGE


@pytest.mark.parametrize("kind", [OutcomeKind.TEXT_ONLY, OutcomeKind.BLOCKED, OutcomeKind.EMPTY])
async def test_an_answer_without_an_image_is_charged_and_named(ledger: SqlLedger, kind: OutcomeKind) -> None:
    new = new_attempt("a", owner=ledger.owner)
    await ledger.intend(new)
    await ledger.sent(new.id, NOON)
    told = Outcome(kind=kind, raw_reason="IMAGE_SAFETY", message="no", text="I would rather not")
    row = await ledger.settle(new.id, replace(settlement(5_118_000), outcome=told))
    assert (row.state.value, row.outcome) == (kind.value, told)
    assert row.charge is not None
    assert row.charge.amount == 5_118_000


async def test_every_other_move_is_refused_and_changes_nothing(ledger: SqlLedger) -> None:
    settled = await bought(ledger, "a")
    fresh = await ledger.intend(new_attempt("b", owner=ledger.owner))
    for move in (
        lambda: ledger.sent(settled.id, NOON),
        lambda: ledger.free(settled.id, failed(), NOON),
        lambda: ledger.settle(settled.id, settlement(1)),
        lambda: ledger.mark_unknown(settled.id, unknown(), NOON),
        lambda: ledger.reconcile(SCOPE, settled.id, billed=None, by="ana", at=NOON),
        lambda: ledger.settle(fresh.id, settlement(1)),
        lambda: ledger.mark_unknown(fresh.id, unknown(), NOON),
        lambda: ledger.reconcile(SCOPE, fresh.id, billed=None, by="ana", at=NOON),
        lambda: ledger.free(fresh.id, unknown(), NOON),
    ):
        with pytest.raises(Conflict) as refusal:
            await move()
        assert refusal.value.remedy
    assert await ledger.attempt(SCOPE, settled.id) == settled
    assert await ledger.attempt(SCOPE, fresh.id) == fresh


async def test_another_workspace_sees_nothing_and_reconciles_nothing(ledger: SqlLedger) -> None:
    row = await bought(ledger, "a", 7 * CENT, IMAGE)
    other = Scope(workspace="other")
    with pytest.raises(NotFound):
        await ledger.attempt(other, row.id)
    with pytest.raises(NotFound):
        await ledger.reconcile(other, row.id, billed=None, by="eve", at=NOON)
    assert await ledger.attempts(other, unknown_only=False, limit=10, intent=None) == []
    assert await ledger.attempts_of_image(other, IMAGE) == []


async def test_a_key_that_only_buys_sees_its_own_attempts(ledger: SqlLedger) -> None:
    mine = await bought(ledger, "a", api_key="key_1")
    theirs = await bought(ledger, "b", api_key="key_2")
    buyer = replace(SCOPE, key="key_1", roles=frozenset({Role.BUYER}))
    assert await ledger.attempts(buyer, unknown_only=False, limit=10, intent=None) == [mine]
    with pytest.raises(NotFound):
        await ledger.attempt(buyer, theirs.id)


async def test_attempts_are_listed_newest_first_and_by_intent(ledger: SqlLedger) -> None:
    for minute, intent in enumerate("abc"):
        await ledger.intend(new_attempt(intent, owner=ledger.owner, created_at=later(minutes=minute)))
    listed = await ledger.attempts(SCOPE, unknown_only=False, limit=2, intent=None)
    assert [row.new.key.intent for row in listed] == ["c", "b"]
    assert len(await ledger.attempts(SCOPE, unknown_only=False, limit=9, intent="a")) == 1


async def test_a_cancelled_caller_neither_loses_nor_doubles_its_command(ledger: SqlLedger) -> None:
    news = [new_attempt(f"i{number}", owner=ledger.owner) for number in range(50)]
    asked = [asyncio.ensure_future(ledger.intend(new)) for new in news]
    await asyncio.sleep(0)
    for task in asked[::2]:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    again = [await ledger.intend(new) for new in news]
    assert {row.state for row in again} == {AttemptState.INTENT}
    assert len(await ledger.attempts(SCOPE, unknown_only=False, limit=99, intent=None)) == 50
    assert await ledger.audit(SCOPE) == []


async def test_what_cannot_be_written_spoils_nobody_elses_commit(ledger: SqlLedger) -> None:
    good = [new_attempt(f"i{number}", owner=ledger.owner) for number in range(20)]
    bad = new_attempt("bad", owner=ledger.owner, hold=2**70)
    results = await asyncio.gather(*(ledger.intend(new) for new in [*good, bad]), return_exceptions=True)
    assert isinstance(results[-1], StorageError)
    assert [row.id for row in results[:-1]] == [new.id for new in good]


async def test_a_callers_mistake_is_its_own(ledger: SqlLedger) -> None:
    good = [new_attempt(f"i{number}", owner=ledger.owner) for number in range(5)]
    bad = new_attempt("bad", owner=ledger.owner, created_at=NOON.replace(tzinfo=None))
    results = await asyncio.gather(*(ledger.intend(new) for new in [bad, *good]), return_exceptions=True)
    assert isinstance(results[0], TypeError)
    assert [row.id for row in results[1:]] == [new.id for new in good]
    with pytest.raises(TypeError):
        await ledger.set_budget(SCOPE, budget(CENT), NOON.replace(tzinfo=None))
    await ledger.intend(new_attempt("after", owner=ledger.owner))


async def test_a_caller_whose_loop_has_gone_holds_nobody_up(ledger: SqlLedger) -> None:
    async def leave() -> None:
        task = asyncio.ensure_future(ledger.intend(new_attempt("left", owner=ledger.owner)))
        await asyncio.sleep(0)
        task.cancel()

    await asyncio.to_thread(asyncio.run, leave())
    assert (await ledger.intend(new_attempt("left", owner="x"))).new.owner == ledger.owner


async def test_a_full_disk_is_told_and_writes_nothing(ledger: SqlLedger) -> None:
    news = [new_attempt(f"i{number}", owner=ledger.owner) for number in range(5)]
    arm("ledger.writer.before_commit:enospc:*")
    try:
        results = await asyncio.gather(*(ledger.intend(new) for new in news), return_exceptions=True)
    finally:
        arm("")
    assert {type(result) for result in results} == {StorageError}
    assert await ledger.attempts(SCOPE, unknown_only=False, limit=9, intent=None) == []
    assert len(set(await asyncio.gather(*(ledger.intend(new) for new in news)))) == 5
    assert await ledger.audit(SCOPE) == []


async def test_a_closed_ledger_says_so(ledger: SqlLedger) -> None:
    ledger.close()
    with pytest.raises(StorageError, match="closed"):
        await ledger.intend(new_attempt("a"))


async def test_tries_booked_at_one_moment_are_listed_in_the_order_they_were_made(ledger: SqlLedger) -> None:
    for number in range(6):
        await ledger.intend(new_attempt("a", owner=ledger.owner, attempt_no=number))
    listed = await ledger.attempts(SCOPE, unknown_only=False, limit=10, intent=None)
    assert [row.new.key.attempt_no for row in listed] == [5, 4, 3, 2, 1, 0]

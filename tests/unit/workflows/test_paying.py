"""The paid call: every end has its row, its money and its name, whoever leaves or fails meanwhile."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keeprate.domain.charges import ChargeBasis, Usage
from keeprate.domain.errors import BudgetExceeded, SpendingStopped, StorageError
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.safety.failpoints import arm
from keeprate.testing.answers import USUAL, busy, lost, pictures, png, unreachable, without_picture
from keeprate.workflows.options import Options
from tests.unit.workflows.house import ON_PRO, SCOPE, House, open_house

pytestmark = pytest.mark.anyio

# By hand, from the printed page: $2, $12 and $120 a million tokens on gemini-3-pro-image.
BY_HAND = 10 * 2_000 + 40 * 12_000 + 1120 * 120_000


async def test_a_picture_is_stored_charged_by_its_usage_and_kept(house: House) -> None:
    house.plays(pictures(png()))
    result = await house.buy()
    (row,) = result.attempts
    assert result.outcome.kind is OutcomeKind.IMAGE
    assert (result.charge, result.held, row.state) == (BY_HAND, 0, AttemptState.IMAGE)
    assert result.image().path.read_bytes() == png()
    assert result.files == (result.image().path,)
    assert house.till.spool.waiting() == ()
    assert row.new.hold >= result.charge > row.new.quote_low > 0
    await house.audit()


@pytest.mark.parametrize("kind", [OutcomeKind.TEXT_ONLY, OutcomeKind.BLOCKED, OutcomeKind.EMPTY])
async def test_an_answer_without_a_picture_is_charged_and_named(house: House, kind: OutcomeKind) -> None:
    house.plays(without_picture(kind, "WHY", usage=Usage(prompt_text_tokens=1119, thought_tokens=240)))
    result = await house.buy()
    assert (result.outcome.kind, result.outcome.raw_reason) == (kind, "WHY")
    assert result.charge == 5_118_000
    assert result.images == ()
    assert result.as_json()["attempts"][0]["paid_for_nothing"] is True  # type: ignore[index]


async def test_what_the_upstream_calls_free_is_booked_as_nothing(house: House) -> None:
    house.plays(without_picture(OutcomeKind.BLOCKED, "IMAGE_OTHER", is_free=True))
    (row,) = (await house.buy()).attempts
    assert row.charge is not None
    assert (row.charge.amount, row.charge.basis, row.charge.certain) == (0, ChargeBasis.STATED_FREE, True)


async def test_without_usage_the_whole_hold_is_booked_and_said_to_be_a_guess(house: House) -> None:
    house.plays(pictures(png(), usage=None))
    result = await house.buy()
    (row,) = result.attempts
    assert row.charge is not None
    assert (row.charge.amount, row.charge.certain) == (row.new.hold, False)
    assert any("keeprate reconcile" in notice for notice in result.notices)
    right = await house.ledger.reconcile(SCOPE, row.id, billed=result.charge, by="ana", at=house.clock.now())
    assert right.state is AttemptState.IMAGE


async def test_a_search_the_bill_may_have_free_is_booked_in_full_and_may_be_set_right(house: House) -> None:
    house.plays(pictures(png(), usage=replace(USUAL, search_queries=2)))
    result = await house.buy(grounding=True)
    (row,) = result.attempts
    assert row.charge is not None
    assert (row.charge.amount, row.charge.certain) == (BY_HAND + 2 * 14_000_000, False)
    (notice,) = result.notices
    assert "up to 5,000 searches a month are free" in notice
    assert f"keeprate reconcile {row.id} --billed --amount USD" in notice
    right = await house.ledger.reconcile(
        SCOPE, row.id, billed=NanoUSD(BY_HAND), by="ana", at=house.clock.now()
    )
    assert right.charge is not None
    assert (right.charge.amount, right.charge.certain) == (BY_HAND, True)


async def test_another_model_that_answers_is_named_and_priced_as_served(house: House) -> None:
    house.plays(pictures(png(), model="gemini-3.1-flash-image"))
    result = await house.buy()
    (row,) = result.attempts
    assert row.charge is not None
    assert row.charge.served_model == "gemini-3.1-flash-image"
    assert row.charge.price_id == house.means.price_of(row.new)("gemini-3.1-flash-image").id
    # $0.50, $3 and $60 a million.
    assert result.charge == 10 * 500 + 40 * 3_000 + 1120 * 60_000
    assert any("answered instead of" in notice for notice in result.notices)


async def test_a_model_nobody_knows_is_booked_at_the_hold_as_a_guess(house: House) -> None:
    house.plays(pictures(png(), model="gemini-9-image"))
    result = await house.buy()
    (row,) = result.attempts
    assert row.charge is not None
    assert (row.charge.amount, row.charge.certain, row.charge.price_id) == (row.new.hold, False, None)
    assert any("gemini-9-image answered" in notice for notice in result.notices)


async def test_a_model_that_knows_no_price_at_that_size_leaves_no_row_open(house: House) -> None:
    house.plays(pictures(png(4096, 4096), model="gemini-2.5-flash-image", usage=Usage(images=1)))
    (row,) = (await house.buy(size="4K")).attempts
    assert row.state is AttemptState.IMAGE
    assert row.charge is not None
    assert (row.charge.amount, row.charge.certain) == (row.new.hold, False)


async def test_a_charge_above_its_hold_is_booked_and_stops_further_buying(house: House) -> None:
    house.plays(pictures(png(), usage=Usage(prompt_text_tokens=10, output_image_tokens=10_000, images=1)))
    result = await house.buy()
    assert result.attempts[0].overrun == result.charge - result.attempts[0].new.hold > 0
    assert any("above its hold" in notice for notice in result.notices)
    with pytest.raises(SpendingStopped, match="spending is stopped"):
        await house.buy()
    assert house.sends == 1


async def test_other_pixels_than_asked_for_are_said(house: House) -> None:
    house.plays(pictures(png(512, 512)))
    result = await house.buy()
    assert "asked for 1024x1024 pixels, got 512x512" in result.notices


async def test_bytes_that_are_no_image_are_paid_failed_and_kept_in_the_spool(house: House) -> None:
    house.plays(pictures(b"\x89PNG but no more"))
    result = await house.buy()
    assert (result.outcome.kind, result.outcome.raw_reason) == (OutcomeKind.FAILED, "UNREADABLE_IMAGE")
    assert result.charge == BY_HAND
    assert house.till.spool.waiting() == (result.attempts[0].id,)
    await house.recover()
    assert house.till.spool.waiting() == (result.attempts[0].id,)


async def test_one_bad_image_of_two_does_not_cost_the_other(house: House) -> None:
    house.plays(pictures(b"no image", png()))
    result = await house.buy()
    assert result.outcome.kind is OutcomeKind.IMAGE
    assert [image.sha256 for image in result.images] == list(result.attempts[0].image_sha256s)
    assert house.till.spool.waiting() == (result.attempts[0].id,)


async def test_a_caller_that_leaves_in_the_middle_leaves_the_call_to_be_booked(house: House) -> None:
    house.provider.gate.clear()
    buying = asyncio.create_task(house.buy(options=replace(ON_PRO, intent="i")))
    await house.provider.until_sent(1)
    buying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await buying
    assert [row.state for row in await house.rows()] == [AttemptState.SENT]
    house.provider.gate.set()
    await house.till.drain()
    assert [row.state for row in await house.rows()] == [AttemptState.IMAGE]
    result = await house.buy(options=replace(ON_PRO, intent="i"))
    assert len(result.images) == 1
    assert house.sends == 1


async def test_who_comes_back_while_the_call_is_under_way_waits_for_it(house: House) -> None:
    house.provider.gate.clear()
    first = asyncio.create_task(house.buy(options=replace(ON_PRO, intent="i")))
    await house.provider.until_sent(1)
    first.cancel()
    second = asyncio.create_task(house.buy(options=replace(ON_PRO, intent="i")))
    await asyncio.sleep(0.05)
    house.provider.gate.set()
    assert (await second).outcome.kind is OutcomeKind.IMAGE
    assert house.sends == 1


async def test_after_stop_buying_what_is_under_way_finishes_and_nothing_more_is_bought(house: House) -> None:
    house.provider.gate.clear()
    buying = asyncio.create_task(house.buy(variants=12))
    await house.provider.until_sent(8)
    house.till.closing.set()
    house.provider.gate.set()
    result = await buying
    assert (house.sends, len(result.images), result.is_partial) == (8, 8, True)
    assert any("asked to stop" in notice for notice in result.notices)
    with pytest.raises(SpendingStopped):
        await house.buy()


async def test_an_order_that_may_not_fit_is_refused_whole_and_says_how_many_images_do(house: House) -> None:
    hold = (await house.buy()).attempts[0].new.hold
    spent = (await house.rows())[0].charge
    assert spent is not None
    await house.cap(spent.amount + 3 * hold)
    with pytest.raises(BudgetExceeded, match="3 images fit") as refusal:
        await house.buy(variants=12)
    assert display(NanoUSD(12 * hold)) in refusal.value.message
    assert "--partial" in str(refusal.value.remedy)
    assert refusal.value.facts["images_that_fit"] == 3
    assert house.sends == 1
    assert len((await house.buy(variants=3)).images) == 3
    await house.audit()


async def test_what_an_intent_has_bought_already_needs_no_room(house: House) -> None:
    bought = await house.buy(variants=3, intent="i")
    await house.cap(bought.charge)
    assert len((await house.buy(variants=3, intent="i")).images) == 3
    assert house.sends == 3


async def test_a_cap_that_closes_half_way_keeps_what_was_bought(house: House) -> None:
    hold = (await house.buy()).attempts[0].new.hold
    await house.cap(BY_HAND + 3 * hold)
    house.clock.move(timedelta(seconds=1))
    result = await house.buy(variants=12, partial=True)
    assert 3 <= len(result.images) < 12
    assert result.is_partial
    assert any("the cap of" in notice for notice in result.notices)
    assert house.sends == len(result.images) + 1
    with pytest.raises(BudgetExceeded):
        await house.buy()
    await house.audit()


async def test_a_full_disk_refuses_before_anything_is_held_or_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keeprate.assets.spool.room", lambda path: 1_000_000)
    with pytest.raises(StorageError, match="no room for the answer") as refusal:
        await house.buy()
    assert refusal.value.remedy
    assert await house.rows() == []
    assert house.sends == 0


@pytest.mark.parametrize(
    "place", ["spool.begin.before", "ledger.sent.before_commit", "ledger.sent.after_commit"]
)
async def test_a_disk_that_fails_before_the_send_gives_the_hold_back(house: House, place: str) -> None:
    arm(f"{place}:eio")
    try:
        with pytest.raises(StorageError) as refusal:
            await house.buy(options=replace(ON_PRO, intent="i"))
    finally:
        arm("")
    assert refusal.value.remedy
    (row,) = await house.rows()
    assert row.held == 0
    assert row.state in {AttemptState.FREED, AttemptState.FAILED}
    assert house.sends == 0
    assert house.till.spool.waiting() == ()
    assert (await house.buy(options=replace(ON_PRO, intent="i"))).images
    await house.audit()


@pytest.mark.parametrize("place", ["assets.put.before", "paths.write.half", "ledger.settle.before_commit"])
async def test_an_answer_the_disk_could_not_take_is_stored_when_asked_for_again(
    house: House, place: str
) -> None:
    arm(f"{place}:enospc:{2 if place == 'paths.write.half' else 1}")
    try:
        with pytest.raises(StorageError, match="paid for and its answer is safe") as refusal:
            await house.buy(options=replace(ON_PRO, intent="i"))
    finally:
        arm("")
    assert "pay twice" in str(refusal.value.remedy)
    again = await house.buy(options=replace(ON_PRO, intent="i"))
    assert len(again.images) == 1
    assert house.sends == 1
    assert house.till.spool.waiting() == ()


async def test_what_was_unreachable_or_busy_is_tried_again_after_the_wait_it_asked_for(house: House) -> None:
    house.plays(unreachable(), busy(retry_after_s=7), pictures(png()))
    began = house.clock.now()
    result = await house.buy()
    assert [row.state for row in result.attempts] == [AttemptState.FAILED] * 2 + [AttemptState.IMAGE]
    assert [row.new.key.attempt_no for row in result.attempts] == [0, 1, 2]
    # Half of one second, then seven and half of two.
    assert house.clock.now() - began == timedelta(seconds=0.5 + 7 + 1)
    assert result.charge == BY_HAND
    assert result.held == 0


async def test_a_deadline_ends_the_waiting(house: House) -> None:
    house.plays(busy(retry_after_s=40))
    result = await house.buy(deadline="30s", model=None, policy="cheapest")
    assert result.outcome.kind is not OutcomeKind.UNKNOWN
    assert house.clock.now().second == 0


@pytest.mark.parametrize("final", [busy(status=400, is_final=True), lost()])
async def test_what_is_final_or_unknown_is_not_tried_again(house: House, final: object) -> None:
    house.plays(final)  # type: ignore[arg-type]
    result = await house.buy()
    assert (house.sends, len(result.attempts)) == (1, 1)


async def test_an_unknown_keeps_its_hold_and_is_listed(house: House) -> None:
    house.plays(lost())
    result = await house.buy()
    (row,) = result.attempts
    assert result.outcome.kind is OutcomeKind.UNKNOWN
    assert (result.charge, result.held) == (0, row.new.hold)
    listed = await house.ledger.attempts(SCOPE, unknown_only=True, limit=9, intent=None)
    assert [one.id for one in listed] == [row.id]


async def test_two_upstreams_with_one_model_stand_in_for_each_other_only_where_nothing_was_paid(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, names=("one", "two")) as house:
        steps = (await house.buy()).decision.steps
        assert [step.after for step in steps if step.after != "reject"][:2] == ["start", "unavailable"]
        first, second = (house.providers[step.offer.route.upstream] for step in steps[:2])
        sent = house.sends
        first.plays([busy()] * 4)
        result = await house.buy()
        assert [row.new.key.step for row in result.attempts] == [0, 0, 0, 0, 1]
        assert result.outcome.kind is OutcomeKind.IMAGE
        first.plays([busy(status=404, is_final=True)])
        assert (await house.buy()).attempts[-1].new.key.step == 1
        sent = len(second.sent)
        for end in (lost(), busy(status=400, is_final=True), without_picture(OutcomeKind.BLOCKED, "NO")):
            first.plays([end])
            await house.buy()
        assert len(second.sent) == sent


async def test_the_price_that_money_was_booked_by_is_kept(house: House) -> None:
    row = (await house.buy()).attempts[0]
    assert row.charge is not None
    kept = await house.ledger.price_used(SCOPE, str(row.charge.price_id))
    assert kept is not None
    assert "gemini-3-pro-image" in kept


async def test_a_file_that_cannot_be_written_does_not_hide_the_purchase(house: House, tmp_path: Path) -> None:
    house.provider.gate.clear()
    buying = asyncio.create_task(
        house.buy(options=Options(model="gemini-3-pro-image", output=tmp_path / "a.png"))
    )
    await house.provider.until_sent(1)
    (tmp_path / "a.png").write_text("mine")
    house.provider.gate.set()
    result = await buying
    assert result.outcome.kind is OutcomeKind.IMAGE
    assert result.files == (result.image().path,)
    (notice,) = result.notices
    assert notice.startswith("the copy failed: ")
    assert notice.endswith(f"; the image is at {result.image().path}")
    assert result.as_json()["file"] == str(result.image().path)
    assert (tmp_path / "a.png").read_text() == "mine"

"""An intent is bought once: every replay finds what it brought, whatever state it was left in."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keeprate.domain.errors import Conflict, InvalidValue
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.testing.answers import busy, lost, pictures, png, without_picture
from keeprate.testing.scripted import Act
from keeprate.workflows.options import Options
from tests.unit.workflows.house import ON_PRO, SCOPE, House, open_house

pytestmark = pytest.mark.anyio

ONCE = replace(ON_PRO, intent="order-1")


@pytest.mark.parametrize(
    "end",
    [
        pictures(png()),
        without_picture(OutcomeKind.TEXT_ONLY, "STOP"),
        without_picture(OutcomeKind.BLOCKED, "SAFETY"),
        pictures(b"no image"),
        lost(),
    ],
    ids=["image", "text_only", "blocked", "unreadable", "unknown"],
)
async def test_what_was_bought_is_handed_out_again_and_not_bought(house: House, end: Act) -> None:
    house.plays(end)
    first = await house.buy(options=ONCE)
    again = await house.buy(options=ONCE)
    assert house.sends == 1
    assert again.outcome == first.outcome
    assert again.attempts == first.attempts
    assert again.images == first.images
    assert (again.charge, again.held) == (first.charge, first.held)
    assert any("nothing was bought now" in notice for notice in again.notices)


async def test_what_came_to_nothing_free_of_charge_is_bought_at_the_next_asking(house: House) -> None:
    house.plays(busy(status=400, is_final=True))
    assert (await house.buy(options=ONCE)).outcome.kind is OutcomeKind.FAILED
    again = await house.buy(options=ONCE)
    assert again.outcome.kind is OutcomeKind.IMAGE
    assert [row.new.key.attempt_no for row in await house.rows()] == [0, 1]


async def test_an_image_from_the_second_upstream_is_not_bought_again_from_the_first(tmp_path: Path) -> None:
    async with open_house(tmp_path, names=("one", "two")) as house:
        steps = (await house.buy()).decision.steps
        house.providers[steps[0].offer.route.upstream].plays([busy()] * 4)
        first = await house.buy(options=ONCE)
        assert first.attempts[-1].new.key.step == 1
        sends = house.sends
        again = await house.buy(options=ONCE)
        assert again.images == first.images
        assert house.sends == sends


async def test_the_same_intent_for_another_request_is_refused_before_anything_is_sent(house: House) -> None:
    await house.buy(options=ONCE)
    for prompt, changes in (
        ("a blue fox", {}),
        ("a red fox", {"variants": 4}),
        ("a red fox", {"size": "2K"}),
    ):
        with pytest.raises(Conflict, match="another request") as refusal:
            await house.buy(prompt, replace(ONCE, **changes))
        assert refusal.value.remedy
    assert house.sends == 1
    assert len(await house.rows()) == 1


async def test_a_hundred_at_once_with_one_intent_get_one_picture(house: House) -> None:
    results = await asyncio.gather(*(house.buy(options=ONCE) for _ in range(100)))
    assert house.sends == 1
    assert {result.image().sha256 for result in results} == {results[0].image().sha256}
    assert {result.charge for result in results} == {results[0].charge}
    assert len(house.till.intents) == 0


async def test_a_hundred_at_once_of_two_requests_get_one_picture_and_conflicts(house: House) -> None:
    prompts = ["a red fox", "a blue fox"] * 50
    asked = (house.buy(prompt, ONCE) for prompt in prompts)
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert house.sends == 1
    assert sum(isinstance(result, Conflict) for result in results) == 50


async def test_what_another_process_is_buying_is_left_to_it(tmp_path: Path) -> None:
    async with open_house(tmp_path) as mine, open_house(tmp_path) as theirs:
        theirs.provider.gate.clear()
        buying = asyncio.create_task(theirs.buy(options=ONCE))
        await theirs.provider.until_sent(1)
        with pytest.raises(Conflict, match="under way in another process") as refusal:
            await mine.buy(options=ONCE)
        assert "wait for it" in str(refusal.value.remedy)
        theirs.provider.gate.set()
        assert (await buying).images
        assert (await mine.buy(options=ONCE)).images == (await buying).images
        assert mine.sends == 0


async def test_a_variant_that_is_missing_is_bought_and_those_that_came_are_not(house: House) -> None:
    house.plays(pictures(png(shade=1)), busy(status=400, is_final=True), pictures(png(shade=2)))
    three = replace(ONCE, variants=3)
    first = await house.buy(options=three)
    assert (len(first.images), first.is_partial) == (2, True)
    again = await house.buy(options=three)
    assert (len(again.images), again.is_partial, house.sends) == (3, False, 4)


async def test_fewer_images_to_an_attempt_than_on_the_day_it_was_bought_buy_nothing_more(
    tmp_path: Path,
) -> None:
    four = Options(policy="six-model", purpose="hero", intent="i", variants=4)
    spring = datetime(2026, 4, 15, 12, tzinfo=UTC)
    async with open_house(tmp_path, at=spring) as house:
        house.plays(pictures(*(png(shade=shade) for shade in range(4)), usage=None))
        first = await house.buy(options=four)
        assert (first.decision.chosen.images_per_attempt, len(first.images), house.sends) == (4, 4, 1)
    async with open_house(tmp_path) as house:
        again = await house.buy(options=four)
        assert again.decision.chosen.images_per_attempt == 1
        assert (len(again.images), house.sends) == (4, 0)


async def test_retrying_an_unknown_buys_once_more_and_books_both(house: House) -> None:
    house.plays(lost())
    unknown = (await house.buy(options=ONCE)).attempts[0]
    retried = await house.retry(unknown.id)
    assert retried.outcome.kind is OutcomeKind.IMAGE
    assert retried.attempts[-1].follows == unknown.id
    assert (await house.ledger.attempt(SCOPE, unknown.id)).held == unknown.new.hold
    sends = house.sends
    assert (await house.retry(unknown.id)).images == retried.images
    assert (await house.buy(options=ONCE)).images == retried.images
    assert house.sends == sends == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", "4K"), ("variants", 5), ("ratio", "4:3"), ("references", (b"",)), ("intent", "j"), ("seed", 1)],
)
async def test_a_retry_takes_nothing_that_would_change_the_request(
    house: House, field: str, value: object
) -> None:
    house.plays(lost())
    unknown = (await house.buy()).attempts[0]
    with pytest.raises(InvalidValue) as refusal:
        await house.retry(unknown.id, **{field: value})
    assert refusal.value.field == field
    assert house.sends == 1


async def test_a_retry_may_say_where_its_image_goes(house: House, tmp_path: Path) -> None:
    house.plays(lost())
    unknown = (await house.buy()).attempts[0]
    (tmp_path / "fox.png").write_text("old")
    result = await house.retry(unknown.id, output=tmp_path / "fox.png", overwrite=True, yes=True)
    assert result.files == (tmp_path / "fox.png",)


async def test_a_retry_touches_no_other_variant(house: House) -> None:
    house.plays(lost(), lost(), pictures(png()))
    three = replace(ONCE, variants=3)
    rows = (await house.buy(options=three)).attempts
    unknown = [row for row in rows if row.state is AttemptState.UNKNOWN]
    result = await house.retry(unknown[0].id)
    assert house.sends == 4
    states = sorted(row.state for row in result.attempts)
    assert states == [AttemptState.IMAGE, AttemptState.IMAGE, AttemptState.UNKNOWN]


async def test_a_retry_stays_on_the_route_that_was_asked_first(tmp_path: Path) -> None:
    async with open_house(tmp_path, names=("one", "two")) as house:
        steps = (await house.buy()).decision.steps
        first, second = (house.providers[step.offer.route.upstream] for step in steps[:2])
        first.plays([busy()] * 4)
        second.plays([lost()])
        unknown = (await house.buy(options=ONCE)).attempts[-1]
        sends = len(first.sent)
        retried = (await house.retry(unknown.id)).attempts[-1]
        assert retried.new.route == unknown.new.route
        assert retried.follows == unknown.id
        assert len(first.sent) == sends


async def test_only_an_unknown_can_be_retried(house: House) -> None:
    row = (await house.buy(options=ONCE)).attempts[0]
    with pytest.raises(Conflict, match="nothing unknown to retry"):
        await house.retry(row.id)
    assert house.sends == 1


async def test_an_unknown_that_was_not_billed_may_be_bought_at_the_next_asking(house: House) -> None:
    house.plays(lost())
    row = (await house.buy(options=ONCE)).attempts[0]
    await house.ledger.reconcile(SCOPE, row.id, billed=None, by="ana", at=house.clock.now())
    again = await house.buy(options=ONCE)
    assert (again.outcome.kind, house.sends) == (OutcomeKind.IMAGE, 2)


async def test_an_unknown_that_was_billed_is_not_bought_again_by_itself(house: House) -> None:
    house.plays(lost())
    row = (await house.buy(options=ONCE)).attempts[0]
    billed = NanoUSD(row.new.hold // 2)
    await house.ledger.reconcile(SCOPE, row.id, billed=billed, by="ana", at=house.clock.now())
    again = await house.buy(options=ONCE)
    assert (again.charge, again.held, house.sends) == (billed, 0, 1)
    await house.audit()


async def test_without_an_intent_every_asking_is_a_purchase(house: House) -> None:
    await house.buy()
    await house.buy()
    assert house.sends == 2


async def test_workspaces_do_not_see_each_others_intents(house: House) -> None:
    from keeprate.domain.scopes import Scope
    from keeprate.workflows.generate import generate

    await house.buy(options=ONCE)
    await generate(house.means, Scope(workspace="other"), "a red fox", ONCE)
    assert house.sends == 2

"""The first purchase with real money asks; everything that is wrong is said before it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from keeprate.domain.decisions import Decision
from keeprate.domain.errors import ConfirmationNeeded, InvalidValue, NoEligibleRoute
from keeprate.testing.answers import busy
from keeprate.workflows.options import Options
from keeprate.workflows.route import route
from tests.homes import settings_at
from tests.unit.workflows.house import ON_PRO, SCOPE, House, open_house

pytestmark = pytest.mark.anyio


async def test_real_money_is_not_spent_without_a_yes(tmp_path: Path) -> None:
    async with open_house(tmp_path, simulated=False) as house:
        with pytest.raises(ConfirmationNeeded) as refusal:
            await house.buy()
        assert refusal.value.field == "yes"
        assert "KEEPRATE_YES=1" in str(refusal.value.remedy)
        assert "gemini-3-pro-image" in refusal.value.message
        assert "$0." in refusal.value.message
        assert house.sends == 0
        assert await house.rows() == []


async def test_a_yes_is_asked_for_once_in_a_home(tmp_path: Path) -> None:
    async with open_house(tmp_path, simulated=False) as house:
        assert (await house.buy(yes=True)).images
        assert (await house.buy()).images
    async with open_house(tmp_path, simulated=False) as house:
        assert (await house.buy()).images


async def test_a_person_is_shown_the_decision_and_their_no_is_a_no(tmp_path: Path) -> None:
    asked: list[Decision] = []
    answers = [False, True]

    async def confirm(decision: Decision) -> bool:
        asked.append(decision)
        return answers.pop(0)

    async with open_house(tmp_path, simulated=False, confirm=confirm) as house:
        with pytest.raises(ConfirmationNeeded):
            await house.buy()
        assert house.sends == 0
        assert (await house.buy()).images
        assert (await house.buy()).images
    assert [decision.quote.worst > 0 for decision in asked] == [True, True]


async def test_real_money_is_not_booked_at_the_prices_of_another_day(tmp_path: Path) -> None:
    async with open_house(tmp_path, simulated=False) as house:
        house.means = replace(house.means, day_of=lambda _: date(2026, 11, 20))
        with pytest.raises(InvalidValue, match="2026-11-20") as refusal:
            await house.buy(yes=True)
        assert (refusal.value.field, refusal.value.value) == ("as_of", "2026-11-20")
        assert "keeprate route" in str(refusal.value.remedy)
        assert (house.sends, await house.rows()) == (0, [])
        assert (await route(house.means, SCOPE, None, Options())).decision.quote.worst > 0
        house.means = replace(house.means, day_of=lambda moment: moment.date())
        assert (await house.buy(yes=True)).images


async def test_simulated_money_may_be_spent_on_any_day(house: House) -> None:
    house.means = replace(house.means, day_of=lambda _: date(2026, 11, 20))
    assert (await house.buy()).images


async def test_simulated_money_needs_no_yes(house: House) -> None:
    assert (await house.buy()).simulated


async def test_a_simulated_route_that_may_fall_back_on_a_real_one_asks_too(tmp_path: Path) -> None:
    async with open_house(tmp_path, names=("one", "two")) as house:
        steps = [step for step in (await house.buy()).decision.steps if step.after != "reject"]
        second = house.providers[steps[1].offer.route.upstream]
        second.upstream = replace(second.upstream, simulated=False)
        first = house.providers[steps[0].offer.route.upstream]
        first.plays([busy()] * 4)
        sends = len(second.sent)
        with pytest.raises(ConfirmationNeeded):
            await house.buy()
        assert len(second.sent) == sends


async def test_what_is_wrong_with_the_request_is_said_before_a_yes_is_remembered(tmp_path: Path) -> None:
    async with open_house(tmp_path, simulated=False) as house:
        with pytest.raises(InvalidValue):
            await house.buy(yes=True, output=tmp_path / "missing" / "a.png")
        with pytest.raises(NoEligibleRoute):
            await house.buy(yes=True, size="4K", model="gemini-3.1-flash-lite-image")
        with pytest.raises(ConfirmationNeeded):
            await house.buy()
        assert house.sends == 0


async def test_an_output_that_is_taken_is_refused_before_anything_is_bought(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_text("mine")
    (tmp_path / "b-2.png").write_text("mine")
    for options in (
        replace(ON_PRO, output=tmp_path / "a.png"),
        replace(ON_PRO, output=tmp_path / "b.png", variants=3),
    ):
        with pytest.raises(InvalidValue) as refusal:
            await house.buy(options=options)
        assert refusal.value.remedy
    assert house.sends == 0
    assert (await house.buy(output=tmp_path / "a.png", overwrite=True)).files == (tmp_path / "a.png",)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": "poster"}, "purpose"),
        ({"size": "3K"}, "size"),
        ({"ratio": "0:1"}, "ratio"),
        ({"variants": 0}, "variants"),
        ({"deadline": "soon"}, "deadline"),
        ({"failure_cost": "much"}, "failure_cost"),
        ({"thinking": "deep"}, "thinking"),
        ({"lane": "fast"}, "lane"),
        ({"lane": "batch"}, "lane"),
        ({"policy": "mine"}, "policy"),
        ({"roles": ("hat",), "references": (b"",)}, "role"),
        ({"roles": ("object",)}, "role"),
        ({"seed": -1}, "seed"),
        ({"seed": 99999999999999999999}, "seed"),
        ({"variants": 1.5}, "variants"),
    ],
)
async def test_a_word_that_is_none_is_refused_by_field_with_a_remedy(
    house: House, changes: dict[str, object], field: str
) -> None:
    from keeprate.domain.errors import KeeprateError

    with pytest.raises(KeeprateError) as refusal:
        await house.buy(options=Options(), **changes)
    assert refusal.value.field == field
    assert refusal.value.remedy
    assert house.sends == 0


async def test_the_library_asks_before_a_real_key_is_spent(tmp_path: Path) -> None:
    """The upstream is real as far as anybody can tell: a key, an address, no word of simulation."""
    from keeprate.library.front import Keeprate
    from tests.emulator_process import start_emulator

    with start_emulator(tmp_path, "--draw", "fast") as emulator:
        extra = {"GEMINI_API_KEY": "a-key", "GOOGLE_GEMINI_BASE_URL": emulator.url}
        settings = settings_at(tmp_path / "home", extra=extra)
        async with Keeprate(settings=settings) as keeprate:
            with pytest.raises(ConfirmationNeeded):
                await keeprate.generate("a red fox")
            assert emulator.bill_summary()["accepted_calls"] == 0
            result = await keeprate.generate("a red fox", options=Options(yes=True))
            assert not result.simulated
            assert result.charge == emulator.bill_summary()["total_nano_usd"]
            standings = await keeprate.accounts.budgets()
            assert [one.spent for one in standings if not one.budget.simulated] == [result.charge]
            assert [one.spent for one in standings if one.budget.simulated] == [0]

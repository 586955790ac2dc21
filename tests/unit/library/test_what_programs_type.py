"""What a program may hand in wrongly: words are understood, the rest is refused by name, and the home lives on."""

from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path

import pytest

import keeprate as package
from keeprate.domain.budgets import Window
from keeprate.domain.errors import ConfigError, InvalidValue, NotFound
from keeprate.domain.money import NanoUSD
from keeprate.domain.verdicts import VerdictKind
from keeprate.library.accounts import Accounts
from keeprate.library.blocking import BlockingKeeprate
from keeprate.library.front import Keeprate
from keeprate.testing.answers import lost
from keeprate.workflows.verdicts import LONGEST_CLEANUP, Ruling, judge
from tests.homes import settings_at
from tests.unit.workflows.house import SCOPE, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def keeprate(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Keeprate]:
    async with Keeprate(settings=settings_at(tmp_path / "home")) as opened:
        yield opened


async def test_a_cap_is_set_in_words_and_dollars_or_exactly(keeprate: Keeprate) -> None:
    await keeprate.accounts.set_budget("day", "3.5")
    await keeprate.accounts.set_budget(Window.HOUR, NanoUSD(7))
    limits = {
        str(one.budget.window): one.budget.limit
        for one in await keeprate.accounts.budgets()
        if not one.budget.simulated
    }
    assert (limits["day"], limits["hour"]) == (3_500_000_000, 7)


@pytest.mark.parametrize(
    ("window", "limit", "field"),
    [
        ("week", "1", "window"),
        (5, "1", "window"),
        ("day", 3.5, "limit"),
        ("day", -1, "limit"),
        ("day", "x", "limit"),
    ],
)
async def test_a_cap_that_is_none_is_refused_and_the_ledger_writes_on(
    keeprate: Keeprate, window: str, limit: str, field: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        await keeprate.accounts.set_budget(window, limit)
    assert refusal.value.field == field
    await keeprate.accounts.set_budget("day", "1")


async def test_a_cap_is_set_only_on_a_key_that_is_in_use(keeprate: Keeprate) -> None:
    made = await keeprate.accounts.create_key("shop")
    await keeprate.accounts.set_budget("hour", "0.05", key=made.record.id)
    await keeprate.accounts.set_budget("hour", "0.05", key=f"{made.record.id}/ana")
    assert made.record.id in {one.budget.key for one in await keeprate.accounts.budgets()}
    await keeprate.accounts.revoke_key(made.record.id)
    for key in ("nope", made.record.id):
        with pytest.raises(NotFound) as refusal:
            await keeprate.accounts.set_budget("hour", "0.05", key=key)
        assert (refusal.value.field, refusal.value.value) == ("key", key)


@pytest.mark.parametrize("name", [5, "", " ", None])
async def test_a_key_needs_a_name(keeprate: Keeprate, name: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        await keeprate.accounts.create_key(name)
    assert refusal.value.field == "name"
    assert await keeprate.accounts.keys() == []


@pytest.mark.parametrize("limit", [-1, 0, 1.5, True])
async def test_rows_are_listed_by_a_whole_number(keeprate: Keeprate, limit: int) -> None:
    with pytest.raises(InvalidValue) as refusal:
        await keeprate.attempts(limit=limit)
    assert refusal.value.field == "limit"


async def test_a_verdict_may_be_typed(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        row = (await house.buy()).attempts[0]
        given = await judge(house.means, SCOPE, row.id, Ruling(kind="accepted", cleanup_minutes=3))
        assert given.kind is VerdictKind.ACCEPTED
        for ruling, field in (
            (Ruling(kind="good"), "kind"),
            (Ruling(kind="accepted", cleanup_minutes=1.5), "cleanup_minutes"),  # type: ignore[arg-type]
            (Ruling(kind="accepted", cleanup_minutes=LONGEST_CLEANUP + 1), "cleanup_minutes"),
        ):
            with pytest.raises(InvalidValue) as refusal:
                await judge(house.means, SCOPE, row.id, ruling)
            assert refusal.value.field == field
        assert len(await house.ledger.verdicts(SCOPE, row.id)) == 1


async def test_a_bill_far_above_the_hold_needs_to_be_meant(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.plays(lost())
        row = (await house.buy()).attempts[0]
        accounts = Accounts(ledger=house.ledger, scope=SCOPE, clock=house.clock, book=house.means.book)
        with pytest.raises(InvalidValue, match="more than twice") as refusal:
            await accounts.reconcile(row.id, billed="99")
        assert refusal.value.field == "amount"
        assert "--force" in str(refusal.value.remedy)
        assert (await house.rows())[0].charge is None
        forced = await accounts.reconcile(row.id, billed="99", force=True)
        right = await accounts.reconcile(row.id, billed=NanoUSD(2 * row.new.hold))
        assert forced.charge is not None
        assert right.charge is not None
        assert (forced.charge.amount, right.charge.amount) == (99_000_000_000, 2 * row.new.hold)
        await house.audit()


def test_a_report_is_of_days_in_their_order() -> None:
    with pytest.raises(InvalidValue) as refusal:
        package.ReportQuery(since=date(2026, 11, 2), until=date(2026, 11, 1))
    assert refusal.value.field == "since"
    assert package.ReportQuery(since=date(2026, 11, 1), until=date(2026, 11, 1))


@pytest.mark.parametrize(
    "ask",
    [lambda k: k.generate("x"), lambda k: k.attempts(), lambda k: k.whence(Path("x.png"))],
    ids=["generate", "attempts", "whence"],
)
@pytest.mark.timeout(20)
def test_the_waiting_front_says_when_it_is_not_open(
    tmp_path: Path, ask: Callable[[BlockingKeeprate], object]
) -> None:
    waiting = BlockingKeeprate(settings=settings_at(tmp_path / "home"))
    with pytest.raises(ConfigError, match="not open"):
        ask(waiting)
    with waiting as opened:
        assert opened.attempts() == []
        with pytest.raises(ConfigError, match="open already"):
            waiting.__enter__()
    with pytest.raises(ConfigError, match="not open"):
        ask(waiting)
    with waiting as again:
        assert again.attempts() == []

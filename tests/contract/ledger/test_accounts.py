"""Verdicts, reports, keys, facts and prices, on every store."""

from datetime import date

import pytest

from keeprate.domain.errors import InvalidValue, NotFound
from keeprate.domain.outcomes import AttemptState, OutcomeKind
from keeprate.domain.purposes import Purpose
from keeprate.domain.scopes import Scope
from keeprate.domain.verdicts import Verdict, VerdictKind
from keeprate.ledger.ledger import SqlLedger
from keeprate.ledger.report import By, ReportQuery
from tests.ledger_ground import CENT, NOON, SCOPE, later, new_attempt, settlement

pytestmark = pytest.mark.anyio


def verdict(
    attempt_id: str, image: str, kind: str = "accepted", minutes: int = 0, second: int = 0
) -> Verdict:
    return Verdict(
        workspace="studio",
        attempt_id=attempt_id,
        image_sha256=image,
        kind=VerdictKind(kind),
        reason=None if kind == "accepted" else "six fingers",
        cleanup_minutes=minutes,
        judge="ana",
        judged_at=later(seconds=second),
    )


async def bought(ledger: SqlLedger, intent: str, charge: int, *images: str, **changes: object) -> str:
    new = new_attempt(intent, owner=ledger.owner, **changes)
    await ledger.intend(new)
    await ledger.sent(new.id, NOON)
    kind = OutcomeKind.IMAGE if images else OutcomeKind.BLOCKED
    await ledger.settle(new.id, settlement(charge, kind, *images))
    return new.id


async def test_the_latest_verdict_counts_and_the_history_stays(ledger: SqlLedger) -> None:
    bought_id = await bought(ledger, "a", CENT, "1" * 64)
    given = [
        verdict(bought_id, "1" * 64, "rejected", minutes=9),
        verdict(bought_id, "1" * 64, "accepted", minutes=2, second=1),
    ]
    for one in given:
        await ledger.judge(SCOPE, one)
    assert await ledger.verdicts(SCOPE, bought_id) == given
    (row,) = await ledger.report(SCOPE, ReportQuery(by=()))
    assert (row.accepted, row.rejected, row.cleanup_minutes) == (1, 0, 2)


async def test_only_an_image_of_the_attempt_can_be_judged(ledger: SqlLedger) -> None:
    bought_id = await bought(ledger, "a", CENT, "1" * 64)
    for scope, wrong in (
        (SCOPE, verdict("no such", "1" * 64)),
        (SCOPE, verdict(bought_id, "2" * 64)),
        (Scope(workspace="other"), verdict(bought_id, "1" * 64)),
    ):
        with pytest.raises(NotFound):
            await ledger.judge(scope, wrong)
    assert await ledger.verdicts(SCOPE, bought_id) == []


async def test_the_report_tells_what_a_kept_image_cost(ledger: SqlLedger) -> None:
    first = await bought(ledger, "a", 7 * CENT, "1" * 64, "2" * 64)
    await bought(ledger, "b", CENT)
    await bought(ledger, "c", 2 * CENT, "3" * 64, purpose=Purpose.DRAFT, created_at=later(days=1))
    await bought(ledger, "s", 50 * CENT, "4" * 64, simulated=True)
    await ledger.intend(new_attempt("held", owner=ledger.owner))
    await ledger.judge(SCOPE, verdict(first, "1" * 64, minutes=30))
    await ledger.judge(SCOPE, verdict(first, "2" * 64, "rejected"))

    asked = ReportQuery(by=(By.PURPOSE,), cleanup_per_hour=60 * CENT)
    hero, draft = await ledger.report(SCOPE, asked)
    assert (hero.purpose, hero.attempts, hero.images, hero.spent) == (Purpose.HERO, 3, 2, 8 * CENT)
    assert (hero.held, hero.cleanup, hero.cost_per_accepted) == (10 * CENT, 30 * CENT, 38 * CENT)
    assert (draft.accepted, draft.cost_per_accepted) == (0, None)

    by_day = await ledger.report(SCOPE, ReportQuery(by=(By.DAY,), since=date(2026, 11, 22)))
    assert [(row.day, row.spent) for row in by_day] == [(date(2026, 11, 22), 2 * CENT)]
    until = await ledger.report(SCOPE, ReportQuery(by=(By.DAY,), until=date(2026, 11, 21)))
    assert [row.day for row in until] == [date(2026, 11, 21)]
    ends = await ledger.report(SCOPE, ReportQuery(by=(By.OUTCOME, By.ROUTE)))
    assert [(row.outcome, row.spent) for row in ends] == [
        (AttemptState.IMAGE, 9 * CENT),
        (AttemptState.BLOCKED, CENT),
        (AttemptState.INTENT, 0),
    ]
    assert str(ends[0].route) == "gemini/gemini-3-pro-image@1K"
    (simulated,) = await ledger.report(SCOPE, ReportQuery(by=(), simulated=True))
    assert simulated.spent == 50 * CENT
    assert await ledger.report(Scope(workspace="other"), ReportQuery(by=())) == []


async def test_a_key_is_shown_once_known_by_its_hash_and_dead_when_revoked(ledger: SqlLedger) -> None:
    made = await ledger.create_key(SCOPE, " shop ", NOON)
    assert made.secret.startswith(made.record.prefix)
    assert made.record.name == "shop"
    assert await ledger.key_of_secret(made.secret) == made.record
    assert await ledger.keys(SCOPE) == [made.record]
    assert await ledger.keys(Scope(workspace="other")) == []
    with pytest.raises(NotFound):
        await ledger.revoke_key(Scope(workspace="other"), made.record.id, NOON)
    revoked = await ledger.revoke_key(SCOPE, made.record.id, later(hours=1))
    assert revoked.revoked_at == later(hours=1)
    assert await ledger.revoke_key(SCOPE, made.record.id, later(hours=2)) == revoked
    assert await ledger.key_of_secret(made.secret) is None
    with pytest.raises(InvalidValue):
        await ledger.create_key(SCOPE, "  ", NOON)


async def test_facts_are_replaced_and_prices_are_not(ledger: SqlLedger) -> None:
    assert await ledger.fact(SCOPE, "first_purchase") is None
    for value in ("asked", "yes"):
        await ledger.set_fact(SCOPE, "first_purchase", value)
    assert await ledger.fact(SCOPE, "first_purchase") == "yes"
    assert await ledger.fact(Scope(workspace="other"), "first_purchase") is None
    for text in ('{"usd":"0.134"}', '{"usd":"0.2"}'):
        await ledger.use_price(SCOPE, "p1", text, NOON)
    assert await ledger.price_used(SCOPE, "p1") == '{"usd":"0.134"}'
    assert await ledger.price_used(SCOPE, "p2") is None

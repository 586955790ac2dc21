"""Attempts, verdicts, caps and reports: the money side, as a caller may see it."""

from datetime import date
from typing import Annotated, Literal

from fastapi import Path, Query

from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import usd
from keeprate.gateway.api import asked, telling, told
from keeprate.gateway.api.asking import Asks
from keeprate.gateway.api.buying import AttemptId
from keeprate.gateway.desk import Desk
from keeprate.gateway.identity import Caller
from keeprate.ledger.report import By, ReportQuery
from keeprate.library.accounts import Accounts
from keeprate.library.front import accounts_of
from keeprate.workflows.verdicts import Ruling, judge

Limit = Annotated[int, Query(ge=1, le=500)]
DayAsked = Annotated[asked.Day | None, Query()]
Groups = Literal["purpose", "route", "day", "outcome"]


class Books:
    """The endpoints that read the ledger, judge, and set caps."""

    def __init__(self, desk: Desk) -> None:
        """Work at `desk`."""
        self._desk = desk

    def _accounts(self, caller: Caller) -> Accounts:
        return accounts_of(self._desk.house, caller.scope)

    async def attempts(
        self, caller: Asks, limit: Limit = 50, unknown: asked.YesOrNo = "false"
    ) -> told.Attempts:
        """List attempts, newest first: all of the workspace, or the caller's own where it only buys."""
        rows = await self._desk.ledger.attempts(
            caller.scope, unknown_only=unknown == "true", limit=limit, intent=None
        )
        return told.Attempts(attempts=[telling.attempt(row) for row in rows])

    async def attempt(self, attempt_id: AttemptId, caller: Asks) -> told.AttemptAnswer:
        """Show an attempt with what was asked, decided and sent."""
        return telling.whole_attempt(await self._desk.ledger.attempt(caller.scope, attempt_id))

    async def reconcile(self, attempt_id: AttemptId, body: asked.BillAsked, caller: Asks) -> told.AttemptTold:
        """Book what the upstream's bill says of an attempt whose charge nobody knows for certain."""
        billed = None if body.billed_usd is None else usd(body.billed_usd, field="billed_usd")
        return telling.attempt(await self._accounts(caller).reconcile(attempt_id, billed=billed))

    async def judge(self, attempt_id: AttemptId, body: asked.VerdictAsked, caller: Asks) -> told.VerdictTold:
        """Accept or reject an image of an attempt; the latest verdict counts and the history stays."""
        ruling = Ruling(
            kind=body.kind, reason=body.reason, cleanup_minutes=body.cleanup_minutes, image=body.image
        )
        return telling.verdict(await judge(self._desk.means, caller.scope, attempt_id, ruling))

    async def verdicts(self, attempt_id: AttemptId, caller: Asks) -> told.Verdicts:
        """List the verdicts on an attempt's images, oldest first."""
        row = await self._desk.ledger.attempt(caller.scope, attempt_id)
        given = await self._desk.ledger.verdicts(caller.scope, row.id)
        return told.Verdicts(verdicts=[telling.verdict(one) for one in given])

    async def budgets(self, caller: Asks) -> told.Budgets:
        """List caps and where they stand: all for an administrator, else those that bind the caller."""
        accounts = self._accounts(caller)
        standings, brakes = await accounts.budgets(), await accounts.brakes()
        return told.Budgets(
            budgets=[telling.budget(one) for one in standings],
            stopped=brakes[0].reason if brakes else None,
        )

    async def set_budget(self, body: asked.BudgetAsked, caller: Asks) -> told.Budgets:
        """Set a cap on real money, and its twin on simulated money."""
        limit = usd(body.limit_usd, field="limit_usd")
        await self._accounts(caller).set_budget(body.window, limit, key=body.key)
        return await self.budgets(caller)

    async def remove_budget(self, budget_id: Annotated[asked.BudgetId, Path()], caller: Asks) -> told.Budgets:
        """Drop a cap."""
        await self._accounts(caller).remove_budget(budget_id)
        return await self.budgets(caller)

    async def stop_buying(self, body: asked.StopAsked, caller: Asks) -> told.Budgets:
        """Stop all buying at once, in every process on this ledger. What is under way is finished."""
        await self._accounts(caller).stop_spending(body.reason)
        return await self.budgets(caller)

    async def resume_buying(self, caller: Asks) -> told.Budgets:
        """Let buying go on."""
        await self._accounts(caller).resume_spending()
        return await self.budgets(caller)

    async def report(
        self,
        caller: Asks,
        by: Annotated[list[Groups] | None, Query(max_length=4)] = None,
        since: DayAsked = None,
        until: DayAsked = None,
        simulated: asked.YesOrNo = "false",
    ) -> told.Report:
        """Sum what was spent and kept, by purpose and route unless asked otherwise."""
        rate = self._desk.house.settings.cleanup_rate_usd_per_hour
        question = ReportQuery(
            by=tuple(dict.fromkeys(By(one) for one in by or ("purpose", "route"))),
            since=_day(since, "since"),
            until=_day(until, "until"),
            simulated=simulated == "true",
            cleanup_per_hour=usd(rate, field="cleanup_rate_usd_per_hour"),
        )
        rows = await self._accounts(caller).report(question)
        return told.Report(simulated=question.simulated, rows=[telling.report_row(row) for row in rows])


def _day(text: str | None, field: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(
            f"{field} {text!r} is not a day", field=field, value=text, remedy="write it like 2026-11-21"
        ) from None

"""What a new home is given: a cap, so that a mistake on the first day stays small."""

from datetime import datetime

from keeprate.domain.budgets import Budget, Window
from keeprate.domain.money import usd
from keeprate.domain.scopes import Scope
from keeprate.workflows.books import Ledger

DAY_CAP = "day-cap"
_MADE = "day_cap_made"


async def prepare_home(ledger: Ledger, workspace: str, day_cap_usd: str, now: datetime) -> None:
    """Give a workspace its first cap, once: real and simulated money alike, counted apart."""
    scope = Scope(workspace=workspace)
    if await ledger.fact(scope, _MADE) is not None:
        return
    limit = usd(day_cap_usd, field="day_cap_usd")
    for budget in both(Budget(id=DAY_CAP, workspace=workspace, key=None, window=Window.DAY, limit=limit)):
        await ledger.set_budget(scope, budget, now)
    await ledger.set_fact(scope, _MADE, now.isoformat())


def both(budget: Budget) -> tuple[Budget, Budget]:
    """Return a cap on real money and its twin on simulated money: a rehearsal meets the same cap."""
    twin = Budget(
        id=f"{budget.id}-simulated",
        workspace=budget.workspace,
        key=budget.key,
        window=budget.window,
        limit=budget.limit,
        simulated=True,
    )
    return budget, twin

"""`keeprate budget`: set and show caps on money."""

from collections.abc import Sequence
from typing import Final

from cyclopts import App, Parameter
from rich.console import RenderableType

from keeprate.cli.failures import clean
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Screen, money, table
from keeprate.cli.running import run
from keeprate.domain.budgets import Standing, Window
from keeprate.domain.money import display, usd
from keeprate.domain.purposes import word
from keeprate.library.front import Keeprate

budget = App(name="budget", default_parameter=Parameter(negative=(), show_default=False), version_flags=())


@budget.default
def show(*, everywhere: Everywhere = EVERYWHERE) -> int:
    """Show caps on money: what is spent and held of each, and when it starts again.

    With a command, change them.
    """
    return run(everywhere, _answer)


budget.command(show, name="list")


@budget.command(name="set")
def set_(window: str, limit: str, /, *, key: str | None = None, everywhere: Everywhere = EVERYWHERE) -> int:
    """Set a cap: spent and held together never pass it.

    Parameters
    ----------
    window
        hour, day, month or total. In UTC.
    limit
        US dollars, such as 5 or 0.50.
    key
        Cap this key. Otherwise the whole workspace.
    """
    span, cap = word(Window, window, field="window"), usd(limit, field="limit")

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        await keeprate.accounts.set_budget(span, cap, key=key)
        return await _answer(keeprate, screen)

    return run(everywhere, work)


@budget.command
def remove(budget_id: str, /, *, everywhere: Everywhere = EVERYWHERE) -> int:
    """Drop a cap.

    Parameters
    ----------
    budget_id
        From `keeprate budget`.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        await keeprate.accounts.remove_budget(budget_id)
        return await _answer(keeprate, screen)

    return run(everywhere, work)


@budget.command
def stop(*, reason: str = "stopped by hand", everywhere: Everywhere = EVERYWHERE) -> int:
    """Stop all buying at once, in every process on this ledger. What is under way is finished.

    Parameters
    ----------
    reason
        What whoever is refused is told.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        await keeprate.accounts.stop_spending(reason)
        screen.answer({"stopped": True, "reason": reason}, "Nothing is bought until: keeprate budget resume")
        return 0

    return run(everywhere, work)


@budget.command
def resume(*, everywhere: Everywhere = EVERYWHERE) -> int:
    """Let go of the brake that an overrun, or `keeprate budget stop`, pulled, so that buying goes on."""

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        await keeprate.accounts.resume_spending()
        return await _answer(keeprate, screen)

    return run(everywhere, work)


async def _answer(keeprate: Keeprate, screen: Screen) -> int:
    standings = await keeprate.accounts.budgets()
    drawn = _drawn(standings) if standings else "No caps. Set one: keeprate budget set day 5"
    shown: list[RenderableType] = [drawn]
    if any(standing.budget.simulated for standing in standings):
        shown.append("\nWhat is simulated is counted apart; no money moves there.")
    brakes = await keeprate.accounts.brakes()
    if brakes:
        shown.append(f"\nNothing is bought: {clean(brakes[0].reason)}. Go on with: keeprate budget resume")
    document = {
        "budgets": [_as_json(standing) for standing in standings],
        "stopped": brakes[0].reason if brakes else None,
    }
    screen.answer(document, *shown)
    return 0


_SPANS: Final = {Window.HOUR: "an hour", Window.DAY: "a day", Window.MONTH: "a month", Window.TOTAL: "in all"}


def _drawn(standings: Sequence[Standing]) -> RenderableType:
    numbers = frozenset({"limit", "spent", "held", "left"})
    drawn = table("budget", "limit", "spent", "held", "left", "until (UTC)", right=numbers)
    for standing in standings:
        cap = standing.budget
        drawn.add_row(
            cap.id,
            f"{money(cap.limit)} {_SPANS[cap.window]}",
            money(standing.spent),
            money(standing.held),
            money(standing.remaining),
            "ever" if standing.resets_at is None else f"{standing.resets_at:%m-%d %H:%M}",
        )
    return drawn


def _as_json(standing: Standing) -> dict[str, object]:
    cap = standing.budget
    return {
        "id": cap.id,
        "workspace": cap.workspace,
        "key": cap.key,
        "window": str(cap.window),
        "limit_usd": display(cap.limit),
        "spent_usd": display(standing.spent),
        "held_usd": display(standing.held),
        "remaining_usd": display(standing.remaining),
        "used_percent": standing.used_percent,
        "resets_at": None if standing.resets_at is None else standing.resets_at.isoformat(),
        "simulated": cap.simulated,
    }

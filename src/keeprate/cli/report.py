"""`keeprate report`: show what a kept image cost, per route and purpose."""

from collections.abc import Sequence

from rich.console import RenderableType

from keeprate.cli.drawing import SIMULATED
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Screen, money, table
from keeprate.cli.running import day, run, settings_for
from keeprate.domain.money import display, usd
from keeprate.ledger.report import ReportQuery, ReportRow
from keeprate.library.front import Keeprate

_NUMBERS = frozenset({"calls", "kept", "spent", "each kept"})


def report(
    *,
    since: str | None = None,
    until: str | None = None,
    simulated: bool = False,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """Show what was spent and what was kept of it, per purpose and route.

    A kept image costs what was spent on all of its group, plus cleanup, by the images accepted.

    Parameters
    ----------
    since
        First day, such as 2026-11-01. UTC.
    until
        Last day.
    simulated
        What the stand-in drew, instead of what cost money.
    """
    asked = ReportQuery(
        since=day(since, field="since"),
        until=day(until, field="until"),
        simulated=simulated,
        cleanup_per_hour=usd(
            settings_for(everywhere).cleanup_rate_usd_per_hour, field="cleanup_rate_usd_per_hour"
        ),
    )

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        rows = await keeprate.accounts.report(asked)
        shown: list[RenderableType] = [_drawn(rows)] if rows else [_nothing(simulated=simulated)]
        if any(row.accepted for row in rows):
            rate = money(asked.cleanup_per_hour)
            shown.append(
                f"\nEach kept: all that was spent, plus hours of cleanup × {rate}, by the images kept."
            )
        if simulated and rows:
            shown.append(SIMULATED)
        document = {"simulated": simulated, "rows": [_as_json(row) for row in rows]}
        screen.answer(document, *shown)
        return 0

    return run(everywhere, work)


def _nothing(*, simulated: bool) -> str:
    if simulated:
        return "Nothing was simulated in these days. Try: keeprate demo"
    return "Nothing was bought with real money in these days. What was simulated: keeprate report --simulated"


def _drawn(rows: Sequence[ReportRow]) -> RenderableType:
    drawn = table("route", "purpose", "calls", "kept", "spent", "each kept", right=_NUMBERS)
    several = len({row.route.upstream for row in rows if row.route is not None}) > 1
    for row in rows:
        judged = row.accepted + row.rejected
        cost = "none kept" if row.cost_per_accepted is None else money(row.cost_per_accepted)
        drawn.add_row(
            _route_text(row, several=several),
            str(row.purpose),
            str(row.attempts),
            f"{row.accepted} of {judged}" if judged else "unjudged",
            money(row.spent) + (f"\n+{money(row.held)} held" if row.held else ""),
            cost if judged else "",
        )
    return drawn


def _route_text(row: ReportRow, *, several: bool) -> str:
    if row.route is None:
        return ""
    return str(row.route) if several else f"{row.route.model} {row.route.size}"


def _as_json(row: ReportRow) -> dict[str, object]:
    return {
        "purpose": None if row.purpose is None else str(row.purpose),
        "route": None if row.route is None else str(row.route),
        "upstream": None if row.route is None else row.route.upstream,
        "model": None if row.route is None else str(row.route.model),
        "size": None if row.route is None else str(row.route.size),
        "attempts": row.attempts,
        "images": row.images,
        "accepted": row.accepted,
        "rejected": row.rejected,
        "spent_usd": display(row.spent),
        "held_usd": display(row.held),
        "overrun_usd": display(row.overrun),
        "cleanup_minutes": row.cleanup_minutes,
        "cleanup_usd": display(row.cleanup),
        "cost_per_accepted_usd": None if row.cost_per_accepted is None else display(row.cost_per_accepted),
    }

"""`keeprate report`: show what a kept image cost, per route and purpose."""

from collections.abc import Sequence

from rich.console import RenderableType

from keeprate.cli.drawing import SIMULATED
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Screen, money, table
from keeprate.cli.running import day, run, settings_for
from keeprate.domain.money import display, usd
from keeprate.ledger.report import Asked, ReportRow
from keeprate.library import Keeprate

_NUMBERS = frozenset({"calls", "images", "kept", "rejected", "spent", "held", "per kept image"})


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
    asked = Asked(
        since=day(since, field="since"),
        until=day(until, field="until"),
        simulated=simulated,
        cleanup_per_hour=usd(
            settings_for(everywhere).cleanup_rate_usd_per_hour, field="cleanup_rate_usd_per_hour"
        ),
    )

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        rows = await keeprate.report(asked)
        shown: list[RenderableType] = [_drawn(rows)] if rows else [_nothing(simulated=simulated)]
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
    drawn = table(
        "purpose", "route", "calls", "images", "kept", "rejected", "spent", "per kept image", right=_NUMBERS
    )
    for row in rows:
        cost = "none kept" if row.cost_per_accepted is None else money(row.cost_per_accepted)
        drawn.add_row(
            str(row.purpose),
            str(row.route),
            str(row.attempts),
            str(row.images),
            str(row.accepted),
            str(row.rejected),
            money(row.spent) + (f" + {money(row.held)} held" if row.held else ""),
            cost,
        )
    return drawn


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

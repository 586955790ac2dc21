"""`keeprate route`: show which route would be taken, why, and for how much."""

from dataclasses import dataclass
from typing import Annotated, Final

from cyclopts import Group, Parameter

from keeprate.cli.drawing import decision_drawn
from keeprate.cli.flags import EVERYWHERE, KEPT, WANTED, WHERE, Everywhere, Wanted, Where, count_of
from keeprate.cli.output import Facts, Screen
from keeprate.cli.running import run
from keeprate.cli.wishes import options_from
from keeprate.library.front import Keeprate

MOST_SUPPOSED: Final = 1000
SUPPOSED = Group("What is supposed", sort_key=5)


@Parameter(name="*", group=SUPPOSED)
@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """What is supposed rather than handed along."""

    references: Annotated[int, count_of("references", most=MOST_SUPPOSED)] = 0
    """How many reference images there would be."""
    budget_used: Annotated[int | None, count_of("budget_used", most=100)] = None
    """Per cent of the budget to suppose used, 0 to 100. Otherwise what the ledger says."""
    explain: bool = False
    """Name every route that was not chosen, and why."""


NOTHING = Supposed()


def route(
    prompt: str | None = None,
    /,
    *,
    wanted: Wanted = WANTED,
    where: Where = WHERE,
    supposed: Supposed = NOTHING,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """Show which route would be taken, why, for how much, and what was not taken. Spends nothing.

    Parameters
    ----------
    prompt
        What to draw. No policy reads it; its length is part of the price.
    """
    options = options_from(wanted, where, KEPT)

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        view = await keeprate.route(
            prompt,
            options=options,
            budget_used=supposed.budget_used,
            reference_count=supposed.references,
        )
        screen.answer(
            view.as_json(),
            *(Facts(("note", notice)) for notice in view.notices),
            decision_drawn(view.decision, simulated=view.simulated, explain=supposed.explain),
        )
        return 0

    return run(everywhere, work)

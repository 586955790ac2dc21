"""`keeprate attempts`: list what was asked of upstreams, newest first."""

from typing import Annotated

from keeprate.cli.drawing import attempts_drawn
from keeprate.cli.flags import EVERYWHERE, Everywhere, count_of
from keeprate.cli.output import Screen
from keeprate.cli.running import run
from keeprate.library.front import Keeprate
from keeprate.workflows.results import attempt_as_json

MOST_SHOWN = 50


def attempts(
    *,
    unknown: bool = False,
    limit: Annotated[int, count_of("limit", "-n", least=1)] = MOST_SHOWN,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """List what was asked of upstreams, newest first: one row per call, whatever happened.

    Parameters
    ----------
    unknown
        Only those of which nobody knows whether they were billed. Their money stays held.
    limit
        How many rows.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        rows = await keeprate.attempts(unknown_only=unknown, limit=limit)
        nothing = "No attempt is unknown." if unknown else "No attempts yet. Try: keeprate demo"
        shown = [attempts_drawn(rows)] if rows else [nothing]
        if unknown and rows:
            shown.append("\nLook each up in the upstream's bill, then: keeprate reconcile ATTEMPT --billed")
            shown.append("or: keeprate reconcile ATTEMPT --not-billed")
        screen.answer({"attempts": [attempt_as_json(row) for row in rows]}, *shown)
        return 0

    return run(everywhere, work)

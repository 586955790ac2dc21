"""`keeprate generate`: buy an image on the route that fits it."""

from dataclasses import dataclass, replace
from typing import Annotated

from cyclopts import Parameter
from rich.console import RenderableType

from keeprate.cli.drawing import decision_drawn, result_drawn, result_in_short
from keeprate.cli.failures import OUTCOME_CODES, PARTIAL
from keeprate.cli.flags import EVERYWHERE, HANDED, KEPT, WANTED, WHERE, Everywhere, Kept, Wanted, Where
from keeprate.cli.output import Screen
from keeprate.cli.running import run
from keeprate.cli.wishes import options_from
from keeprate.domain.errors import InvalidValue, StorageError
from keeprate.library.front import Keeprate
from keeprate.workflows.results import Result


@Parameter(name="*", group=HANDED)
@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What is handed along with the words."""

    reference: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = ()
    """Image to work from. Give several after it, or the flag several times."""
    role: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = ()
    """What each reference is, in order: object, character or style."""
    retry_unknown: str | None = None
    """Buy again what this unknown attempt may have bought. Both are booked."""


NOTHING = Handed()


def generate(
    prompt: str | None = None,
    /,
    *,
    wanted: Wanted = WANTED,
    where: Where = WHERE,
    kept: Kept = KEPT,
    handed: Handed = NOTHING,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """Buy an image on the route that fits it, and keep it.

    Parameters
    ----------
    prompt
        What to draw, in quotes.
    """
    options = replace(options_from(wanted, where, kept, handed.reference), roles=handed.role)

    if handed.retry_unknown is not None and prompt is not None:
        raise InvalidValue(
            "an unknown attempt is bought again with the prompt it had",
            field="prompt",
            value=prompt,
            remedy="leave the prompt out; or leave --retry-unknown out, and buy something new",
        )

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        if handed.retry_unknown is not None:
            result = await keeprate.retry_unknown(handed.retry_unknown, options=options)
        else:
            result = await keeprate.generate(prompt or "", options=options)
        return answer(result, screen, explain=kept.explain)

    return run(everywhere, work)


def answer(result: Result, screen: Screen, *, explain: bool) -> int:
    """Print a purchase and return the exit code that tells how it ended."""
    try:
        screen.answer(result.as_json(), *_drawn(result, screen, explain=explain))
    except (StorageError, BrokenPipeError):
        # The answer is lost, and what it tells is paid for: said where it can still be read.
        screen.say(result_in_short(result, names_attempts=True))
        raise
    return PARTIAL if result.is_partial else OUTCOME_CODES[result.outcome.kind]


def _drawn(result: Result, screen: Screen, *, explain: bool) -> tuple[RenderableType, ...]:
    if screen.is_quiet:
        return (result_in_short(result),)
    if screen.has_asked and screen.out.is_terminal:
        return (result_drawn(result),)  # the question showed the decision, on the same screen
    return (decision_drawn(result.decision, simulated=False, explain=explain), "", result_drawn(result))

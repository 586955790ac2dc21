"""`keeprate edit`: change an image, yours or one bought before."""

from dataclasses import dataclass, replace
from typing import Annotated

from cyclopts import Parameter

from keeprate.cli.flags import EVERYWHERE, HANDED, KEPT, WANTED, WHERE, Everywhere, Kept, Wanted, Where
from keeprate.cli.generate import answer
from keeprate.cli.output import Screen
from keeprate.cli.running import run
from keeprate.cli.wishes import options_from
from keeprate.library.front import Keeprate


@Parameter(name="*", group=HANDED)
@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What is to be changed."""

    reference: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = ()
    """Image to change or work from. Give several after it, or the flag several times."""
    role: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = ()
    """What each reference is, in order: object, character or style."""
    continues: Annotated[str | None, Parameter(name="--continue")] = None
    """Go on from this attempt: same model, same conversation, the image it returned."""


NOTHING = Changed()


def edit(
    prompt: str | None = None,
    /,
    *,
    wanted: Wanted = WANTED,
    where: Where = WHERE,
    kept: Kept = KEPT,
    changed: Changed = NOTHING,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """Change an image: one of yours (--reference), or one bought before (--continue).

    Parameters
    ----------
    prompt
        What to change, in quotes.
    """
    options = replace(
        options_from(wanted, where, kept, changed.reference), roles=changed.role, continues=changed.continues
    )

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        result = await keeprate.edit(prompt or "", options=options)
        return answer(result, screen, explain=kept.explain)

    return run(everywhere, work)

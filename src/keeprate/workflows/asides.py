"""Blocking work beside the event loop, where it blocks for long enough to be worth the way there."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Words = ParamSpec("Words")
Done = TypeVar("Done")
_MARK = "is_quick"


def quick(work: Callable[Words, Done]) -> Callable[Words, Done]:
    """Mark `work` as shorter than the hand-over to a thread, which costs a tenth of a millisecond."""
    setattr(work, _MARK, True)
    return work


async def aside(work: Callable[Words, Done], *args: Words.args, **kwargs: Words.kwargs) -> Done:
    """Return what `work` returns, run in a thread unless it is marked as quick."""
    if getattr(work, _MARK, False):
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)

"""When a failed send may be tried again, and after how long. The one retry layer there is.

Only what cost nothing is tried again: nothing was sent, or the upstream said that it did not serve.
Every try is an attempt with a ledger row of its own; who calls this writes it.
"""

from typing import Final

from keeprate.domain.outcomes import FailureClass
from keeprate.workflows.ports import SendFailure

MOST_TRIES: Final = 4
_FIRST_S: Final = 1.0
_LONGEST_S: Final = 60.0
# An upstream that asks for more is down for this request; another route serves it sooner.
_LONGEST_ASKED_S: Final = 600.0
_FREE: Final = frozenset({FailureClass.NOT_SENT, FailureClass.REFUSED_FREE})


def next_wait(
    failure: SendFailure, *, tries: int, jitter: float, remaining_s: float | None = None
) -> float | None:
    """Return the seconds to wait before the next try, or None where there is none.

    `tries` counts the sends made so far, from 1. `jitter` is a fresh number from 0 to 1: callers that
    failed together must not come back together. `remaining_s` is the time left to the deadline.
    """
    if failure.failure not in _FREE or failure.is_final or tries >= MOST_TRIES:
        return None
    spread = jitter * min(_LONGEST_S, _FIRST_S * 2 ** (tries - 1))
    wait = spread if failure.retry_after_s is None else failure.retry_after_s + spread
    if wait > _LONGEST_ASKED_S or (remaining_s is not None and wait >= remaining_s):
        return None
    return wait

"""How an image is bought: live unless a lane is asked for; what patience would save is named."""

from typing import Final

from keeprate.catalogue.cards import PriceRow
from keeprate.domain.decisions import LaneOption
from keeprate.domain.errors import InvalidValue
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.purposes import Lane
from keeprate.routing.quotes import Job, quote, share
from keeprate.routing.tokens import PromptTokens

# The longest wait each lane aims at, in seconds. Live lanes promise no latency, so no deadline rules
# them out. Flex: 1 to 15 minutes (https://ai.google.dev/gemini-api/docs/flex-inference); batch:
# within a day (https://ai.google.dev/gemini-api/docs/batch-api). Both read 2026-11-21.
WAITS_S: Final[dict[Lane, int]] = {
    Lane.LIVE: 0,
    Lane.PRIORITY: 0,
    Lane.FLEX: 900,
    Lane.BATCH: 86_400,
}
# Batch is quoted already; sending and collecting its jobs is not part of this release.
BUYABLE: Final = frozenset({Lane.LIVE, Lane.PRIORITY, Lane.FLEX})


def is_too_slow(lane: Lane, deadline_s: int | None) -> bool:
    """Return whether `lane` may take longer than the caller can wait.

    Without a deadline the lane asked for stands: who names a lane accepts its wait.
    """
    return deadline_s is not None and deadline_s < WAITS_S[lane]


def cheaper_lanes(
    price: PriceRow, job: Job, tokens: PromptTokens, deadline_s: int | None
) -> tuple[LaneOption, ...]:
    """Return the slower, cheaper lanes that the deadline allows and the price row lists."""
    if deadline_s is None:
        return ()
    found: list[LaneOption] = []
    live = quote(price, job, tokens).expected
    for lane in (Lane.FLEX, Lane.BATCH):
        if lane is job.lane or share(price, lane) is None or is_too_slow(lane, deadline_s):
            continue
        found.append(_option(lane, quote(price, _in_lane(job, lane), tokens).expected, live))
    return tuple(found)


def refuse_unbuyable(lane: Lane) -> None:
    """Refuse to buy in a lane that is only quoted so far.

    Raises:
        InvalidValue: `lane` is batch.
    """
    if lane in BUYABLE:
        return
    raise InvalidValue(
        f"the {lane} lane is quoted but cannot be bought yet",
        field="lane",
        value=str(lane),
        remedy="leave the lane away to buy live; route and estimate tell what the batch lane would cost",
    )


def _in_lane(job: Job, lane: Lane) -> Job:
    return Job(
        size=job.size,
        images=job.images,
        references=job.references,
        thinking=job.thinking,
        grounding=job.grounding,
        video=job.video,
        lane=lane,
    )


def _option(lane: Lane, expected: NanoUSD, live: NanoUSD) -> LaneOption:
    buyable = lane in BUYABLE
    later = "" if buyable else " (quoted only: it cannot be bought yet)"
    return LaneOption(
        lane=lane,
        expected=expected,
        wait_s=WAITS_S[lane],
        buyable=buyable,
        sentence=f"{lane} would cost ${display(expected)} an attempt instead of ${display(live)}{later}",
    )

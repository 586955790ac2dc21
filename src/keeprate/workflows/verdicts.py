"""Accept or reject what came."""

from dataclasses import dataclass
from typing import Final

from keeprate.domain.errors import InvalidValue
from keeprate.domain.numbers import whole
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.purposes import word
from keeprate.domain.scopes import Scope
from keeprate.domain.verdicts import Verdict, VerdictKind
from keeprate.workflows.means import Means

# A year of hand work on one image, in minutes: more is a slip, and sums must not overflow.
LONGEST_CLEANUP: Final = 525_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What somebody thinks of an image; `image` is its hash, the attempt's first one if None.

    `kind` may be typed: accepted or rejected.
    """

    kind: VerdictKind | str
    reason: str | None = None
    cleanup_minutes: int = 0
    image: str | None = None


async def judge(means: Means, scope: Scope, attempt_id: str, ruling: Ruling) -> Verdict:
    """Book a ruling on an image of an attempt.

    Raises:
        NotFound: No such attempt.
        InvalidValue: The attempt brought no such image, a word that is no verdict, or minutes below zero.
    """
    kind = word(VerdictKind, ruling.kind, field="kind")
    minutes = whole(ruling.cleanup_minutes, field="cleanup_minutes", most=LONGEST_CLEANUP)
    row = await means.till.ledger.attempt(scope, attempt_id)
    if row.state is not AttemptState.IMAGE:
        raise InvalidValue(
            f"attempt {attempt_id} ended as {row.state}: there is no image to judge",
            field="attempt",
            value=attempt_id,
            remedy="judge an attempt that brought an image; see: keeprate attempts",
        )
    if ruling.image is not None and ruling.image not in row.image_sha256s:
        raise InvalidValue(
            f"attempt {attempt_id} brought no image {ruling.image}",
            field="image",
            value=ruling.image,
            remedy="use one of: " + ", ".join(row.image_sha256s),
        )
    verdict = Verdict(
        workspace=scope.workspace,
        attempt_id=attempt_id,
        image_sha256=ruling.image or row.image_sha256s[0],
        kind=kind,
        reason=ruling.reason,
        cleanup_minutes=minutes,
        judge=scope.key or "owner",
        judged_at=means.till.clock.now(),
    )
    await means.till.ledger.judge(scope, verdict)
    return verdict

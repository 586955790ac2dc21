"""`keeprate verdict`: accept or reject an image."""

from pathlib import Path
from typing import Annotated

from keeprate.cli.flags import EVERYWHERE, Everywhere, count_of
from keeprate.cli.output import Facts, Screen
from keeprate.cli.running import run
from keeprate.domain.purposes import word
from keeprate.domain.verdicts import Verdict, VerdictKind
from keeprate.library.front import Keeprate


def verdict(
    image: str,
    kind: str,
    /,
    *,
    reason: str | None = None,
    cleanup_minutes: Annotated[int, count_of("cleanup_minutes")] = 0,
    sha256: str | None = None,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """Accept or reject an image. The latest verdict counts, earlier ones stay on record.

    Parameters
    ----------
    image
        A kept file, or the id of the attempt that returned it.
    kind
        accepted or rejected.
    reason
        Why, in your words.
    cleanup_minutes
        Minutes of hand work it needed. They count towards what the image cost.
    sha256
        Which image, where the attempt returned several.
    """
    meant = word(VerdictKind, kind, field="kind")
    file = Path(image) if Path(image).is_file() else None

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        attempt_id = image if file is None else (await keeprate.whence(file)).attempt.id
        given = await keeprate.verdict(
            attempt_id, meant, reason=reason, cleanup_minutes=cleanup_minutes, image=sha256
        )
        screen.answer(
            verdict_as_json(given),
            Facts(("attempt", given.attempt_id), ("image", given.image_sha256), ("verdict", str(given.kind))),
        )
        return 0

    return run(everywhere, work)


def verdict_as_json(given: Verdict) -> dict[str, object]:
    """Return a verdict as plain values."""
    return {
        "attempt_id": given.attempt_id,
        "sha256": given.image_sha256,
        "verdict": str(given.kind),
        "reason": given.reason,
        "cleanup_minutes": given.cleanup_minutes,
        "judge": given.judge,
        "judged_at": given.judged_at.isoformat(),
    }

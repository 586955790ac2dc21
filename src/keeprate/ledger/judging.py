"""Verdicts: the latest on an image counts, the history stays."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select, update

from keeprate.database.schema import attempt_images, verdicts
from keeprate.domain.errors import NotFound
from keeprate.domain.scopes import Scope
from keeprate.domain.verdicts import Verdict, VerdictKind
from keeprate.ledger import reads
from keeprate.ledger.loading import locked_books
from keeprate.ledger.moments import micros, moment
from keeprate.safety.failpoints import failpoint


def judge(connection: Connection, scope: Scope, verdict: Verdict) -> None:
    """Add a verdict.

    Raises:
        NotFound: No such attempt in the scope, or it did not return that image.
    """
    locked_books(connection, {scope.workspace})
    reads.attempt(connection, scope, verdict.attempt_id)
    returned = select(attempt_images.c.position).where(
        attempt_images.c.workspace_id == scope.workspace,
        attempt_images.c.attempt_id == verdict.attempt_id,
        attempt_images.c.sha256 == verdict.image_sha256,
    )
    if connection.execute(returned).first() is None:
        raise NotFound(
            f"attempt {verdict.attempt_id} returned no image {verdict.image_sha256}",
            field="image_sha256",
            value=verdict.image_sha256,
            remedy="see its images with `keeprate attempts`",
        )
    same = (verdicts.c.attempt_id == verdict.attempt_id) & (verdicts.c.image_sha256 == verdict.image_sha256)
    earlier = connection.scalar(select(func.count()).select_from(verdicts).where(same)) or 0
    connection.execute(update(verdicts).where(same, verdicts.c.counts).values(counts=False))
    row = {
        "workspace_id": scope.workspace,
        "attempt_id": verdict.attempt_id,
        "image_sha256": verdict.image_sha256,
        "verdict_no": earlier,
        "kind": verdict.kind.value,
        "reason": verdict.reason,
        "cleanup_minutes": verdict.cleanup_minutes,
        "judge": verdict.judge,
        "judged_us": micros(verdict.judged_at),
        "counts": True,
    }
    connection.execute(insert(verdicts), [row])
    failpoint("ledger.judge.before_commit")


def verdicts_on(connection: Connection, scope: Scope, attempt_id: str) -> Sequence[Verdict]:
    """Return the verdicts on an attempt's images, oldest first."""
    asked = (
        select(verdicts)
        .where(verdicts.c.workspace_id == scope.workspace, verdicts.c.attempt_id == attempt_id)
        .order_by(verdicts.c.judged_us, verdicts.c.verdict_no, verdicts.c.image_sha256)
    )
    return [
        Verdict(
            workspace=row.workspace_id,
            attempt_id=row.attempt_id,
            image_sha256=row.image_sha256,
            kind=VerdictKind(row.kind),
            reason=row.reason,
            cleanup_minutes=row.cleanup_minutes,
            judge=row.judge,
            judged_at=moment(row.judged_us),
        )
        for row in connection.execute(asked)
    ]

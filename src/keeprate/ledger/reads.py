"""Questions about attempts that change nothing."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, select

from keeprate.database.schema import attempt_images, attempts
from keeprate.domain.attempts import Attempt
from keeprate.domain.scopes import Role, Scope
from keeprate.ledger.loading import ATTEMPTS
from keeprate.ledger.owners import Owner
from keeprate.ledger.refusals import no_attempt
from keeprate.ledger.rows import attempt_of

SEE_ALL = frozenset({Role.OWNER, Role.REVIEWER, Role.READER})


def visible(scope: Scope) -> ColumnElement[bool]:
    """Return the condition on attempts that `scope` may see: one who only buys sees their own."""
    here = attempts.c.workspace_id == scope.workspace
    if scope.key is None or scope.roles & SEE_ALL:
        return here
    its_users = attempts.c.api_key.startswith(f"{scope.key}/", autoescape=True)
    return here & ((attempts.c.api_key == scope.key) | its_users)


def attempt(connection: Connection, scope: Scope, attempt_id: str) -> Attempt:
    """Return a row.

    Raises:
        NotFound: None of that id that `scope` may see.
    """
    row = connection.execute(ATTEMPTS.where(visible(scope), attempts.c.id == attempt_id)).one_or_none()
    if row is None:
        raise no_attempt(attempt_id)
    return attempt_of(row)


def newest(
    connection: Connection, scope: Scope, *, unknown_only: bool, limit: int, intent: str | None
) -> Sequence[Attempt]:
    """Return rows, newest first."""
    # Quick tries can be booked at one moment; the order they were made in decides then.
    made = (attempts.c.created_us.desc(), attempts.c.step.desc(), attempts.c.attempt_no.desc())
    newest_first = (attempts.c.booked_us.desc(), *made, attempts.c.id)
    asked = ATTEMPTS.where(visible(scope)).order_by(*newest_first).limit(limit)
    if unknown_only:
        asked = asked.where(attempts.c.settled_us.is_(None), attempts.c.state == "unknown")
    if intent is not None:
        asked = asked.where(attempts.c.intent == intent)
    return [attempt_of(row) for row in connection.execute(asked)]


def of_intents(connection: Connection, scope: Scope, intents: Sequence[str]) -> Sequence[Attempt]:
    """Return the rows of these intents, oldest first."""
    asked = ATTEMPTS.where(visible(scope), attempts.c.intent.in_(intents))
    order = (attempts.c.created_us, attempts.c.step, attempts.c.attempt_no)
    return [attempt_of(row) for row in connection.execute(asked.order_by(*order))]


def of_image(connection: Connection, scope: Scope, sha256: str) -> Sequence[Attempt]:
    """Return the attempts that returned the image, oldest first."""
    named = select(attempt_images.c.attempt_id).where(
        attempt_images.c.workspace_id == scope.workspace, attempt_images.c.sha256 == sha256
    )
    # In two steps: as one question, SQLite walks through the whole workspace for it.
    ids = set(connection.scalars(named))
    asked = ATTEMPTS.where(visible(scope), attempts.c.id.in_(ids))
    rows = connection.execute(asked.order_by(attempts.c.booked_us, attempts.c.id))
    return [attempt_of(row) for row in rows]


def rows_of(connection: Connection, attempt_ids: Sequence[str]) -> Sequence[Attempt]:
    """Return the rows of these ids, of every workspace."""
    return [attempt_of(row) for row in connection.execute(ATTEMPTS.where(attempts.c.id.in_(attempt_ids)))]


def orphans(connection: Connection, owner: Owner) -> Sequence[Attempt]:
    """Return open rows whose owner no longer lives, oldest first."""
    is_open = attempts.c.settled_us.is_(None) & attempts.c.state.in_(("intent", "sent"))
    working = set(connection.scalars(select(attempts.c.owner).where(is_open).distinct()))
    dead = owner.dead(connection, working)
    if not dead:
        return []
    asked = ATTEMPTS.where(is_open, attempts.c.owner.in_(dead))
    rows = connection.execute(asked.order_by(attempts.c.booked_us, attempts.c.id))
    return [attempt_of(row) for row in rows]

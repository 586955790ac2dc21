"""Claims and the exact cache, in the database that the ledger is in."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from keeprate.database.engine import Database, is_lost_race
from keeprate.database.records_schema import cached_answers, claims
from keeprate.database.schema import attempts
from keeprate.domain.errors import StorageError
from keeprate.workflows.claim_store import Claim, ClaimKind, ClaimState, Unanswered

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# A lost race means that another process was quicker, which the second look sees.
_TRIES: Final = 3
_NOT_THE_ANSWER: Final = [column for column in claims.c if column.name != "answer"]
_UNDECIDED: Final = ("intent", "sent", "unknown")
_ANSWERED: Final = ("image", "text_only", "blocked", "empty")

AnyRow = Row[*tuple[object, ...]]
Done = TypeVar("Done")


class SqlClaims:
    """Fits the port `ClaimStore`. Each change is one durable commit."""

    def __init__(self, database: Database) -> None:
        """Keep claims in `database`."""
        self._database = database

    async def begin(self, claim: Claim) -> Claim | None:
        """Write a claim and return None, or return the one its caller, kind and name already have."""
        return await self._write(lambda c: _put(c, claim))

    async def renew(self, old: Claim, new: Claim) -> Claim | None:
        """Put `new` in the place of `old` and return None, or return what has come to stand there."""

        def work(connection: Connection) -> Claim | None:
            connection.execute(delete(claims).where(_is(old)))
            return _put(connection, new)

        return await self._write(work)

    async def keep(self, claim: Claim, answer: bytes, at: datetime) -> None:
        """Keep the answer of a claim."""
        kept = {"state": ClaimState.KEPT.value, "answer": answer, "kept_us": _micros(at), "owner": ""}
        await self._write(lambda c: c.execute(update(claims).where(_is(claim)).values(kept)).rowcount)

    async def release(self, claim: Claim) -> None:
        """Note that nobody buys for an open claim any more; its id stays its intent."""
        await self._write(lambda c: c.execute(update(claims).where(_is(claim)).values(owner="")).rowcount)

    async def drop(self, claim: Claim) -> None:
        """Forget a claim for which nothing was bought."""
        await self._write(lambda c: c.execute(delete(claims).where(_is(claim))).rowcount)

    async def adopt(self, claim: Claim, owner: str) -> bool:
        """Let `owner` buy for an open claim in place of whom `claim` names; of several one succeeds."""
        as_it_was = _is(claim) & (claims.c.owner == claim.owner) & (claims.c.state == ClaimState.OPEN.value)
        changed = update(claims).where(as_it_was).values(owner=owner)
        return await self._write(lambda c: c.execute(changed).rowcount) == 1

    async def take(self, claim: Claim) -> Claim | None:
        """Take the answer of a client that left; of several who try, one gets it."""

        def work(connection: Connection) -> Claim | None:
            free = _is(claim) & claims.c.taken.is_(False)
            if connection.execute(update(claims).where(free).values(taken=True)).rowcount != 1:
                return None
            return _whole(connection.execute(select(claims).where(_is(claim))).one())

        return await self._write(work)

    async def give_back(self, claim: Claim) -> None:
        """Leave a taken answer to the next."""
        await self._write(lambda c: c.execute(update(claims).where(_is(claim)).values(taken=False)).rowcount)

    async def find(self, workspace: str, claim_id: str) -> Claim | None:
        """Return a claim as it stands."""
        asked = select(claims).where(claims.c.workspace_id == workspace, claims.c.id == claim_id)
        row = await self._database.reading(lambda c: c.execute(asked).one_or_none())
        return None if row is None else _whole(row)

    async def left(self) -> Sequence[Claim]:
        """Return the claims of clients that left and nobody came back for, oldest first, answers left out."""
        waiting = (claims.c.kind == ClaimKind.LEFT.value) & claims.c.taken.is_(False)
        asked = select(*_NOT_THE_ANSWER).where(waiting).order_by(claims.c.created_us)
        rows = await self._database.reading(lambda c: c.execute(asked).all())
        return [_claim(row) for row in rows]

    async def unanswered(self, asked: Unanswered) -> Sequence[tuple[str, str]]:
        """Return intents that may have lost their client, oldest first, each with its process."""
        clean = select(claims.c.name).where(
            claims.c.workspace_id == "", claims.c.kind == ClaimKind.CLEAN.value
        )
        wanted = (
            select(attempts.c.intent, attempts.c.owner, attempts.c.state)
            .where(
                attempts.c.workspace_id == asked.workspace,
                # A range rather than LIKE, for the index of intents is the one to walk; "~" follows every digit.
                attempts.c.intent >= asked.prefix,
                attempts.c.intent < asked.prefix + "~",
                attempts.c.created_us >= _micros(asked.since),
                func.coalesce(attempts.c.api_key, "") == asked.caller,
                attempts.c.state.in_(_UNDECIDED)
                | (attempts.c.state.in_(_ANSWERED) & attempts.c.owner.not_in(clean)),
            )
            .order_by(attempts.c.created_us)
        )
        rows = await self._database.reading(lambda c: c.execute(wanted).all())
        owners = {
            row.intent.rpartition("#")[0] or row.intent: "" if row.state in _UNDECIDED else row.owner
            for row in rows
        }
        return list(owners.items())

    async def sweep(self, before: datetime) -> int:
        """Forget claims made before `before`; return how many."""
        old = delete(claims).where(claims.c.created_us < _micros(before))
        return await self._write(lambda c: c.execute(old).rowcount)

    async def cached(self, workspace: str, key: str, at: datetime) -> bytes | None:
        """Return a cached answer and note that it was used."""
        here = (cached_answers.c.workspace_id == workspace) & (cached_answers.c.key == key)

        def work(connection: Connection) -> bytes | None:
            connection.execute(update(cached_answers).where(here).values(used_us=_micros(at)))
            return connection.scalar(select(cached_answers.c.answer).where(here))

        asked = select(cached_answers.c.size).where(here)
        known = await self._database.reading(lambda c: c.scalar(asked))
        return None if known is None else await self._write(work)

    async def cache(
        self, workspace: str, key: str, answer: bytes, *, size: int, limit: int, at: datetime
    ) -> None:
        """Cache an answer of `size` bytes, images counted, and forget the least used beyond `limit`."""
        row = {
            "workspace_id": workspace, "key": key, "answer": answer, "size": size, "used_us": _micros(at)
        }  # fmt: skip
        here = cached_answers.c.workspace_id == workspace

        def work(connection: Connection) -> None:
            connection.execute(delete(cached_answers).where(here, cached_answers.c.key == key))
            connection.execute(insert(cached_answers).values(row))
            latest = (cached_answers.c.used_us.desc(), cached_answers.c.key)
            used = func.sum(cached_answers.c.size).over(order_by=latest).label("used")
            ranked = select(cached_answers.c.key, used).where(here).subquery()
            beyond = select(ranked.c.key).where(ranked.c.used > limit)
            connection.execute(delete(cached_answers).where(here, cached_answers.c.key.in_(beyond)))

        await self._write(work)

    async def _write(self, work: Callable[[Connection], Done]) -> Done:
        return await asyncio.to_thread(self._in_one_commit, work)

    def _in_one_commit(self, work: Callable[[Connection], Done]) -> Done:
        for _ in range(_TRIES - 1):
            try:
                with self._database.write() as connection:
                    return work(connection)
            except StorageError as error:
                if not is_lost_race(error.__cause__):
                    raise
        with self._database.write() as connection:
            return work(connection)


def _put(connection: Connection, claim: Claim) -> Claim | None:
    """Insert a claim, or return its namesake."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    wanted = dialect.insert(claims).values(_cells(claim)).on_conflict_do_nothing().returning(claims.c.id)
    namesake = select(claims).where(_namesake(claim))
    for _ in range(_TRIES):
        if connection.scalar(wanted) is not None:
            return None
        # Whoever stood there may have been forgotten between the two looks.
        found = connection.execute(namesake).one_or_none()
        if found is not None:
            return _whole(found)
    return _whole(connection.execute(namesake).one())


def _is(claim: Claim) -> ColumnElement[bool]:
    return (claims.c.workspace_id == claim.workspace) & (claims.c.id == claim.id)


def _namesake(claim: Claim) -> ColumnElement[bool]:
    return (
        (claims.c.workspace_id == claim.workspace)
        & (claims.c.caller == claim.caller)
        & (claims.c.kind == claim.kind.value)
        & (claims.c.name == claim.name)
    )


def _cells(claim: Claim) -> dict[str, object]:
    return {
        "workspace_id": claim.workspace,
        "id": claim.id,
        "caller": claim.caller,
        "kind": claim.kind.value,
        "name": claim.name,
        "fingerprint": claim.fingerprint,
        "owner": claim.owner,
        "state": claim.state.value,
        "taken": claim.taken,
        "answer": claim.answer,
        "created_us": _micros(claim.created_at),
        "kept_us": None if claim.kept_at is None else _micros(claim.kept_at),
    }


def _whole(row: AnyRow) -> Claim:
    return _claim(row, row.answer)


def _claim(row: AnyRow, answer: bytes | None = None) -> Claim:
    return Claim(
        workspace=row.workspace_id,
        id=row.id,
        caller=row.caller,
        kind=ClaimKind(row.kind),
        name=row.name,
        fingerprint=row.fingerprint,
        owner=row.owner,
        created_at=_EPOCH + timedelta(microseconds=row.created_us),
        state=ClaimState(row.state),
        answer=answer,
        kept_at=None if row.kept_us is None else _EPOCH + timedelta(microseconds=row.kept_us),
        taken=row.taken,
    )


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND

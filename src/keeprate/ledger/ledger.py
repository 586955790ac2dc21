"""The ledger as the workflows know it: asks the writer to change, and reads beside it."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from keeprate.database.engine import Database
from keeprate.domain.attempts import Attempt, NewAttempt, Settlement
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import Outcome
from keeprate.domain.scopes import Scope
from keeprate.ledger import commands, reads, refusals
from keeprate.ledger.accounts import Accounts
from keeprate.ledger.owners import BeatingOwner, FileOwner, Owner
from keeprate.ledger.writer import Writer


class SqlLedger(Accounts):
    """The money, in SQLite or PostgreSQL. Each change is durable when its method returns."""

    def __init__(self, database: Database, owner: Owner) -> None:
        """Start writing as `owner`; both are closed with the ledger's `close`, the database is not."""
        super().__init__(database, Writer(database, owner))
        self._owner = owner

    @property
    def owner(self) -> str:
        """Return the name this process goes by; `NewAttempt.owner` carries it."""
        return self._owner.id

    async def intend(self, new: NewAttempt) -> Attempt:
        """Write the intent and its hold, or return the row an equal key already made.

        Raises:
            BudgetExceeded: A cap does not fit the hold. Nothing was written.
            SpendingStopped: A brake is on.
        """
        return await self._writer.carry_out(commands.Intend(new=new))

    async def sent(self, attempt_id: str, at: datetime) -> None:
        """Mark that the first byte is about to leave.

        Raises:
            Conflict: The row is not an intent of this owner.
        """
        await self._writer.carry_out(commands.Sent(attempt_id=attempt_id, owner=self.owner, at=at))

    async def free(self, attempt_id: str, outcome: Outcome, at: datetime) -> Attempt:
        """Close an attempt that cost nothing. From intent it is `freed`, from sent what `outcome` says.

        Raises:
            Conflict: It is not an open attempt of this owner.
        """
        command = commands.Free(attempt_id=attempt_id, owner=self.owner, outcome=outcome, at=at)
        return await self._writer.carry_out(command)

    async def settle(self, attempt_id: str, settlement: Settlement) -> Attempt:
        """Close a sent or unknown attempt with its charge and release the rest of the hold.

        Raises:
            Conflict: It is neither sent nor unknown.
        """
        return await self._writer.carry_out(commands.Settle(attempt_id=attempt_id, settlement=settlement))

    async def mark_unknown(self, attempt_id: str, outcome: Outcome, at: datetime) -> Attempt:
        """Note that nobody knows whether it was paid. Its hold stays.

        Raises:
            Conflict: It is not sent.
        """
        command = commands.MarkUnknown(attempt_id=attempt_id, outcome=outcome, at=at)
        return await self._writer.carry_out(command)

    async def reconcile(
        self, scope: Scope, attempt_id: str, *, billed: NanoUSD | None, by: str, at: datetime
    ) -> Attempt:
        """Book what the bill says of an attempt that is unknown, or whose charge is not certain.

        `billed` None means it was not billed. An unknown one becomes `failed`; of a settled one only
        the charge changes. What was reconciled wrongly is set right by reconciling it again.

        Raises:
            Conflict: It is none of these: the upstream told its charge, or it is not sent yet.
            NotFound: None of that id in the workspace.
        """
        command = commands.Reconcile(
            workspace=scope.workspace, attempt_id=attempt_id, billed=billed, by=by, at=at
        )
        return await self._writer.carry_out(command)

    async def adopt(self, attempt: Attempt) -> Attempt:
        """Take over an orphan; of several who try, one succeeds.

        Raises:
            Conflict: Its owner lives, another took it, or it moved on.
        """
        dead = attempt.new.owner
        if not await self.is_dead(dead):
            raise refusals.illegal_move(attempt, "adopt")
        command = commands.Adopt(attempt_id=attempt.id, dead=dead, owner=self.owner)
        return await self._writer.carry_out(command)

    async def is_dead(self, owner: str) -> bool:
        """Return whether no living process goes by that name."""
        return bool(await self._database.reading(lambda connection: self._owner.dead(connection, [owner])))

    async def rows_of(self, attempt_ids: Sequence[str]) -> Sequence[Attempt]:
        """Return the rows of these ids, of every workspace: recovery finds ids in the spool."""
        return await self._database.reading(lambda connection: reads.rows_of(connection, attempt_ids))

    async def orphans(self) -> Sequence[Attempt]:
        """Return rows in intent or sent whose owner is dead, of every workspace, oldest first."""
        return await self._database.reading(lambda connection: reads.orphans(connection, self._owner))

    def close(self) -> None:
        """Finish what was asked and leave; open attempts of this process become orphans at once."""
        self._writer.close()
        self._owner.close()


def open_ledger(database: Database, *, home: Path) -> SqlLedger:
    """Open the ledger in `database` as a fresh owner.

    Signs of life lie in `home` on one machine, in the database where machines share one.

    Raises:
        StorageError: The home or the database cannot be written.
    """
    owner = FileOwner(home / "owners") if database.is_sqlite else BeatingOwner(database)
    return SqlLedger(database, owner)

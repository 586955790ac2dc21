"""All of the ledger that is not a move of an attempt: caps, verdicts, keys, facts and questions."""

from collections.abc import Sequence
from datetime import datetime

from keeprate.database.engine import Database
from keeprate.domain.attempts import Attempt
from keeprate.domain.budgets import Budget, Standing
from keeprate.domain.scopes import Scope
from keeprate.domain.terms import PLAIN_TERMS, Grant, KeyTerms
from keeprate.domain.verdicts import Verdict
from keeprate.ledger import audit, caps, facts, judging, keys, reads, report
from keeprate.ledger.books import Brake
from keeprate.ledger.keys import Alarm, KeyRecord, NewKey
from keeprate.ledger.moves import Move, moves_since
from keeprate.ledger.report import ReportQuery, ReportRow
from keeprate.ledger.writer import Writer
from keeprate.safety.failpoints import failpoint


class Accounts:
    """Reads run beside the writer and never hold it up; changes go through it, one commit each."""

    def __init__(self, database: Database, writer: Writer) -> None:
        """Read from `database`, change through `writer`."""
        self._database = database
        self._writer = writer

    async def attempt(self, scope: Scope, attempt_id: str) -> Attempt:
        """Return a row.

        Raises:
            NotFound: None of that id that the scope may see.
        """
        return await self._database.reading(lambda c: reads.attempt(c, scope, attempt_id))

    async def attempts(
        self, scope: Scope, *, unknown_only: bool, limit: int, intent: str | None
    ) -> Sequence[Attempt]:
        """Return rows, newest first."""
        return await self._database.reading(
            lambda c: reads.newest(c, scope, unknown_only=unknown_only, limit=limit, intent=intent)
        )

    async def attempts_of_intents(self, scope: Scope, intents: Sequence[str]) -> Sequence[Attempt]:
        """Return the rows of these intents, oldest first."""
        return await self._database.reading(lambda c: reads.of_intents(c, scope, intents))

    async def attempts_of_image(self, scope: Scope, sha256: str) -> Sequence[Attempt]:
        """Return the attempts that returned the image `sha256`, oldest first."""
        return await self._database.reading(lambda c: reads.of_image(c, scope, sha256))

    async def standings(self, scope: Scope, *, simulated: bool, at: datetime) -> Sequence[Standing]:
        """Return each cap that binds the scope and where it stands."""
        return await self._database.reading(lambda c: caps.standings(c, scope, simulated=simulated, at=at))

    async def all_standings(self, scope: Scope, *, simulated: bool, at: datetime) -> Sequence[Standing]:
        """Return each cap of the workspace, those of its keys too, and where it stands."""
        return await self._database.reading(
            lambda c: caps.all_standings(c, scope, simulated=simulated, at=at)
        )

    async def budgets(self, scope: Scope) -> Sequence[Budget]:
        """Return every cap of the workspace, those of its keys too, real before simulated."""
        return await self._database.reading(lambda c: caps.all_budgets(c, scope))

    async def set_budget(self, scope: Scope, budget: Budget, at: datetime) -> None:
        """Create or replace a cap. What its window saw before it was set counts."""
        await self._writer.run(lambda c: caps.set_budget(c, scope, budget, at))
        failpoint("ledger.budget.after_commit")

    async def add_budgets(self, scope: Scope, wanted: Sequence[Budget], at: datetime) -> None:
        """Create those caps that do not exist; the others stay as they are."""
        await self._writer.run(lambda c: caps.add_budgets(c, scope, wanted, at))

    async def remove_budget(self, scope: Scope, budget_id: str) -> None:
        """Drop a cap.

        Raises:
            NotFound: No such cap.
        """
        await self._writer.run(lambda c: caps.remove_budget(c, scope, budget_id))

    async def brake(self, scope: Scope, *, simulated: bool) -> Brake | None:
        """Return why spending is stopped, or None where it is not."""
        return await self._database.reading(lambda c: caps.brake(c, scope, simulated=simulated))

    async def stop_spending(self, scope: Scope, *, simulated: bool, reason: str, at: datetime) -> None:
        """Refuse every new hold of the workspace until `resume_spending`."""
        await self._writer.run(lambda c: caps.stop(c, scope, simulated=simulated, reason=reason, at=at))

    async def resume_spending(self, scope: Scope, *, by: str, at: datetime) -> int:
        """Let go of the workspace's brakes; return how many were on."""
        return await self._writer.run(lambda c: caps.resume(c, scope, by=by, at=at))

    async def judge(self, scope: Scope, verdict: Verdict) -> None:
        """Add a verdict; the latest on an image counts and the history stays.

        Raises:
            NotFound: No such attempt, or it did not return that image.
        """
        await self._writer.run(lambda c: judging.judge(c, scope, verdict))
        failpoint("ledger.judge.after_commit")

    async def verdicts(self, scope: Scope, attempt_id: str) -> Sequence[Verdict]:
        """Return the verdicts on an attempt's images, oldest first."""
        return await self._database.reading(lambda c: judging.verdicts_on(c, scope, attempt_id))

    async def report(self, scope: Scope, asked: ReportQuery) -> Sequence[ReportRow]:
        """Return what was spent and kept, by the groups asked for."""
        return await self._database.reading(lambda c: report.rows(c, scope, asked))

    async def moves(self, scope: Scope, since: datetime, *, limit: int) -> Sequence[Move]:
        """Return moves of money from `since` on, oldest first."""
        return await self._database.reading(lambda c: moves_since(c, scope, since, limit))

    async def audit(self, scope: Scope) -> Sequence[str]:
        """Return each place where the workspace's books contradict themselves: none, if all is well."""
        return await self._database.reading(lambda c: audit.contradictions(c, scope))

    async def create_key(
        self, scope: Scope, name: str, at: datetime, *, terms: KeyTerms = PLAIN_TERMS
    ) -> NewKey:
        """Make an API key; its secret is never to be seen again."""
        return await self._writer.run(lambda c: keys.create_key(c, scope, name, at, terms=terms))

    async def has_keys(self, at: datetime | None = None, *, granting: Grant | None = None) -> bool:
        """Return whether this home ever had a key; with `granting`, whether one that lives at `at` grants that."""
        return await self._database.reading(lambda c: keys.has_keys(c, at, granting=granting))

    async def suspend_key(self, alarm: Alarm) -> bool:
        """Suspend the key an alarm is about and keep the alarm; False where it was suspended already."""
        return await self._writer.run(lambda c: keys.suspend_key(c, alarm))

    async def resume_key(self, scope: Scope, key_id: str) -> KeyRecord:
        """Let a suspended key go on.

        Raises:
            NotFound: No such key.
        """
        return await self._writer.run(lambda c: keys.resume_key(c, scope, key_id))

    async def alarms(self, scope: Scope) -> Sequence[Alarm]:
        """Return the workspace's alarms, newest first."""
        return await self._database.reading(lambda c: keys.alarms_of(c, scope))

    async def keys(self, scope: Scope) -> Sequence[KeyRecord]:
        """Return the workspace's keys, oldest first, revoked ones too."""
        return await self._database.reading(lambda c: keys.keys_of(c, scope))

    async def key_of_secret(self, secret: str) -> KeyRecord | None:
        """Return the living key that `secret` is, of whatever workspace, or None."""
        return await self._database.reading(lambda c: keys.key_of_secret(c, secret))

    async def revoke_key(self, scope: Scope, key_id: str, at: datetime) -> KeyRecord:
        """Revoke a key for good.

        Raises:
            NotFound: No such key.
        """
        return await self._writer.run(lambda c: keys.revoke_key(c, scope, key_id, at))

    async def fact(self, scope: Scope, name: str) -> str | None:
        """Return what was noted of this workspace under `name`, or None."""
        return await self._database.reading(lambda c: facts.fact(c, scope, name))

    async def set_fact(self, scope: Scope, name: str, value: str) -> None:
        """Note something of this workspace under `name`, in place of what stood there."""
        await self._writer.run(lambda c: facts.set_fact(c, scope, name, value))

    async def use_price(self, scope: Scope, price_id: str, price_json: str, at: datetime) -> None:
        """Keep the price row an attempt rests on; the first text under an id stays for good."""
        await self._writer.run(lambda c: facts.use_price(c, scope, price_id, price_json, at))

    async def price_used(self, scope: Scope, price_id: str) -> str | None:
        """Return the price row as it stood when first used, as JSON, or None."""
        return await self._database.reading(lambda c: facts.price_used(c, scope, price_id))

"""The money side of a home: caps, keys, reports, and putting the books right by the bill."""

from collections.abc import Sequence
from dataclasses import dataclass

from keeprate.domain.attempts import Attempt
from keeprate.domain.budgets import Budget, Standing, Window
from keeprate.domain.money import NanoUSD
from keeprate.domain.scopes import Scope
from keeprate.ledger.keys import KeyRecord, NewKey
from keeprate.ledger.ledger import SqlLedger
from keeprate.ledger.report import Asked, ReportRow
from keeprate.workflows.first_day import both
from keeprate.workflows.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """What an owner does with the books of one workspace. `Keeprate.accounts` gives it."""

    ledger: SqlLedger
    scope: Scope
    clock: Clock

    @property
    def _by(self) -> str:
        return self.scope.key or "owner"

    async def reconcile(self, attempt_id: str, *, billed: NanoUSD | None) -> Attempt:
        """Book what the upstream's bill says of an attempt; None means it was not billed.

        Raises:
            NotFound: None of that id in this workspace.
            Conflict: Its charge is certain already.
        """
        return await self.ledger.reconcile(
            self.scope, attempt_id, billed=billed, by=self._by, at=self.clock.now()
        )

    async def report(self, asked: Asked) -> Sequence[ReportRow]:
        """Return what was spent and kept, grouped as asked."""
        return await self.ledger.report(self.scope, asked)

    async def budgets(self) -> Sequence[Standing]:
        """Return each cap and where it stands: real money first, then simulated."""
        now = self.clock.now()
        real = await self.ledger.standings(self.scope, simulated=False, at=now)
        return [*real, *await self.ledger.standings(self.scope, simulated=True, at=now)]

    async def set_budget(self, window: Window, limit: NanoUSD, *, key: str | None = None) -> None:
        """Set a cap on real money, and its twin on simulated money."""
        name = f"{window}-cap" if key is None else f"{window}-cap-{key}"
        cap = Budget(id=name, workspace=self.scope.workspace, key=key, window=window, limit=limit)
        for budget in both(cap):
            await self.ledger.set_budget(self.scope, budget, self.clock.now())

    async def remove_budget(self, budget_id: str) -> None:
        """Drop a cap.

        Raises:
            NotFound: No such cap.
        """
        await self.ledger.remove_budget(self.scope, budget_id)

    async def resume_spending(self) -> None:
        """Let go of the brake that an overrun pulled."""
        await self.ledger.resume_spending(self.scope, by=self._by, at=self.clock.now())

    async def create_key(self, name: str) -> NewKey:
        """Make a key; its secret is in the answer and never again."""
        return await self.ledger.create_key(self.scope, name, self.clock.now())

    async def keys(self) -> Sequence[KeyRecord]:
        """Return the keys of this workspace, revoked ones too."""
        return await self.ledger.keys(self.scope)

    async def revoke_key(self, key_id: str) -> KeyRecord:
        """End a key.

        Raises:
            NotFound: No such key.
        """
        return await self.ledger.revoke_key(self.scope, key_id, self.clock.now())

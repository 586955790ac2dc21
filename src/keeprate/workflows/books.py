"""The money, as the workflows need it. `keeprate.ledger` fits this shape."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from keeprate.domain.attempts import Attempt, NewAttempt, Settlement
from keeprate.domain.budgets import Budget, Standing
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import Outcome
from keeprate.domain.scopes import Scope
from keeprate.domain.verdicts import Verdict


class Ledger(Protocol):
    """The money. Every method is one durable commit when it returns."""

    async def intend(self, new: NewAttempt) -> Attempt:
        """Write the intent and its hold, or return the row an equal key already made.

        Raises:
            BudgetExceeded: A cap does not fit the hold. Nothing was written.
            SpendingStopped: A brake is on.
        """
        ...

    async def sent(self, attempt_id: str, at: datetime) -> None:
        """Mark that the first byte is about to leave.

        Raises:
            Conflict: The row is not an intent of this owner.
        """
        ...

    async def free(self, attempt_id: str, outcome: Outcome, at: datetime) -> Attempt:
        """Close an attempt that cost nothing: never sent, or refused free. Releases its hold."""
        ...

    async def settle(self, attempt_id: str, settlement: Settlement) -> Attempt:
        """Close a sent or unknown attempt with its charge and release the rest of the hold."""
        ...

    async def mark_unknown(self, attempt_id: str, outcome: Outcome, at: datetime) -> Attempt:
        """Note that nobody knows whether it was paid. Its hold stays."""
        ...

    async def reconcile(
        self, scope: Scope, attempt_id: str, *, billed: NanoUSD | None, by: str, at: datetime
    ) -> Attempt:
        """Book what the bill says of an attempt that is unknown, or whose charge is not certain.

        `billed` None means it was not billed. What a person said before may be said again, rightly.

        Raises:
            Conflict: The upstream told its charge, or it has none to come.
        """
        ...

    async def attempt(self, scope: Scope, attempt_id: str) -> Attempt:
        """Return a row.

        Raises:
            NotFound: None of that id in the scope's workspace.
        """
        ...

    async def attempts(
        self, scope: Scope, *, unknown_only: bool, limit: int, intent: str | None
    ) -> Sequence[Attempt]:
        """Return rows, newest first."""
        ...

    async def attempts_of_intents(self, scope: Scope, intents: Sequence[str]) -> Sequence[Attempt]:
        """Return the rows of these intents, oldest first."""
        ...

    async def attempts_of_image(self, scope: Scope, sha256: str) -> Sequence[Attempt]:
        """Return the attempts that returned the image `sha256`, oldest first."""
        ...

    async def standings(self, scope: Scope, *, simulated: bool, at: datetime) -> Sequence[Standing]:
        """Return each cap that binds the scope and where it stands."""
        ...

    async def set_budget(self, scope: Scope, budget: Budget, at: datetime) -> None:
        """Create or replace a cap."""
        ...

    async def remove_budget(self, scope: Scope, budget_id: str) -> None:
        """Drop a cap.

        Raises:
            NotFound: No such cap.
        """
        ...

    async def judge(self, scope: Scope, verdict: Verdict) -> None:
        """Add a verdict; the latest on an image counts and the history stays."""
        ...

    async def verdicts(self, scope: Scope, attempt_id: str) -> Sequence[Verdict]:
        """Return the verdicts on an attempt's images, oldest first."""
        ...

    async def orphans(self) -> Sequence[Attempt]:
        """Return rows in intent or sent whose owner is dead."""
        ...

    async def rows_of(self, attempt_ids: Sequence[str]) -> Sequence[Attempt]:
        """Return the rows of these ids, of every workspace: recovery finds ids in the spool."""
        ...

    async def adopt(self, attempt: Attempt) -> Attempt:
        """Take over an orphan; of several who try, one succeeds.

        Raises:
            Conflict: Its owner lives, another took it, or it moved on.
        """
        ...

    async def use_price(self, scope: Scope, price_id: str, price_json: str, at: datetime) -> None:
        """Keep a price row that money was booked by; the first text under an id stays."""
        ...

    async def price_used(self, scope: Scope, price_id: str) -> str | None:
        """Return the price row as it stood when money was first booked by it, or None."""
        ...

    async def fact(self, scope: Scope, name: str) -> str | None:
        """Return a small fact that the workspace remembers, such as a consent, or None."""
        ...

    async def set_fact(self, scope: Scope, name: str, value: str) -> None:
        """Remember a small fact of the workspace."""
        ...

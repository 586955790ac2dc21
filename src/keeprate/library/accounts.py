"""The money side of a home: caps, keys, reports, and putting the books right by the bill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keeprate.catalogue.book import Book
from keeprate.domain.attempts import Attempt
from keeprate.domain.budgets import Budget, Standing, Window
from keeprate.domain.errors import InvalidValue, NotFound
from keeprate.domain.money import NanoUSD, display, usd
from keeprate.domain.numbers import whole
from keeprate.domain.purposes import word
from keeprate.domain.scopes import Role, Scope
from keeprate.ledger.books import Brake
from keeprate.ledger.keys import Alarm, KeyRecord, NewKey
from keeprate.ledger.ledger import SqlLedger
from keeprate.ledger.report import ReportQuery, ReportRow
from keeprate.workflows.first_day import both
from keeprate.workflows.plans import Plan, TermsAsked, agreed, plans_in
from keeprate.workflows.ports import Clock

UNASKED: Final = TermsAsked()
# A bill this many times the hold is more likely a slip of the pen than a price.
SLIP: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """What an owner does with the books of one workspace. `Keeprate.accounts` gives it."""

    ledger: SqlLedger
    scope: Scope
    clock: Clock
    book: Book
    overlay: tuple[tuple[str, str], ...] = ()

    @property
    def _by(self) -> str:
        return self.scope.key or "owner"

    async def reconcile(
        self, attempt_id: str, *, billed: NanoUSD | str | None, force: bool = False
    ) -> Attempt:
        """Book what the upstream's bill says of an attempt; None means it was not billed.

        `billed` is US dollars as text, or whole nano-dollars. `force` agrees to an amount above twice
        what was held. What was said before may be said again, rightly.

        Raises:
            NotFound: None of that id in this workspace.
            Conflict: The upstream told its charge.
            InvalidValue: An amount that is none, or one so large that it is more likely a slip.
        """
        billed = None if billed is None else _amount(billed, field="amount")
        row = await self.ledger.attempt(self.scope, attempt_id)
        if billed is not None and billed > SLIP * row.new.hold and not force:
            raise InvalidValue(
                f"${display(billed)} is more than twice the ${display(row.new.hold)} held for {attempt_id}",
                field="amount",
                value=display(billed),
                remedy="look at the bill again; if it says so, add --force",
            )
        return await self.ledger.reconcile(
            self.scope, attempt_id, billed=billed, by=self._by, at=self.clock.now()
        )

    async def report(self, asked: ReportQuery) -> Sequence[ReportRow]:
        """Return what was spent and kept, grouped as asked."""
        return await self.ledger.report(self.scope, asked)

    async def budgets(self) -> Sequence[Standing]:
        """Return each cap and where it stands: real money first, then simulated.

        An owner sees those of every key, a key the ones that bind it.
        """
        now = self.clock.now()
        look = self.ledger.all_standings if Role.OWNER in self.scope.roles else self.ledger.standings
        real = await look(self.scope, simulated=False, at=now)
        return [*real, *await look(self.scope, simulated=True, at=now)]

    async def set_budget(self, window: Window | str, limit: NanoUSD | str, *, key: str | None = None) -> None:
        """Set a cap on real money, and its twin on simulated money.

        `limit` is US dollars as text, or whole nano-dollars. `key` is the id of a key, and may name one of
        its end users ("key_1/ana").

        Raises:
            InvalidValue: A window or an amount that is none.
            NotFound: No such key, or it was revoked.
        """
        window, limit = word(Window, window, field="window"), _amount(limit, field="limit")
        if key is not None:
            await self._refuse_unknown(key)
        name = f"{window}-cap" if key is None else f"{window}-cap-{key}"
        cap = Budget(id=name, workspace=self.scope.workspace, key=key, window=window, limit=limit)
        for budget in both(cap):
            await self.ledger.set_budget(self.scope, budget, self.clock.now())

    async def _refuse_unknown(self, key: str) -> None:
        living = {record.id for record in await self.keys() if not record.is_revoked}
        if key.partition("/")[0] not in living:
            raise NotFound(
                f"no key {key!r} is in use here",
                field="key",
                value=key,
                remedy="list them with `keeprate keys`",
            )

    async def remove_budget(self, budget_id: str) -> None:
        """Drop a cap.

        Raises:
            NotFound: No such cap.
        """
        await self.ledger.remove_budget(self.scope, budget_id)

    async def resume_spending(self) -> None:
        """Let go of the brake that an overrun pulled."""
        await self.ledger.resume_spending(self.scope, by=self._by, at=self.clock.now())

    async def stop_spending(self, reason: str) -> None:
        """Refuse every new purchase of the workspace, in every process, until `resume_spending`."""
        now = self.clock.now()
        for simulated in (False, True):
            await self.ledger.stop_spending(self.scope, simulated=simulated, reason=reason, at=now)

    async def brakes(self) -> Sequence[Brake]:
        """Return why buying is stopped: real money first, then simulated; empty where it is not."""
        found = [await self.ledger.brake(self.scope, simulated=simulated) for simulated in (False, True)]
        return [brake for brake in found if brake is not None]

    def plans(self) -> Mapping[str, Plan]:
        """Return the plans that keys can be made on: ours, and those of keeprate.toml over them.

        Raises:
            ConfigError: A plan in keeprate.toml does not fit.
        """
        return plans_in(self.overlay)

    async def create_key(self, name: str, asked: TermsAsked = UNASKED) -> NewKey:
        """Make a key on the terms asked for; its secret is in the answer and never again.

        Raises:
            InvalidValue: A term that is not known, or does not fit.
        """
        if not isinstance(name, str) or not name.strip():  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValue(
                f"{name!r} is no name for a key", field="name", value=name, remedy="name who or what uses it"
            )
        now = self.clock.now()
        made_with = agreed(asked, self.plans(), book=self.book, now=now)
        made = await self.ledger.create_key(self.scope, name, now, terms=made_with.terms)
        if made_with.cap is not None:
            await self.set_budget(made_with.cap.window, made_with.cap.limit, key=made.record.id)
        return made

    async def resume_key(self, key_id: str) -> KeyRecord:
        """Let a key go on that an alarm suspended.

        Raises:
            NotFound: No such key.
        """
        return await self.ledger.resume_key(self.scope, key_id)

    async def alarms(self) -> Sequence[Alarm]:
        """Return the workspace's alarms, newest first."""
        return await self.ledger.alarms(self.scope)

    async def keys(self) -> Sequence[KeyRecord]:
        """Return the keys of this workspace, revoked ones too."""
        return await self.ledger.keys(self.scope)

    async def revoke_key(self, key_id: str) -> KeyRecord:
        """End a key.

        Raises:
            NotFound: No such key.
        """
        return await self.ledger.revoke_key(self.scope, key_id, self.clock.now())


def _amount(given: NanoUSD | str, *, field: str) -> NanoUSD:
    return usd(given, field=field) if isinstance(given, str) else NanoUSD(whole(given, field=field))

"""What paying needs, and the paid calls under way."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import msgspec

from keeprate.catalogue.cards import PriceRow
from keeprate.domain.attempts import Attempt
from keeprate.domain.scopes import Scope
from keeprate.workflows.books import Ledger
from keeprate.workflows.ports import Answer, Assets, Clock, SendFailure, Spool, StoredImage, Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """How a paid call ended. `answer` is None where no reply was understood.

    `replayed` tells that an equal key had made the row before, so nothing was sent now.
    """

    attempt: Attempt
    images: tuple[StoredImage, ...] = ()
    answer: Answer | None = None
    failure: SendFailure | None = None
    replayed: bool = False


Locks = WeakValueDictionary[tuple[str, str], asyncio.Lock]


def _no_locks() -> Locks:
    return WeakValueDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """The stores that paying works on. `running` holds the paid calls by attempt: no caller can drop one."""

    ledger: Ledger
    spool: Spool
    assets: Assets
    turns: Turns
    clock: Clock
    running: dict[str, asyncio.Task[Paid]] = field(default_factory=dict[str, asyncio.Task[Paid]])
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    prices_kept: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    intents: Locks = field(default_factory=_no_locks)

    @property
    def is_closing(self) -> bool:
        """Return whether somebody asked that nothing more be bought."""
        return self.closing.is_set()

    async def drain(self) -> None:
        """Wait until every paid call that is under way has been settled."""
        while self.running:
            await asyncio.wait(self.running.values())

    def one_at_a_time(self, workspace: str, intent: str) -> AbstractAsyncContextManager[None]:
        """Return the lock under which callers of this process with one intent take turns."""
        return self.intents.setdefault((workspace, intent), asyncio.Lock())


async def keep_price(till: Till, workspace: str, price: PriceRow | None) -> None:
    """Keep the price row money is booked by, once: a later rate card leaves history as it was."""
    if price is None or (workspace, price.id) in till.prices_kept:
        return
    text = msgspec.json.encode(price).decode()
    await till.ledger.use_price(Scope(workspace=workspace), price.id, text, till.clock.now())
    till.prices_kept.add((workspace, price.id))

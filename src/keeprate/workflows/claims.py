"""Paid once: whoever asks for the same thing again gets the answer that was bought, where that is meant.

Four ways lead to an answer that exists: an idempotency key; an orphan, which is the answer of a client that
left before its last byte; the exact cache and single-flight, where they are asked for. Equal requests of
live clients without any of these are separate purchases.

A claim's id is the intent its attempts are bought under. So a purchase that a crash interrupted is simply
asked for again: the ledger knows what was bought, and at most once is its promise. A live request without a
key is in memory only and costs no commit; the fingerprint in its intent finds it in the ledger.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from keeprate.domain.attempts import Attempt
from keeprate.domain.scopes import Scope
from keeprate.workflows import kept_answers
from keeprate.workflows.asking import (
    KEPT_FOR,
    Asking,
    claim_of,
    clean_claim,
    fresh_claim,
    hidden,
    is_over,
    mismatch,
    unanswered_since,
)
from keeprate.workflows.claim_runs import POLL_S, Buy, Claimed, How, Runs, Turn
from keeprate.workflows.claim_store import Claim, ClaimKind, ClaimStore
from keeprate.workflows.exact_cache import ExactCache
from keeprate.workflows.kept_answers import Bought, KeptAnswer, Piece, unpacked
from keeprate.workflows.orphans import Orphans
from keeprate.workflows.ports import Assets, Clock, Rng

_TIDY_EVERY: Final = timedelta(hours=1)
# A client waits ten minutes for an answer and two for its next try.
_RESENT_WITHIN: Final = timedelta(minutes=15)

IsDead = Callable[[str], Awaitable[bool]]


class Claims:
    """Who asked for what, and what they were answered. One for all requests of this process."""

    def __init__(
        self, store: ClaimStore, assets: Assets, *, clock: Clock, rng: Rng, owner: str, is_dead: IsDead
    ) -> None:
        """Remember in `store`, as the process `owner`."""
        self._store = store
        self._assets = assets
        self._clock = clock
        self._rng = rng
        self._owner = owner
        self._is_dead = is_dead
        self._tasks: set[asyncio.Task[object]] = set()
        self._has_bought = False
        self._tidied_at: datetime | None = None
        self._orphans = Orphans(store, clock)
        self._cache = ExactCache(store, assets, clock=clock)
        self._runs = Runs(store, cache=self._cache, orphans=self._orphans, clock=clock)

    async def answer(self, asking: Asking, buy: Buy) -> Claimed:
        """Return the answer to a request: one that exists, or what `buy` brings.

        `buy` runs in a task of its own that outlives its caller.

        Raises:
            IdempotencyMismatch: The idempotency key was used for another request.
            KeeprateError: What `buy` raises; the key may then be used again.
        """
        task = asyncio.create_task(self._answered(asking, buy), name="claim")
        self._keep_alive(task)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                self._keep_alive(asyncio.create_task(_left_when_done(task), name="claim-left"))
            raise

    async def open(self, asking: Asking) -> Claimed | Turn:
        """Return an answer that exists, or the turn to buy one, which must be finished or failed.

        Raises:
            IdempotencyMismatch: The idempotency key was used for another request.
        """
        self._tidy_up()
        if asking.idempotency_key is not None:
            return await self._named(asking, ClaimKind.KEYED, hidden(asking.idempotency_key))
        cached = await self._cache.find(asking)
        if cached is not None:
            return Claimed(self._runs, Bought(answer=cached), How.CACHED, None)
        if asking.single_flight:
            return await self._named(asking, ClaimKind.FLIGHT, asking.fingerprint)
        orphan = await self._orphan(asking)
        self._has_bought = True
        return orphan or self._runs.begin(asking, self._fresh(asking, ClaimKind.LEFT, None), is_written=False)

    def begin(self, turn: Turn, buy: Buy) -> "asyncio.Task[Claimed]":
        """Begin to buy for `turn` in a task that nobody's leaving ends, and return it."""
        task = asyncio.create_task(turn.buy(buy), name="claim")
        # An error that its client did not wait for is on record; nobody else need hear of it.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._keep_alive(task)
        return task

    async def drain(self) -> None:
        """Wait until every purchase under way has its answer kept, and note that nobody is owed one."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        if self._has_bought:
            await self._store.begin(clean_claim(self._owner, self._clock.now()))

    async def lost(self, row: Attempt) -> None:
        """Note that the process that made `row` died before its client had the answer."""
        claim = claim_of(row, self._clock.now())
        if claim is not None and await self._store.find(claim.workspace, claim.id) is None:
            await self._store.begin(claim)

    async def sweep(self) -> int:
        """Forget what is older than a claim lasts; return how many."""
        return await self._store.sweep(self._clock.now() - KEPT_FOR)

    async def folded(self, scope: Scope, body: bytes) -> tuple[Piece, ...]:
        """Return a body in pieces, with the images that the store holds by hash."""

        def is_stored(sha256: str) -> bool:
            return self._assets.find(scope.workspace, sha256) is not None

        return await asyncio.to_thread(kept_answers.folded, body, is_stored)

    def slices(self, scope: Scope, answer: KeptAnswer) -> AsyncIterator[bytes]:
        """Return the body of an answer in slices of at most 64 KiB."""
        return kept_answers.slices(answer, self._assets, scope.workspace)

    async def _answered(self, asking: Asking, buy: Buy) -> Claimed:
        opened = await self.open(asking)
        return opened if isinstance(opened, Claimed) else await opened.buy(buy)

    async def _named(self, asking: Asking, kind: ClaimKind, name: str) -> Claimed | Turn:
        """Return the answer that a name stands for, waiting for it, or the turn to be the first."""
        arrived = self._clock.now()
        while True:
            mine = self._fresh(asking, kind, name)
            # Known before it is written: an equal request must find somebody to wait for.
            turn = self._runs.begin(asking, mine, is_written=True)
            found = await self._store.begin(mine)
            if found is not None and is_over(found, arrived):
                found = await self._store.renew(found, mine)
            if found is None:
                return await self._first(asking, turn, mine)
            self._runs.forget(turn.run)
            if found.fingerprint != asking.fingerprint:
                raise mismatch(asking)
            standing = await self._standing(asking, found)
            if standing is not None:
                return standing
            await self._clock.sleep(POLL_S)

    async def _first(self, asking: Asking, turn: Turn, claim: Claim) -> Claimed | Turn:
        cached = await self._cache.find(asking) if claim.kind is ClaimKind.KEYED else None
        if cached is None:
            return turn
        await turn.finish(Bought(answer=cached))
        return Claimed(self._runs, Bought(answer=cached), How.CACHED, None)

    async def _standing(self, asking: Asking, found: Claim) -> Claimed | Turn | None:
        """Return what a claim comes to, the turn where nobody buys for it, or None to look again."""
        how = How.JOINED if found.kind is ClaimKind.FLIGHT else How.REPLAYED
        if found.answer is not None:
            return Claimed(self._runs, Bought(answer=unpacked(found.answer)), how, None)
        run = self._runs.of(found)
        if run is not None:
            return Claimed(self._runs, await asyncio.shield(run.done), how, None)
        if not await self._is_idle(found) or not await self._store.adopt(found, self._owner):
            return None
        return self._runs.begin(asking, found, is_written=True, how=how)

    async def _is_idle(self, claim: Claim) -> bool:
        return claim.owner in {"", self._owner} or await self._is_dead(claim.owner)

    async def _orphan(self, asking: Asking) -> Claimed | Turn | None:
        here = await self._orphan_here(asking)
        if here is not None:
            return here
        taken = await self._orphans.taken(asking.equals)
        if taken is not None:
            return await self._taken(asking, taken)
        return await self._in_ledger(asking) if asking.is_resend else None

    async def _orphan_here(self, asking: Asking) -> Claimed | None:
        """Wait for a purchase under way in this process, where its client left or says that it lost it."""
        for run in self._runs.equals(asking):
            if not (run.has_left or asking.is_resend) or run.is_taken:
                continue
            run.is_taken = True
            if not run.has_left:
                await self._runs.leave(run)
            if await self._store.take(run.claim) is not None:
                bought = await asyncio.shield(run.done)
                return Claimed(self._runs, bought, How.ORPHAN, run.claim)
        return None

    async def _taken(self, asking: Asking, claim: Claim) -> Claimed | Turn:
        while True:
            if claim.answer is not None:
                return Claimed(self._runs, Bought(answer=unpacked(claim.answer)), How.ORPHAN, claim)
            run = self._runs.of(claim)
            if run is not None:
                return Claimed(self._runs, await asyncio.shield(run.done), How.ORPHAN, claim)
            if await self._is_idle(claim) and await self._store.adopt(claim, self._owner):
                return self._runs.begin(asking, claim, is_written=True, how=How.ORPHAN)
            await self._clock.sleep(POLL_S)
            claim = await self._store.find(claim.workspace, claim.id) or claim

    async def _in_ledger(self, asking: Asking) -> Turn | None:
        """Return the turn to go on with a purchase whose client came back, be it of whatever process."""
        asked = unanswered_since(asking, self._clock.now() - _RESENT_WITHIN)
        for intent, owner in await self._store.unanswered(asked):
            # What a living process settled has its client, or is among the orphans.
            if owner == self._owner or (owner and not await self._is_dead(owner)):
                continue
            claim = self._fresh(asking, ClaimKind.LEFT, intent)
            if await self._store.begin(claim) is None and await self._store.take(claim) is not None:
                return self._runs.begin(asking, claim, is_written=True, how=How.ORPHAN)
        return None

    def _fresh(self, asking: Asking, kind: ClaimKind, name: str | None) -> Claim:
        token, now = self._rng.token(), self._clock.now()
        return fresh_claim(asking, kind, name, owner=self._owner, token=token, now=now)

    def _tidy_up(self) -> None:
        """Forget, every hour and beside other work, what is too old to answer anybody."""
        now = self._clock.now()
        if self._tidied_at is None or now - self._tidied_at >= _TIDY_EVERY:
            self._tidied_at = now
            self._keep_alive(asyncio.create_task(self.sweep(), name="claims-sweep"))

    def _keep_alive(self, task: "asyncio.Task[Claimed] | asyncio.Task[None] | asyncio.Task[int]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _left_when_done(task: "asyncio.Task[Claimed]") -> None:
    """Leave the answer to the next who asks, when it is there."""
    await asyncio.wait([task])
    if not task.cancelled() and task.exception() is None:
        await task.result().left()

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
from datetime import timedelta
from typing import Final

from keeprate.domain.attempts import Attempt
from keeprate.domain.errors import KeeprateError, UnderWay, UpstreamUnknown
from keeprate.domain.scopes import Scope
from keeprate.workflows import kept_answers
from keeprate.workflows.asking import KEPT_FOR, Asking, claim_of, hidden, is_over, mismatch
from keeprate.workflows.claim_runs import How, Run
from keeprate.workflows.claim_store import Claim, ClaimKind, ClaimStore
from keeprate.workflows.exact_cache import ExactCache
from keeprate.workflows.kept_answers import Bought, KeptAnswer, Piece, packed, unpacked
from keeprate.workflows.orphans import Orphans
from keeprate.workflows.ports import Assets, Clock, Rng

_POLL_S: Final = 0.1
_LONGEST_WAIT: Final = timedelta(seconds=900)

Buy = Callable[[str], Awaitable[Bought]]
IsDead = Callable[[str], Awaitable[bool]]


class Claimed:
    """An answer, how it came about, and what becomes of it: its client has it, or has left."""

    def __init__(self, claims: "Claims", bought: Bought, how: How, claim: Claim | None) -> None:
        """Hand out `bought`; `claim` is what it was kept as, where somebody may want it back."""
        self.answer: KeptAnswer = bought.answer
        self.settled = bought.settled
        self.how = how
        self._claims = claims
        self._claim = claim

    async def served(self) -> None:
        """Note that the last byte was handed over."""
        if self._claim is not None:
            await self._claims.was_served(self._claim, settled=self.settled)

    async def left(self) -> None:
        """Note that the client went before the last byte: the next equal request gets the answer."""
        if self._claim is not None:
            await self._claims.was_left(self._claim, how=self.how)


class Turn:
    """The right, and the duty, to buy for a request. `intent` is what its attempts are bought under."""

    def __init__(self, claims: "Claims", run: Run) -> None:
        """Buy for `run`."""
        self._claims = claims
        self._run = run

    @property
    def intent(self) -> str:
        """Return the intent: the same after a crash, so that nothing is bought twice."""
        return self._run.claim.id

    async def buy(self, buy: Buy) -> Claimed:
        """Return what `buy` brings, kept.

        Raises:
            KeeprateError: What `buy` raises.
        """
        has_ended = False
        try:
            bought = await self._claims.patiently(buy, self.intent)
            has_ended = True
        except KeeprateError as error:
            has_ended = True
            await self.failed(error)
            raise
        finally:
            if not has_ended:
                # Whatever ended it, nobody may wait for ever; the ledger knows what was bought.
                self._claims.forget(self._run)
        return await self.finish(bought)

    async def finish(self, bought: Bought) -> Claimed:
        """Keep the answer and give it to all who wait for it."""
        return await self._claims.finished(self._run, bought)

    async def failed(self, error: KeeprateError) -> None:
        """Tell all who wait that nothing came; what was surely not bought may be asked for anew."""
        await self._claims.failed(self._run, error)

    async def served(self) -> None:
        """Note that the client has the last byte."""
        ended = self._run.done
        settled = ended.done() and not ended.cancelled() and not ended.exception() and ended.result().settled
        await self._claims.was_served(self._run.claim, settled=settled)

    async def left(self) -> None:
        """Note that the client has gone; the purchase goes on."""
        await self._claims.was_left(self._run.claim, how=self._run.how)


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
        self._runs: dict[tuple[str, str], Run] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._orphans = Orphans(store, clock)
        self._cache = ExactCache(store, assets, clock=clock)

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
        if asking.idempotency_key is not None:
            return await self._named(asking, ClaimKind.KEYED, hidden(asking.idempotency_key))
        cached = await self._cache.find(asking)
        if cached is not None:
            return Claimed(self, Bought(answer=cached), How.CACHED, None)
        if asking.single_flight:
            return await self._named(asking, ClaimKind.FLIGHT, asking.fingerprint)
        orphan = await self._orphan(asking)
        return orphan or self._turn(asking, self._fresh(asking, ClaimKind.LEFT, None), is_written=False)

    async def drain(self) -> None:
        """Wait until every purchase under way has its answer kept."""
        while self._tasks:
            await asyncio.wait(self._tasks)

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

    async def patiently(self, buy: Buy, intent: str) -> Bought:
        """Return what `buy` brings, waiting while another process is at it."""
        ends = self._clock.now() + _LONGEST_WAIT
        while True:
            try:
                return await buy(intent)
            except UnderWay:
                if self._clock.now() >= ends:
                    raise
            await self._clock.sleep(_POLL_S)

    async def finished(self, run: Run, bought: Bought) -> Claimed:
        """Keep what a run brought and hand it out."""
        async with run.turn:
            if run.is_written and bought.settled:
                await self._store.keep(run.claim, packed(bought.answer), self._clock.now())
            elif run.is_written:
                await self._store.release(run.claim)
            await self._cache.keep(run.asking, bought)
            run.done.set_result(bought)
            if run.is_written:
                self._runs.pop((run.claim.workspace, run.claim.id), None)
        return Claimed(self, bought, run.how, run.claim)

    async def failed(self, run: Run, error: KeeprateError) -> None:
        """Forget a run that brought nothing, or leave one that may have to whoever asks again."""
        async with run.turn:
            if run.is_written and isinstance(error, UpstreamUnknown):
                await self._store.release(run.claim)
            elif run.is_written:
                await self._store.drop(run.claim)
            if not run.done.done():
                run.done.set_exception(error)
        self.forget(run)

    def forget(self, run: Run) -> None:
        """Let nobody wait for a run any more."""
        self._runs.pop((run.claim.workspace, run.claim.id), None)
        if not run.done.done():
            run.done.cancel()

    async def was_served(self, claim: Claim, *, settled: bool) -> None:
        """Note that a client has its answer: no equal request is to get it."""
        run = self._runs.get((claim.workspace, claim.id))
        if run is not None and run.done.done():
            self.forget(run)
        if claim.kind is ClaimKind.LEFT and not settled:
            # Nothing to give away; a marked re-send finds the attempt in the ledger.
            await self._store.drop(claim)

    async def was_left(self, claim: Claim, *, how: How) -> None:
        """Note that a client went before its last byte. A key or a flight answers again anyhow."""
        run = self._runs.get((claim.workspace, claim.id))
        if claim.kind is not ClaimKind.LEFT:
            return
        if how is How.ORPHAN:
            await self._store.give_back(claim)
        elif run is not None and not run.is_taken:
            await self._leave(run)
        else:
            return  # somebody came for it already
        self._orphans.add(claim)

    async def _leave(self, run: Run) -> None:
        async with run.turn:
            run.has_left = True
            if run.is_written:
                return
            await self._store.begin(run.claim)
            run.is_written = True
            if not run.done.done():
                return
            bought = run.done.result()
            if bought.settled:
                await self._store.keep(run.claim, packed(bought.answer), self._clock.now())
            else:
                await self._store.release(run.claim)
        self.forget(run)

    async def _answered(self, asking: Asking, buy: Buy) -> Claimed:
        opened = await self.open(asking)
        return opened if isinstance(opened, Claimed) else await opened.buy(buy)

    async def _named(self, asking: Asking, kind: ClaimKind, name: str) -> Claimed | Turn:
        """Return the answer that a name stands for, waiting for it, or the turn to be the first."""
        arrived = self._clock.now()
        while True:
            mine = self._fresh(asking, kind, name)
            # Known before it is written: an equal request must find somebody to wait for.
            turn = self._turn(asking, mine, is_written=True)
            found = await self._store.begin(mine)
            if found is not None and is_over(found, arrived):
                found = await self._store.renew(found, mine)
            if found is None:
                return await self._first(asking, turn, mine)
            self.forget(self._runs[mine.workspace, mine.id])
            if found.fingerprint != asking.fingerprint:
                raise mismatch(asking)
            standing = await self._standing(asking, found)
            if standing is not None:
                return standing
            await self._clock.sleep(_POLL_S)

    async def _first(self, asking: Asking, turn: Turn, claim: Claim) -> Claimed | Turn:
        cached = await self._cache.find(asking) if claim.kind is ClaimKind.KEYED else None
        if cached is None:
            return turn
        await turn.finish(Bought(answer=cached))
        return Claimed(self, Bought(answer=cached), How.CACHED, None)

    async def _standing(self, asking: Asking, found: Claim) -> Claimed | Turn | None:
        """Return what a claim comes to, the turn where nobody buys for it, or None to look again."""
        how = How.JOINED if found.kind is ClaimKind.FLIGHT else How.REPLAYED
        if found.answer is not None:
            return Claimed(self, Bought(answer=unpacked(found.answer)), how, None)
        run = self._runs.get((found.workspace, found.id))
        if run is not None:
            return Claimed(self, await asyncio.shield(run.done), how, None)
        if not await self._is_idle(found) or not await self._store.adopt(found, self._owner):
            return None
        return self._turn(asking, found, is_written=True, how=how)

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
        runs = [
            run
            for run in self._runs.values()
            if run.claim.kind is ClaimKind.LEFT and not run.is_taken and run.asking.equals == asking.equals
        ]
        for run in sorted(runs, key=lambda run: not run.has_left):
            if not (run.has_left or asking.is_resend) or run.is_taken:
                continue
            run.is_taken = True
            if not run.has_left:
                await self._leave(run)
            if await self._store.take(run.claim) is not None:
                bought = await asyncio.shield(run.done)
                return Claimed(self, bought, How.ORPHAN, run.claim)
        return None

    async def _taken(self, asking: Asking, claim: Claim) -> Claimed | Turn:
        while True:
            if claim.answer is not None:
                return Claimed(self, Bought(answer=unpacked(claim.answer)), How.ORPHAN, claim)
            run = self._runs.get((claim.workspace, claim.id))
            if run is not None:
                return Claimed(self, await asyncio.shield(run.done), How.ORPHAN, claim)
            if await self._is_idle(claim) and await self._store.adopt(claim, self._owner):
                return self._turn(asking, claim, is_written=True, how=How.ORPHAN)
            await self._clock.sleep(_POLL_S)
            claim = await self._store.find(claim.workspace, claim.id) or claim

    async def _in_ledger(self, asking: Asking) -> Turn | None:
        """Return the turn to go on with a purchase whose client came back, be it of whatever process."""
        for intent in await self._store.open_intents(asking.scope.workspace, asking.caller, asking.prefix):
            claim = self._fresh(asking, ClaimKind.LEFT, intent)
            if await self._store.begin(claim) is None and await self._store.take(claim) is not None:
                return self._turn(asking, claim, is_written=True, how=How.ORPHAN)
        return None

    def _fresh(self, asking: Asking, kind: ClaimKind, name: str | None) -> Claim:
        """Return a claim not yet written. One of a client that left is named by its intent."""
        known = kind is ClaimKind.LEFT and name is not None
        intent = name if known and name is not None else asking.prefix + self._rng.token()
        return Claim(
            workspace=asking.scope.workspace,
            id=intent,
            caller=asking.caller,
            kind=kind,
            name=name or intent,
            fingerprint=asking.fingerprint,
            owner=self._owner,
            created_at=self._clock.now(),
        )

    def _turn(self, asking: Asking, claim: Claim, *, is_written: bool, how: How = How.BOUGHT) -> Turn:
        done: asyncio.Future[Bought] = asyncio.get_running_loop().create_future()
        # An error that nobody waits for is no news: the one who bought has raised it.
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        run = Run(asking=asking, claim=claim, how=how, done=done, is_written=is_written)
        self._runs[claim.workspace, claim.id] = run
        return Turn(self, run)

    def _keep_alive(self, task: "asyncio.Task[Claimed] | asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _left_when_done(task: "asyncio.Task[Claimed]") -> None:
    """Leave the answer to the next who asks, when it is there."""
    await asyncio.wait([task])
    if not task.cancelled() and task.exception() is None:
        await task.result().left()

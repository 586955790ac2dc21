"""Purchases of this process that somebody may wait for, and what becomes of their answers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from keeprate.domain.errors import KeeprateError, UnderWay, UpstreamUnknown
from keeprate.workflows.asking import Asking
from keeprate.workflows.claim_store import Claim, ClaimKind, ClaimStore
from keeprate.workflows.exact_cache import ExactCache
from keeprate.workflows.kept_answers import Bought, KeptAnswer, packed
from keeprate.workflows.orphans import Orphans
from keeprate.workflows.ports import Clock

POLL_S: Final = 0.1
_LONGEST_WAIT: Final = timedelta(seconds=900)

Buy = Callable[[str], Awaitable[Bought]]


class How(StrEnum):
    """Where an answer came from. Only `BOUGHT` cost something now."""

    BOUGHT = "bought"
    REPLAYED = "replayed"
    JOINED = "joined"
    ORPHAN = "orphan"
    CACHED = "cached"


@dataclass(slots=True, kw_only=True)
class Run:
    """A purchase of this process, until its client has the answer. `is_written` says that a row tells of it."""

    asking: Asking
    claim: Claim
    how: How
    done: "asyncio.Future[Bought]"
    is_written: bool
    has_left: bool = False
    is_taken: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Claimed:
    """An answer, how it came about, and what becomes of it: its client has it, or has left."""

    def __init__(self, runs: "Runs", bought: Bought, how: How, claim: Claim | None) -> None:
        """Hand out `bought`; `claim` is what it was kept as, where somebody may want it back."""
        self.answer: KeptAnswer = bought.answer
        self.settled = bought.settled
        self.how = how
        self._runs = runs
        self._claim = claim

    async def served(self) -> None:
        """Note that the last byte was handed over."""
        if self._claim is not None:
            await self._runs.was_served(self._claim, settled=self.settled)

    async def left(self) -> None:
        """Note that the client went before the last byte: the next equal request gets the answer."""
        if self._claim is not None:
            await self._runs.was_left(self._claim, how=self.how)


class Turn:
    """The right, and the duty, to buy for a request. `intent` is what its attempts are bought under."""

    def __init__(self, runs: "Runs", run: Run) -> None:
        """Buy for `run`."""
        self._runs = runs
        self.run = run

    @property
    def intent(self) -> str:
        """Return the intent: the same after a crash, so that nothing is bought twice."""
        return self.run.claim.id

    async def buy(self, buy: Buy) -> Claimed:
        """Return what `buy` brings, kept.

        Raises:
            KeeprateError: What `buy` raises.
        """
        has_ended = False
        try:
            bought = await self._runs.patiently(buy, self.intent)
            has_ended = True
        except KeeprateError as error:
            has_ended = True
            await self.failed(error)
            raise
        finally:
            if not has_ended:
                # Whatever ended it, nobody may wait for ever; the ledger knows what was bought.
                self._runs.forget(self.run)
        return await self.finish(bought)

    async def finish(self, bought: Bought) -> Claimed:
        """Keep the answer and give it to all who wait for it."""
        return await self._runs.finished(self.run, bought)

    async def failed(self, error: KeeprateError) -> None:
        """Tell all who wait that nothing came; what was surely not bought may be asked for anew."""
        await self._runs.failed(self.run, error)

    async def served(self) -> None:
        """Note that the client has the last byte."""
        ended = self.run.done
        settled = ended.done() and not ended.cancelled() and not ended.exception() and ended.result().settled
        await self._runs.was_served(self.run.claim, settled=settled)

    async def left(self) -> None:
        """Note that the client has gone; the purchase goes on."""
        await self._runs.was_left(self.run.claim, how=self.run.how)


class Runs:
    """Every purchase of this process whose client has not got its answer yet."""

    def __init__(self, store: ClaimStore, *, cache: ExactCache, orphans: Orphans, clock: Clock) -> None:
        """Begin with none."""
        self._store = store
        self._cache = cache
        self._orphans = orphans
        self._clock = clock
        self._runs: dict[tuple[str, str], Run] = {}

    def of(self, claim: Claim) -> Run | None:
        """Return the run that buys for a claim, or whose answer is not handed over yet."""
        return self._runs.get((claim.workspace, claim.id))

    def equals(self, asking: Asking) -> list[Run]:
        """Return the nameless runs for the same caller and request, those whose client left before others."""
        found = [
            run
            for run in self._runs.values()
            if run.claim.kind is ClaimKind.LEFT and not run.is_taken and run.asking.equals == asking.equals
        ]
        return sorted(found, key=lambda run: not run.has_left)

    def begin(self, asking: Asking, claim: Claim, *, is_written: bool, how: How = How.BOUGHT) -> Turn:
        """Return the turn to buy for a claim. `is_written` says that a row tells of it."""
        done: asyncio.Future[Bought] = asyncio.get_running_loop().create_future()
        # An error that nobody waits for is no news: the one who bought has raised it.
        done.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        run = Run(asking=asking, claim=claim, how=how, done=done, is_written=is_written)
        self._runs[claim.workspace, claim.id] = run
        return Turn(self, run)

    async def patiently(self, buy: Buy, intent: str) -> Bought:
        """Return what `buy` brings, waiting while another process is at it."""
        ends = self._clock.now() + _LONGEST_WAIT
        while True:
            try:
                return await buy(intent)
            except UnderWay:
                if self._clock.now() >= ends:
                    raise
            await self._clock.sleep(POLL_S)

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
        run = self.of(claim)
        if run is not None and run.done.done():
            self.forget(run)
        if claim.kind is ClaimKind.LEFT and not settled:
            # Nothing to give away; a marked re-send finds the attempt in the ledger.
            await self._store.drop(claim)

    async def was_left(self, claim: Claim, *, how: How) -> None:
        """Note that a client went before its last byte. A key or a flight answers again anyhow."""
        run = self.of(claim)
        if claim.kind is not ClaimKind.LEFT:
            return
        if how is How.ORPHAN:
            await self._store.give_back(claim)
        elif run is not None and not run.is_taken:
            await self.leave(run)
        else:
            return  # somebody came for it already
        self._orphans.add(claim)

    async def leave(self, run: Run) -> None:
        """Write down that the client of a run has gone, with the answer if it is there."""
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

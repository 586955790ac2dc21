"""Carries what an ImageRequest cannot: chats, signatures, unknown fields, streams. Bytes go on as they came.

decide      from the few fields that matter; a pinned model, a file or a conversation narrows the choice
hold        the quote's worst; a bound on output tokens is added only where a cap applies and none was set
send        once, in a task of the program's own: a client that leaves stops nothing that was paid for
look ahead  to the image, or to the end of the answer; then the answer begins, with its outcome
forward     in slices, while the image is decoded, hashed and written; the last slice waits for the books
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from keeprate.domain.decisions import Step
from keeprate.domain.errors import (
    Conflict,
    KeeprateError,
    SpendingStopped,
    Throttled,
    Unreachable,
    UpstreamUnknown,
)
from keeprate.domain.outcomes import AttemptState, FailureClass, Outcome, OutcomeKind
from keeprate.domain.scopes import Scope
from keeprate.workflows.affinity import Kind, Place, remember
from keeprate.workflows.courtesy import PATIENCE, SHORT, polite_call, until_free
from keeprate.workflows.envelopes import Envelope, Verb, Wanted
from keeprate.workflows.forwarding import AdoptingAssets, PartingSpool
from keeprate.workflows.generate import agree
from keeprate.workflows.intents import is_free, under_way
from keeprate.workflows.means import Means
from keeprate.workflows.options import Options, seconds
from keeprate.workflows.parting import Adopting, Parting
from keeprate.workflows.passages import Passage, Standing, Try, passage, prepared
from keeprate.workflows.pay import OPEN
from keeprate.workflows.pipes import Pipe
from keeprate.workflows.retry import next_wait
from keeprate.workflows.tee import Tee
from keeprate.workflows.till import Paid

# How long a look at the caps serves further decisions. Caps are kept by holds, never by this.
_STANDING_S: Final = 1.0
_MOST_STANDINGS: Final = 4096
_SIGNATURE: Final = re.compile(rb'"thought_?[sS]ignature"\s*:\s*"([^"\\]+)"')
_CONTENT_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """An answer on its way to the caller. `slices` is its body, byte for byte the upstream's.

    `outcome` is None for a stream, whose end is not known yet; `paid` is None while it goes on. `length` is
    None where nobody said it. `leave` says that nobody takes the rest.
    """

    status: int
    headers: Mapping[str, str]
    length: int | None
    slices: AsyncIterator[bytes]
    through: Passage
    tried: Try
    outcome: Outcome | None
    paid: Paid | None
    leave: Callable[[], None]

    @property
    def content_type(self) -> str:
        """Return what the body is."""
        return self.headers.get("Content-Type", _CONTENT_TYPE)


class Witness(Protocol):
    """Is told in the paid call's own task how it ended, whether or not anybody still waits for the answer."""

    async def brought(self, relayed: Relayed, tee: Tee) -> None:
        """Take note of an answer that is stored and booked."""
        ...

    async def broke_off(self, fault: KeeprateError) -> None:
        """Take note that an answer broke off after its beginning had gone out."""
        ...


class Relay:
    """Passes calls on. What it remembers saves time and is never needed for correctness."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._standings: dict[tuple[Scope, bool], tuple[datetime, Standing]] = {}
        self._agreed: set[str] = set()
        self._stores: _Stores | None = None

    async def pass_on(
        self,
        means: Means,
        scope: Scope,
        envelope: Envelope,
        wanted: Wanted,
        *,
        options: Options,
        witness: Witness | None = None,
    ) -> Relayed:
        """Buy what `envelope` asks for and return its answer as soon as it is known to be one.

        Raises:
            KeeprateError: Nothing was bought; or the upstream lost the call, and its money is held.
        """
        standing = await self._standing(means, scope)
        through = await passage(means, scope, envelope, wanted, options=options, standing=standing)
        await self._agree(means, through, options)
        steps = [(index, step) for index, step in enumerate(through.decision.steps) if step.after != "reject"]
        order = _Order(means, through, self._stores_of(means), _end(means, options), witness)
        for place, (index, step) in enumerate(steps):
            is_last = place == len(steps) - 1
            try:
                await until_free(
                    means,
                    step.offer.route,
                    step.offer.quote.worst,
                    patience=PATIENCE if is_last else SHORT,
                    ends_at=order.ends_at,
                )
            except Throttled:
                if is_last:
                    raise
                continue
            relayed = await order.tried(index, step)
            if relayed.paid is None or is_last or not _could_not_serve(relayed.paid):
                return relayed
        raise Unreachable("no route was tried", remedy="try again")

    def _stores_of(self, means: Means) -> "_Stores":
        spool, assets = means.till.spool, means.till.assets
        if self._stores is None or self._stores.assets is not assets:
            assert isinstance(spool, PartingSpool)  # noqa: S101 (bootstrap's is)
            assert isinstance(assets, AdoptingAssets)  # noqa: S101 (bootstrap's are)
            self._stores = _Stores(Parting(spool), assets)
        return self._stores

    async def _standing(self, means: Means, scope: Scope) -> Standing:
        simulated = all(provider.upstream.simulated for provider in means.providers.values())
        now = means.till.clock.now()
        known = self._standings.get((scope, simulated))
        if known is not None and timedelta() <= now - known[0] <= timedelta(seconds=_STANDING_S):
            return known[1]
        caps = await means.till.ledger.standings(scope, simulated=simulated, at=now)
        used = max((cap.used_percent for cap in caps), default=0)
        found = Standing(used_percent=used, is_capped=bool(caps))
        if len(self._standings) >= _MOST_STANDINGS:
            self._standings.clear()
        self._standings[scope, simulated] = (now, found)
        return found

    async def _agree(self, means: Means, through: Passage, options: Options) -> None:
        workspace = through.scope.workspace
        if workspace in self._agreed:
            return
        await agree(means, through.scope, through.decision, options)
        if not any(provider.upstream.simulated for provider in means.providers.values()):
            self._agreed.add(workspace)


@dataclass(frozen=True, slots=True)
class _Stores:
    """Where a relayed reply is kept."""

    spool: Parting
    assets: AdoptingAssets


class _NumberTakenError(Exception):
    """An attempt of this number came to nothing, and cost nothing, before."""


@dataclass(frozen=True, slots=True)
class _Order:
    """One passage being bought."""

    means: Means
    through: Passage
    stores: _Stores
    ends_at: datetime | None
    witness: Witness | None

    async def tried(self, index: int, step: Step) -> Relayed:
        """Buy at one step, trying again where nothing can have been paid and it may help."""
        tries = number = 0
        while True:
            try:
                relayed = await self._once(index, step, attempt_no=number, is_retry=tries > 0)
            except _NumberTakenError:  # by a process that ended before it sent anything
                number += 1
                continue
            number += 1
            failure = None if relayed.paid is None else relayed.paid.failure
            if failure is None:
                return relayed
            tries += 1
            clock = self.means.till.clock
            left_s = None if self.ends_at is None else (self.ends_at - clock.now()).total_seconds()
            wait_s = next_wait(failure, tries=tries, jitter=self.means.rng.jitter(), remaining_s=left_s)
            upstream = step.offer.route.upstream
            if wait_s is None or not self.means.manners.may_retry(upstream, clock.now()):
                return relayed
            await clock.sleep(wait_s)

    async def _once(self, index: int, step: Step, *, attempt_no: int, is_retry: bool) -> Relayed:
        if self.means.till.is_closing:
            raise SpendingStopped("asked to stop, so nothing more is bought", remedy="send it again")
        tried = prepared(self.means, self.through, step, place=(index, attempt_no))
        pipe = Pipe()
        tee = Tee(
            forwarder=tried.forwarder,
            assets=self.stores.assets,
            workspace=tried.new.key.workspace,
            parcel=tried.parcel,
            shape=self.through.wanted.shape,
            waits_for_end=self.through.wanted.shows_thoughts,
            pipe=pipe,
            opened=asyncio.get_running_loop().create_future(),
        )
        running = self.means.till.running
        name = f"relay {tried.new.id}"
        task = asyncio.create_task(self._shipped(tried, tee, is_retry=is_retry), name=name)
        running[name] = task
        task.add_done_callback(lambda over: _over(over, running, name, tee))
        await asyncio.shield(tee.opened)
        if tee.opened.result() is not None:
            return self._under_way(tried, tee)
        return self._at_its_end(tried, tee, await asyncio.shield(task))

    async def _shipped(self, tried: Try, tee: Tee, *, is_retry: bool) -> Paid:
        """Pay, settle, and only then let the last slice go. Nobody's leaving ends this."""
        till = self.means.till
        parted = replace(till, spool=self.stores.spool, assets=Adopting(self.stores.assets, tee.adopted))
        try:
            paid = await polite_call(
                replace(self.means, till=parted),
                tried.new,
                call=tee.call(tried.new),
                provider=tee,
                is_retry=is_retry,
                ends_at=None,
            )
            if paid.replayed and is_free(paid.attempt):
                raise _NumberTakenError
            if paid.replayed:
                raise bought_before(paid)
            await self._remembered(tried, tee, paid)
        except KeeprateError as fault:
            await self._broken_off(tee, fault)
            raise
        if paid.failure is None:
            if self.witness is not None:
                await self.witness.brought(self._at_its_end(tried, tee, paid), tee)
            tee.pipe.end(tee.kept)
        else:
            await self._broken_off(tee, lost(paid))
        return paid

    async def _broken_off(self, tee: Tee, fault: KeeprateError) -> None:
        tee.pipe.fail(fault)
        if tee.opened.done() and self.witness is not None:
            await self.witness.broke_off(fault)

    async def _remembered(self, tried: Try, tee: Tee, paid: Paid) -> None:
        """Note what only this upstream can go on with."""
        if paid.failure is not None or tee.landed is None:
            return
        ledger, scope = self.means.till.ledger, self.through.scope
        route = tried.new.route
        place = Place(upstream=route.upstream, model=str(route.model), attempt_id=tried.new.id)
        if self.through.envelope.verb is Verb.INTERACT and paid.attempt.response_id is not None:
            await remember(ledger, scope, Kind.INTERACTION, paid.attempt.response_id, place)
        if self.through.envelope.verb is Verb.BATCH and paid.attempt.response_id is not None:
            await remember(ledger, scope, Kind.BATCH, paid.attempt.response_id, place)
        if len(self.means.providers) > 1:
            for signature in _signatures(tee.landed.text):
                await remember(ledger, scope, Kind.SIGNATURE, signature, place)

    def _under_way(self, tried: Try, tee: Tee) -> Relayed:
        head = tee.opened.result()
        assert head is not None  # noqa: S101 (looked at by the caller)
        is_stream = self.through.envelope.verb is Verb.STREAM or tee.shape.is_stream
        return Relayed(
            status=head.status,
            headers=head.headers,
            length=head.length,
            slices=tee.pipe.slices(),
            through=self.through,
            tried=tried,
            outcome=None if is_stream else Outcome(kind=OutcomeKind.IMAGE),
            paid=None,
            leave=tee.pipe.leave,
        )

    def _at_its_end(self, tried: Try, tee: Tee, paid: Paid) -> Relayed:
        """Return an answer that was looked at whole, or the upstream's own words for giving none."""
        if paid.failure is None:
            head, body = tee.head, tee.kept
        elif tee.turned_away is not None:
            head, body = tee.turned_away.head, [tee.turned_away.body]
        else:
            raise lost(paid)
        assert head is not None  # noqa: S101 (an answer without a head is a loss)
        slices = tee.pipe.slices() if paid.failure is None else _given(body)
        return Relayed(
            status=head.status,
            headers=head.headers,
            length=sum(len(data) for data in body),
            slices=slices,
            through=self.through,
            tried=tried,
            outcome=paid.attempt.outcome,
            paid=paid,
            leave=tee.pipe.leave,
        )


def bought_before(paid: Paid) -> KeeprateError:
    """Return what a caller is told whose call was bought before, by a process that had no time to answer it."""
    row = paid.attempt
    if row.state is AttemptState.UNKNOWN:
        return lost(paid)
    if row.state in OPEN:
        return under_way(row)
    return Conflict(
        f"this was bought before, as attempt {row.id}, and ended as {row.outcome or row.state}; "
        "its answer's words were lost with the process that bought it",
        field="attempt",
        value=row.id,
        remedy=f"its images are kept: see keeprate attempts {row.id}; or send the call anew",
        facts={"attempt_id": row.id},
    )


def lost(paid: Paid) -> KeeprateError:
    """Return what a caller is told of a call that brought no answer to pass on."""
    failure = paid.failure
    outcome = None if failure is None else failure.outcome
    why = "" if outcome is None else f": {outcome.message or outcome.raw_reason}"
    if failure is not None and failure.failure is FailureClass.NOT_SENT:
        return Unreachable(
            f"{paid.attempt.new.route.upstream} cannot be reached{why}", remedy="try again; nothing was sent"
        )
    return UpstreamUnknown(
        f"the answer to attempt {paid.attempt.id} was lost on its way{why}; it may have been paid",
        remedy=f"do not send it again by itself; see: keeprate attempts {paid.attempt.id}",
        facts={"attempt_id": paid.attempt.id},
    )


def _over(task: asyncio.Task[Paid], running: dict[str, asyncio.Task[Paid]], name: str, tee: Tee) -> None:
    running.pop(name, None)
    if not tee.opened.done():
        tee.opened.set_result(None)
    if not task.cancelled():
        task.exception()  # told through the pipe, or to who waits for the task


async def _given(body: list[bytes]) -> AsyncIterator[bytes]:
    for data in body:
        yield data


def _could_not_serve(paid: Paid) -> bool:
    failure = paid.failure
    return (
        paid.attempt.state is not AttemptState.UNKNOWN
        and failure is not None
        and failure.failure is not FailureClass.UNKNOWN
        and (not failure.is_final or failure.http_status == 404)
    )


def _signatures(text: bytes) -> list[str]:
    return [found.decode() for found in dict.fromkeys(_SIGNATURE.findall(text))]


def _end(means: Means, options: Options) -> datetime | None:
    if options.deadline is None:
        return None
    return means.till.clock.now() + timedelta(seconds=seconds(options.deadline))

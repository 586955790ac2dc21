"""Batches that were handed in through here: looked after at their upstream, and their true cost booked at the end.

Wire source: https://ai.google.dev/gemini-api/docs/batch-api and google-genai 3.4 recorded on loopback, 2026-11:
the results are at `metadata.output`, doubly nested.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import pybase64

from keeprate.assets.spans import Splitter
from keeprate.domain.attempts import Attempt
from keeprate.domain.errors import Conflict
from keeprate.domain.money import NanoUSD
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.gemini.calls import query_of
from keeprate.gateway.gemini.errands import Errands
from keeprate.gateway.gemini.passing import errand_run
from keeprate.gateway.identity import Caller
from keeprate.workflows.affinity import Kind, place_of
from keeprate.workflows.charging import charge_of
from keeprate.workflows.forwarding import Errand, Forwarder
from keeprate.workflows.reply_shapes import ReplyShape

_PAGE: Final = frozenset({"pageSize", "pageToken"})
_DONE: Final = frozenset(
    {"BATCH_STATE_SUCCEEDED", "BATCH_STATE_FAILED", "BATCH_STATE_CANCELLED", "BATCH_STATE_EXPIRED"}
)
# In place of an image: bytes enough to be counted as one.
_PICTURE: Final = pybase64.b64encode(b"an image")


class _Row(msgspec.Struct):
    response: msgspec.Raw = msgspec.Raw()


class _Rows(msgspec.Struct, rename="camel"):
    inlined_responses: list[_Row] | None = None


class _Output(msgspec.Struct, rename="camel"):
    inlined_responses: _Rows | None = None
    responses_file: str | None = None


class _Metadata(msgspec.Struct):
    state: str | None = None
    output: _Output | None = None


class _Batch(msgspec.Struct):
    name: str = ""
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Page(msgspec.Struct, rename="camel"):
    operations: list[msgspec.Raw] = []
    next_page_token: str | None = None


class _Words:
    """The text of an answer as it goes by, its images left out."""

    def __init__(self) -> None:
        self.pieces = bytearray()

    def text(self, data: bytes | memoryview) -> None:
        self.pieces += data

    def open_image(self) -> None:
        self.pieces += _PICTURE

    def image(self, contents: list[bytes]) -> None:
        del contents

    def close_image(self) -> None:
        """Nothing is kept."""

    def spoil_image(self) -> None:
        """What follows is no image's; the words are read no further than they can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Serves `/…/batches`."""

    errands: Errands

    async def one(self, request: Request, caller: Caller) -> Answer:
        """Answer with a batch of this workspace, or forget it.

        Raises:
            NotFound: None of that name here.
        """
        name = request.parts["batch"]
        forwarder, place = await self.errands.home(caller, Kind.BATCH, name)
        errand = Errand(collection=f"batches/{name}", version=self.errands.version(request, forwarder))
        run = await errand_run(forwarder, errand, method=request.method)
        answer = run.answer()
        if run.status != 200 or request.method != "GET" or place.attempt_id is None:
            return answer
        assert not isinstance(answer.body, bytes)  # noqa: S101 (a run's answer is a stream)
        row = await self.errands.desk.ledger.attempt(caller.scope, place.attempt_id)
        return replace(answer, body=self._watched(answer.body, caller, forwarder, row))

    async def cancel(self, request: Request, caller: Caller) -> Answer:
        """Pass on that a batch is to stop."""
        name = request.parts["batch"]
        forwarder, _ = await self.errands.home(caller, Kind.BATCH, name)
        version = self.errands.version(request, forwarder)
        errand = Errand(collection=f"batches/{name}:cancel", version=version)
        return (await errand_run(forwarder, errand, method="POST")).answer()

    async def listed(self, request: Request, caller: Caller) -> Answer:
        """Answer with those batches of a page that are the caller's workspace's."""
        forwarder = self.errands.first()
        version = self.errands.version(request, forwarder)
        errand = Errand(collection="batches", version=version, query=query_of(request, _PAGE))
        run = await errand_run(forwarder, errand, method="GET")
        if run.status != 200:
            return run.answer()
        page = msgspec.json.decode(await run.whole() or b"{}", type=_Page)
        ours = [raw for raw in page.operations if await self._is_ours(caller, raw)]
        told: dict[str, object] = {"operations": ours} if ours else {}
        if page.next_page_token is not None and ours:
            told["nextPageToken"] = page.next_page_token
        return Answer(body=msgspec.json.encode(told))

    async def _is_ours(self, caller: Caller, raw: msgspec.Raw) -> bool:
        name = msgspec.json.decode(raw, type=_Batch).name.rpartition("/")[2]
        return await place_of(self.errands.desk.ledger, caller.scope, Kind.BATCH, name) is not None

    async def _watched(
        self, slices: AsyncIterator[bytes], caller: Caller, forwarder: Forwarder, row: Attempt
    ) -> AsyncGenerator[bytes]:
        """Pass a batch on, and book what it cost when it is seen to be over."""
        words = _Words()
        splitter = Splitter(words)
        async for data in slices:
            splitter.feed(data)
            yield data
        splitter.finish()
        await self._booked(bytes(words.pieces), caller, forwarder, row)

    async def _booked(self, text: bytes, caller: Caller, forwarder: Forwarder, row: Attempt) -> None:
        if row.charge is None or row.charge.certain:
            return
        with suppress(msgspec.DecodeError):
            batch = msgspec.json.decode(text, type=_Batch)
            output = batch.metadata.output or _Output()
            if batch.metadata.state not in _DONE or output.responses_file is not None:
                return
            rows = (output.inlined_responses or _Rows()).inlined_responses or []
            billed = NanoUSD(sum(self._cost(one, forwarder, row) for one in rows))
            with suppress(Conflict):  # somebody said what the bill says, meanwhile
                clock = self.errands.desk.means.till.clock
                await self.errands.desk.ledger.reconcile(
                    caller.scope, row.id, billed=billed, by="the batch's own results", at=clock.now()
                )

    def _cost(self, one: _Row, forwarder: Forwarder, row: Attempt) -> int:
        if not memoryview(one.response).nbytes:
            return 0
        answer = forwarder.read(bytes(one.response), shape=ReplyShape.CONTENT, served_tier=None)
        if answer.usage is None:
            return 0
        lane = replace(answer, served_lane=row.new.lane)
        return charge_of(lane, row.new, self.errands.desk.means.price_of(row.new)).amount

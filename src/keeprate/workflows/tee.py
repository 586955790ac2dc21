"""A paid call whose answer goes two ways at once: to the disk in parts, and on to the client as it came.

It looks like any provider to `paid_call`, which stays the one place that spends. The client sees nothing until
the answer is known to hold an image, or is at its end; and the last slice waits until all is stored and booked.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from keeprate.domain.attempts import NewAttempt
from keeprate.domain.errors import ConfigError, KeeprateError, StorageError, UnreadableReference
from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import Route, Upstream
from keeprate.workflows.asides import quick
from keeprate.workflows.forwarding import AdoptingAssets, Forwarder, Incoming, Parcel, PartedReply, Spooled
from keeprate.workflows.parting import parted_in
from keeprate.workflows.pipes import Pipe
from keeprate.workflows.ports import Answer, Materials, Outgoing, Reply, SendFailure, SpoolFile, StoredImage
from keeprate.workflows.reply_shapes import ReplyShape, marked

# An answer that ends within so many bytes is looked at whole before a word of it goes on.
AHEAD: Final = 64 * 1024
_LARGEST_REFUSAL: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known when an answer begins to go on."""

    status: int
    headers: Mapping[str, str]
    length: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """An upstream's own words for not serving, to be passed on."""

    head: Head
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A reply that is safely on disk, and what it says. `text` has words in place of images.

    `images` are the stored ones by those words, or what kept one from being stored.
    """

    spooled: Spooled
    text: bytes
    answer: Answer
    images: Mapping[bytes, StoredImage | KeeprateError]


@dataclass(slots=True, kw_only=True)
class Tee:
    """Fits `Provider` for one call.

    `opened` is resolved when the answer begins to go on before its end; with None where it came to its end,
    or to none, before. `kept` is what was held back when the answer had come: all of it, where nothing went
    on before.
    """

    forwarder: Forwarder
    parcel: Parcel
    assets: AdoptingAssets
    workspace: str
    shape: ReplyShape
    waits_for_end: bool
    pipe: Pipe
    opened: asyncio.Future[Head | None]
    head: Head | None = None
    turned_away: TurnedAway | None = None
    kept: list[bytes] = field(default_factory=list[bytes])
    landed: Landed | None = None

    @property
    def upstream(self) -> Upstream:
        """The connection it speaks for."""
        return self.forwarder.upstream

    async def send(self, call: Outgoing, *, attempt_id: str, into: SpoolFile) -> Reply:
        """Send the parcel once, spool the reply, and pass it on.

        Raises:
            SendFailure: Anything but a complete 200.
        """
        del call
        parted = parted_in(into)
        parcel = replace(self.parcel, attempt_id=attempt_id)
        try:
            async with self.forwarder.forward(parcel) as incoming:
                self.head = _head(incoming)
                if incoming.status != 200:
                    raise await self._refused(incoming)
                await self._pass_on(incoming, parted)
            return await self._complete(parted)
        except (SendFailure, asyncio.CancelledError):
            # A disk that fails here must not hide what the call's own failure means for money.
            with suppress(OSError, StorageError):
                parted.abandon()
            raise

    @quick
    def understand(self, reply: Reply, call_route: Route) -> Answer:
        """Return the typed answer, its images standing in for themselves."""
        del reply, call_route
        assert self.landed is not None  # noqa: S101 (settled only after it was complete)
        return self.landed.answer

    def adopted(self, content: bytes) -> StoredImage | None:
        """Return the image that `content` stands in for; None where it is no such words.

        Raises:
            UnreadableReference: It is no image that can be kept.
            StorageError: The disk refused it.
        """
        found = None if self.landed is None else self.landed.images.get(content)
        if isinstance(found, KeeprateError):
            raise found
        return found

    @quick
    def model_turn(self, reply: Reply) -> bytes | None:
        """Return nothing: who sends whole conversations keeps their turns."""
        del reply

    def call(self, new: NewAttempt) -> Outgoing:
        """Return the parcel as a call without its body, which is nobody's to change."""
        return Outgoing(
            upstream=self.upstream,
            route=new.route,
            lane=new.lane,
            path=self.parcel.address,
            body=b"",
            timeout_s=self.parcel.timeout_s,
            added=(),
        )

    def outgoing(
        self,
        request: ImageRequest,
        *,
        route: Route,
        lane: Lane,
        images: int,
        max_output_tokens: int | None,
        materials: Materials,
    ) -> Outgoing:
        """Refuse: a tee passes its one parcel on.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError("a call that is passed on is not written anew", field="relay")

    def contents(self, request: ImageRequest, materials: Materials) -> bytes:
        """Return no turns: they are in the parcel."""
        del request, materials
        return b"[]"

    async def _pass_on(self, incoming: Incoming, into: PartedReply) -> None:
        count = 0
        is_open = False
        async for data in incoming.slices:
            try:
                into.write(data)
            except (OSError, StorageError) as fault:
                raise _spool_failed(str(fault)) from fault
            count += len(data)
            self.kept.append(data)
            if not is_open and self._may_open(into, count):
                is_open = True
                assert self.head is not None  # noqa: S101 (set by `send`)
                if not self.opened.done():
                    self.opened.set_result(self.head)
            if is_open:
                # The last slice is held back until the next one comes, and at the end until all is booked.
                for earlier in self.kept[:-1]:
                    await self.pipe.put(earlier)
                del self.kept[:-1]

    def _may_open(self, into: PartedReply, count: int) -> bool:
        if self.shape.is_stream:
            return True
        return into.images_begun > 0 and count > AHEAD and not self.waits_for_end

    async def _complete(self, parted: PartedReply) -> Reply:
        """Flush, read and store off the loop, in one go. Once begun it runs to its end."""
        landed = await asyncio.to_thread(self._land, parted)
        self.landed = landed
        return Reply(
            body_path=landed.spooled.text_path,
            sha256=landed.spooled.sha256,
            content_type=landed.spooled.content_type,
            served_tier=landed.spooled.served_tier,
            request_id=landed.spooled.request_id,
        )

    def _land(self, parted: PartedReply) -> Landed:
        served: Mapping[str, str] = {} if self.head is None else self.head.headers
        try:
            spooled = parted.complete(
                content_type=marked(served.get("Content-Type", ""), self.shape),
                served_tier=served.get("x-gemini-service-tier"),
                request_id=served.get("x-request-id") or served.get("x-goog-request-id"),
            )
            with spooled.text_path.open("rb") as file:
                text = file.read(spooled.text_bytes)
        except (OSError, StorageError) as fault:
            raise _spool_failed(str(fault)) from fault
        answer = self.forwarder.read(text, shape=self.shape, served_tier=spooled.served_tier)
        drafts = {draft.stand_in: draft for draft in spooled.drafts}
        images: dict[bytes, StoredImage | KeeprateError] = {}
        # Sketches of a thought among them: whoever is told this answer again is told all of it.
        for stand_in, draft in drafts.items():
            try:
                images[stand_in] = self.assets.adopt(self.workspace, draft)
            except (UnreadableReference, StorageError) as fault:
                images[stand_in] = fault
        return Landed(spooled=spooled, text=text, answer=answer, images=images)

    async def _refused(self, incoming: Incoming) -> SendFailure:
        body = bytearray()
        with suppress(SendFailure):  # its status is known, so a body cut short changes nothing
            async for data in incoming.slices:
                body += data
                if len(body) >= _LARGEST_REFUSAL:
                    break
        self.turned_away = TurnedAway(head=_head(incoming), body=bytes(body))
        return self.forwarder.refusal(incoming.status, incoming.headers, bytes(body))


def _head(incoming: Incoming) -> Head:
    told = incoming.headers.get("Content-Length", "")
    return Head(
        status=incoming.status,
        headers=incoming.headers,
        length=int(told) if told.isdecimal() else None,
    )


def _spool_failed(why: str) -> SendFailure:
    return SendFailure(
        FailureClass.UNKNOWN,
        Outcome(kind=OutcomeKind.UNKNOWN, raw_reason="spool_failed", message=why),
        http_status=None,
        retry_after_s=None,
        is_final=False,
    )

"""What both surfaces' providers do alike: shape a call, label it, send it once, understand the reply."""

import mmap
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from keeprate.catalogue.cards import Transport
from keeprate.domain.purposes import Lane
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import Route, Upstream
from keeprate.providers.forwarding import forwarded
from keeprate.providers.google.answers import content_answer
from keeprate.providers.google.asking import MAX_OUTPUT_TOKENS, Ask, contents_json
from keeprate.providers.google.batching import batch_answer
from keeprate.providers.google.history import model_turn
from keeprate.providers.google.interacting import interaction_answer, interaction_events_answer
from keeprate.providers.google.predict import predict_answer
from keeprate.providers.google.refusals import refusal
from keeprate.providers.google.streams import array_answer, events_answer
from keeprate.providers.sending import checked_address, checked_session, send_once
from keeprate.providers.shapes import ConnectOptions
from keeprate.workflows.forwarding import Errand, Incoming, Parcel
from keeprate.workflows.ports import Answer, Materials, Outgoing, Reply, SendFailure, SpoolFile
from keeprate.workflows.reply_shapes import ReplyShape, shape_in


class Translation(Protocol):
    """What differs between the surfaces: where a call goes, what it says, and who may make it."""

    def path(self, ask: Ask) -> str:
        """Return the path, relative to the upstream's base URL."""
        ...

    def body(self, ask: Ask, lane: Lane) -> bytes:
        """Return the exact JSON text."""
        ...

    def address(self, errand: Errand) -> str:
        """Return where a call that is passed on goes."""
        ...

    async def headers(self, lane: Lane) -> dict[str, str]:
        """Return the headers that authorise and bill the call.

        Raises:
            SendFailure: No credential could be had; nothing was sent.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleProvider:
    """One upstream of one of Google's surfaces. Fits the port `keeprate.workflows.ports.Provider`."""

    upstream: Upstream
    translation: Translation
    http: aiohttp.ClientSession
    options: ConnectOptions

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
        """Return the call for `images` images of `request` on `route` (pure)."""
        ask = Ask(
            request=request,
            route=route,
            shape=self.options.shape_of(route),
            materials=materials,
            images=images,
            size_field=self.options.size_field,
            max_output_tokens=max_output_tokens,
        )
        return Outgoing(
            upstream=self.upstream,
            route=route,
            lane=lane,
            path=self.translation.path(ask),
            body=self.translation.body(ask, lane),
            timeout_s=ask.shape.timeout_s,
            added=_added(ask),
        )

    async def send(self, call: Outgoing, *, attempt_id: str, into: SpoolFile) -> Reply:
        """Send once and spool the reply.

        Raises:
            SendFailure: Anything but a complete 200; its class says what that means for money.
        """
        headers = {"User-Agent": self.options.user_agent, **await self.translation.headers(call.lane)}
        if self.upstream.simulated:
            # The emulator writes it beside its own bill, so that both books can be compared by row.
            headers["x-keeprate-attempt"] = attempt_id
        return await send_once(self.http, call, headers=headers, into=into, refusal=refusal)

    def understand(self, reply: Reply, call_route: Route) -> Answer:
        """Return the typed answer a spooled reply holds. Undecodable bytes are `unknown`."""
        text = _text_of(reply)
        shape = shape_in(reply.content_type)
        if shape is not None:
            return self.read(bytes(text), shape=shape, served_tier=reply.served_tier)
        if self.options.shape_of(call_route).transport is Transport.PREDICT:
            return predict_answer(text)
        return content_answer(text, served_tier=reply.served_tier)

    def address(self, errand: Errand) -> str:
        """Return where an errand goes, relative to the base URL.

        Raises:
            ConfigError: A name in it cannot stand in an address.
        """
        path = self.translation.address(errand)
        return f"{path}?{errand.query}" if errand.query else path

    def forward(self, parcel: Parcel) -> AbstractAsyncContextManager[Incoming]:
        """Send once and give whatever comes back.

        Raises:
            SendFailure: Nothing was sent, or the connection was lost before an answer.
        """
        return self._forwarded(parcel)

    @asynccontextmanager
    async def _forwarded(self, parcel: Parcel) -> AsyncGenerator[Incoming]:
        headers = {
            **parcel.headers,
            "User-Agent": self.options.user_agent,
            **await self.translation.headers(parcel.lane),
        }
        if self.upstream.simulated and parcel.attempt_id is not None:
            headers["x-keeprate-attempt"] = parcel.attempt_id
        async with forwarded(self.http, parcel, headers) as incoming:
            yield incoming

    def refusal(self, status: int, headers: Mapping[str, str], start: bytes) -> SendFailure:
        """Return what an answer other than 200 means for money."""
        return refusal(status, headers, start)

    def read(self, text: bytes, *, shape: ReplyShape, served_tier: str | None) -> Answer:
        """Return the typed answer that a reply's text holds."""
        if shape is ReplyShape.CONTENT:
            return content_answer(text, served_tier=served_tier)
        if shape is ReplyShape.EVENTS:
            return events_answer(text, served_tier=served_tier)
        if shape is ReplyShape.ARRAY:
            return array_answer(text, served_tier=served_tier)
        return _UNTIERED[shape](text)

    def contents(self, request: ImageRequest, materials: Materials) -> bytes:
        """Return the JSON array of turns that `outgoing` sends for `request`, history first."""
        return contents_json(request, materials)

    def model_turn(self, reply: Reply) -> bytes | None:
        """Return the model's turn of a spooled reply, verbatim; None where it said nothing."""
        return model_turn(_text_of(reply))


_UNTIERED: Final[Mapping[ReplyShape, Callable[[bytes], Answer]]] = {
    ReplyShape.PREDICT: predict_answer,
    ReplyShape.INTERACTION: interaction_answer,
    ReplyShape.INTERACTION_EVENTS: interaction_events_answer,
    ReplyShape.BATCH: batch_answer,
}


def google_provider(
    upstream: Upstream, translation: Translation, http: aiohttp.ClientSession, options: ConnectOptions
) -> GoogleProvider:
    """Return a provider on a session that is fit for paid calls and an address that is one.

    Raises:
        ConfigError: The session may reuse connections, or the base URL is no plain http(s) address.
    """
    return GoogleProvider(
        upstream=checked_address(upstream),
        translation=translation,
        http=checked_session(http),
        options=options,
    )


def _added(ask: Ask) -> tuple[str, ...]:
    capped = ask.max_output_tokens is not None and ask.shape.transport is Transport.GENERATE_CONTENT
    return (MAX_OUTPUT_TOKENS,) if capped else ()


def _text_of(reply: Reply) -> bytes | memoryview:
    """Return the spooled bytes, mapped rather than read: a 4K answer is 30 MB of text."""
    if reply.body_path.stat().st_size == 0:
        return b""
    with reply.body_path.open("rb") as spooled:
        return memoryview(mmap.mmap(spooled.fileno(), 0, access=mmap.ACCESS_READ))

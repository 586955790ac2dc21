"""A provider whose address is known only once the emulator runs."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from keeprate.domain.errors import Unreachable
from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import Route, Upstream
from keeprate.providers.simulated.child import EmulatorChild
from keeprate.workflows.forwarding import Errand, Forwarder, Incoming, Parcel
from keeprate.workflows.ports import Answer, Materials, Outgoing, Provider, Reply, SendFailure, SpoolFile
from keeprate.workflows.reply_shapes import ReplyShape


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedProvider:
    """Translates as the surface does; starts the emulator before the first call is sent."""

    upstream: Upstream
    inner: Provider
    child: EmulatorChild

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
        """Return the call as the surface writes it."""
        return self.inner.outgoing(
            request,
            route=route,
            lane=lane,
            images=images,
            max_output_tokens=max_output_tokens,
            materials=materials,
        )

    async def send(self, call: Outgoing, *, attempt_id: str, into: SpoolFile) -> Reply:
        """Send once, to the running emulator.

        Raises:
            SendFailure: As the surface raises it; `not_sent` when the emulator did not start.
        """
        try:
            url = await self._url()
        except SendFailure:
            into.abandon()
            raise
        there = replace(call, upstream=replace(call.upstream, base_url=url))
        return await self.inner.send(there, attempt_id=attempt_id, into=into)

    def address(self, errand: Errand) -> str:
        """Return where an errand goes, as the surface writes it."""
        return self._forwarder.address(errand)

    @asynccontextmanager
    async def forward(self, parcel: Parcel) -> AsyncGenerator[Incoming]:
        """Send once, to the running emulator, and give whatever comes back.

        Raises:
            SendFailure: As the surface raises it; `not_sent` when the emulator did not start.
        """
        there = replace(parcel, upstream=replace(parcel.upstream, base_url=await self._url()))
        async with self._forwarder.forward(there) as incoming:
            yield incoming

    def refusal(self, status: int, headers: Mapping[str, str], start: bytes) -> SendFailure:
        """Return what an answer other than 200 means, as the surface reads it."""
        return self._forwarder.refusal(status, headers, start)

    def read(self, text: bytes, *, shape: ReplyShape, served_tier: str | None) -> Answer:
        """Return the typed answer, as the surface reads it."""
        return self._forwarder.read(text, shape=shape, served_tier=served_tier)

    @property
    def _forwarder(self) -> Forwarder:
        assert isinstance(self.inner, Forwarder)  # noqa: S101 (the built-in surfaces all are)
        return self.inner

    async def _url(self) -> str:
        try:
            return await self.child.url()
        except Unreachable as fault:
            raise SendFailure(
                FailureClass.NOT_SENT,
                Outcome(kind=OutcomeKind.FAILED, raw_reason="no_emulator", message=fault.message),
                http_status=None,
                retry_after_s=None,
                is_final=True,
            ) from fault

    def understand(self, reply: Reply, call_route: Route) -> Answer:
        """Return the typed answer, as the surface reads it."""
        return self.inner.understand(reply, call_route)

    def contents(self, request: ImageRequest, materials: Materials) -> bytes:
        """Return the turns, as the surface writes them."""
        return self.inner.contents(request, materials)

    def model_turn(self, reply: Reply) -> bytes | None:
        """Return the model's turn, as it came."""
        return self.inner.model_turn(reply)

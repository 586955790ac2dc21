"""An upstream that does what a test tells it to, and counts what was sent to it."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from keeprate.domain.outcomes import OutcomeKind
from keeprate.domain.purposes import Lane
from keeprate.domain.requests import ImageRequest
from keeprate.domain.routes import Route, Upstream
from keeprate.testing.answers import pictures, png, without_picture
from keeprate.workflows.ports import Answer, Materials, Outgoing, Reply, SendFailure, SpoolFile

Act = Answer | SendFailure


@dataclass(slots=True, kw_only=True)
class ScriptedProvider:
    """Fits the port `Provider`. Each send takes the next act of `script`; after the last, pictures.

    `sent` holds the calls in order. While `gate` is not set, a call waits between sending and
    answering: cancel its caller, or kill it, there.
    """

    upstream: Upstream
    script: deque[Act] = field(default_factory=deque[Act])
    sent: list[Outgoing] = field(default_factory=list[Outgoing])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrival: asyncio.Event = field(default_factory=asyncio.Event)
    timeout_s: int = 180

    def __post_init__(self) -> None:
        """Let calls through, until a test closes the gate."""
        self.gate.set()

    def plays(self, acts: Iterable[Act]) -> None:
        """Put acts behind those still to come."""
        self.script.extend(acts)

    async def until_sent(self, calls: int, *, within_s: float = 10.0) -> None:
        """Wait until that many calls have been sent, in all.

        Raises:
            TimeoutError: They were not, `within_s` seconds long.
        """
        async with asyncio.timeout(within_s):
            while len(self.sent) < calls:
                self.arrival.clear()
                await self.arrival.wait()

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
        """Return the call, its body being the words of the request."""
        body = {
            "prompt": request.prompt,
            "images": images,
            "max_output_tokens": max_output_tokens,
            "references": len(materials.references),
            "history": None if materials.history_json is None else msgspec.Raw(materials.history_json),
        }
        return Outgoing(
            upstream=self.upstream,
            route=route,
            lane=lane,
            path=f"/models/{route.model}",
            body=msgspec.json.encode(body),
            timeout_s=self.timeout_s,
            added=(),
        )

    async def send(self, call: Outgoing, *, attempt_id: str, into: SpoolFile) -> Reply:
        """Count the call, wait at the gate, and do what the script says next.

        Raises:
            SendFailure: The script says so.
        """
        del attempt_id
        self.sent.append(call)
        self.arrival.set()
        # Another picture each time: equal bytes would be one image in the store.
        act = self.script.popleft() if self.script else pictures(png(shade=len(self.sent) % 256))
        await self.gate.wait()
        if isinstance(act, SendFailure):
            await asyncio.to_thread(into.abandon)
            raise act
        into.write(msgspec.json.encode(act))
        return await asyncio.to_thread(
            into.complete, content_type="application/json", served_tier=None, request_id=None
        )

    def understand(self, reply: Reply, call_route: Route) -> Answer:
        """Return the answer as it was scripted; bytes that are none are `unknown`."""
        del call_route
        return self._answer(reply)

    def _answer(self, reply: Reply) -> Answer:
        try:
            return msgspec.json.decode(reply.body_path.read_bytes(), type=Answer)
        except msgspec.DecodeError:
            return without_picture(OutcomeKind.UNKNOWN, "undecodable", usage=None)

    def contents(self, request: ImageRequest, materials: Materials) -> bytes:
        """Return the turns so far: the history, then the words of the request."""
        before = msgspec.json.decode(materials.history_json or b"[]", type=list[msgspec.Raw])
        said = msgspec.json.encode({"role": "user", "parts": [{"text": request.prompt}]})
        return msgspec.json.encode([*before, msgspec.Raw(said)])

    def model_turn(self, reply: Reply) -> bytes | None:
        """Return a turn with the images of the answer inline, signed."""
        answer = self._answer(reply)
        parts = [
            {
                "inlineData": {"mimeType": part.declared_mime, "data": part.content},
                "thoughtSignature": f"signature-{place}",
            }
            for place, part in enumerate(answer.images)
        ]
        return msgspec.json.encode({"role": "model", "parts": parts}) if parts else None

"""Interactions: conversations that the server keeps, so that neither history nor signatures are echoed.

Wire source: https://ai.google.dev/gemini-api/docs/interactions (2026-09), and google-genai 3.4 recorded on loopback
(2026-11). Turned into a generateContent request and back; pictures come as JPEG only. How a refused picture looks here
is not documented; the emulator answers with status `failed` and an error.
"""

from dataclasses import replace

from aiohttp import web

from keeprate_emulator import delivery
from keeprate_emulator.answers import Reply, document
from keeprate_emulator.calls import Call, key_hash_of
from keeprate_emulator.clock import stamp
from keeprate_emulator.conversations import Interaction
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.generation import admitted, fulfilled
from keeprate_emulator.models import Surface, living_model
from keeprate_emulator.refusals import Refusal, invalid
from keeprate_emulator.requests import ask_from
from keeprate_emulator.surfaces.counter import taken
from keeprate_emulator.surfaces.files import stored_file_of
from keeprate_emulator.surfaces.steps import answer_of, contents_of, events_of, format_of
from keeprate_emulator.wire import Node, encoded, request_node

_KNOWN = {
    "model", "input", "responseModalities", "responseFormat", "previousInteractionId", "generationConfig", "store",
    "stream", "systemInstruction", "tools", "serviceTier", "background", "agent", "responseMimeType", "labels",
}  # fmt: skip


class Interactions:
    """The handlers of `…/interactions` on one surface."""

    def __init__(self, emulator: Emulator, surface: Surface) -> None:
        self._emulator = emulator
        self._surface: Surface = surface

    async def create(self, request: web.Request) -> web.StreamResponse:
        """Take a turn of a conversation."""
        raw = await request.read()
        body = request_node(raw)
        body.only(_KNOWN)
        call = Call(
            surface=self._surface,
            version=request.match_info["version"],
            method="interactions",
            model_id=body.text("model").removeprefix("models/"),
            body=raw,
            key_hash=key_hash_of(request, self._surface),
            client_request_id=request.headers.get("x-keeprate-attempt", ""),
            lane="",
            sse=body.flag("stream"),
        )
        model = living_model(
            call.model_id,
            call.surface,
            self._emulator.clock.day,
            method="generateContent",
            version=call.version,
        )
        contents = [*self._earlier(body, call), *contents_of(body)]
        ask = ask_from(
            _as_generate(body, contents), call.surface, stored_file_of(self._emulator, call.key_hash)
        )
        admission = admitted(self._emulator, call, model, ask)
        admission = replace(admission, ask=replace(ask, mime="image/jpeg"))
        commission = await taken(self._emulator, request, admission)
        if isinstance(commission, web.StreamResponse):
            return commission
        reply = await fulfilled(self._emulator, commission)
        answer = answer_of(reply, created=commission.row.accepted_at, updated=stamp())
        if not body.has("store") or body.flag("store"):
            self._keep(call, reply, contents, answer)
        if call.sse:
            return web.Response(body=events_of(answer), content_type="text/event-stream")
        return await delivery.whole(request, answer, admission.fault, {})

    async def interaction(self, request: web.Request) -> web.Response:
        """Return a kept interaction."""
        return web.Response(body=encoded(self._owned(request).answer), content_type="application/json")

    async def delete(self, request: web.Request) -> web.Response:
        """Forget a kept interaction."""
        self._emulator.conversations.remove(self._owned(request))
        return web.json_response({})

    def _keep(
        self, call: Call, reply: Reply, contents: list[dict[str, object]], answer: dict[str, object]
    ) -> None:
        said = Node(document(reply)).children("candidates")
        turn = [dict(candidate.child("content").members) for candidate in said if candidate.has("content")]
        self._emulator.conversations.put(
            Interaction(
                id=str(answer["id"]), key_hash=call.key_hash, contents=[*contents, *turn], answer=answer
            )
        )

    def _earlier(self, body: Node, call: Call) -> list[dict[str, object]]:
        previous = body.text("previousInteractionId")
        if not previous:
            return []
        kept = self._emulator.conversations.interaction(previous, call.key_hash)
        if kept is None:
            raise Refusal(404, f"Interaction {previous} was not found.")
        return kept.contents

    def _owned(self, request: web.Request) -> Interaction:
        key_hash = key_hash_of(request, self._surface)
        kept = self._emulator.conversations.interaction(request.match_info["interaction"], key_hash)
        if kept is None:
            raise Refusal(404, "Requested entity was not found.")
        return kept


def _as_generate(body: Node, contents: list[dict[str, object]]) -> Node:
    """Return the generateContent request that asks for the same."""
    given = body.child("generationConfig")
    wanted = format_of(body)
    if wanted.text("mimeType") not in {"", "image/jpeg"}:
        raise invalid("response_format.mime_type must be 'image/jpeg' for images.")
    config: dict[str, object] = {
        "responseModalities": [word.upper() for word in body.texts("responseModalities")],
        "imageConfig": {name: wanted.text(name) for name in ("aspectRatio", "imageSize") if wanted.has(name)},
        "thinkingConfig": {name: given.text(name) for name in ("thinkingLevel",) if given.has(name)},
    }
    for name in ("maxOutputTokens", "temperature", "topP", "seed"):
        if given.has(name):
            config[name] = given.members[name]
    searches = any(tool.text("type") == "google_search" for tool in body.children("tools"))
    tools: list[dict[str, object]] = [{"googleSearch": {}}] if searches else []
    request: dict[str, object] = {"contents": contents, "generationConfig": config, "tools": tools}
    if body.has("serviceTier"):
        request["serviceTier"] = body.text("serviceTier")
    if body.has("systemInstruction"):
        request["systemInstruction"] = {"parts": [{"text": body.text("systemInstruction")}]}
    return Node(request)

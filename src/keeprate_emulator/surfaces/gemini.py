"""The Gemini API and Vertex verbs on a model: generateContent, streamGenerateContent, countTokens."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from keeprate_emulator import answers, delivery
from keeprate_emulator.calls import Call, arriving_call
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.generation import admitted, called_model, fulfilled
from keeprate_emulator.models import Surface
from keeprate_emulator.outcomes import input_tokens
from keeprate_emulator.prices import price_list
from keeprate_emulator.refusals import Refusal
from keeprate_emulator.requests import Ask, ask_from
from keeprate_emulator.surfaces.counter import taken
from keeprate_emulator.surfaces.files import stored_file_of
from keeprate_emulator.surfaces.imagen import predict
from keeprate_emulator.wire import Node, request_node

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Verbs:
    """`POST …/{model}:{method}` on one surface."""

    def __init__(self, emulator: Emulator, surface: Surface) -> None:
        self._emulator = emulator
        self._surface: Surface = surface

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Answer a call by its verb."""
        call = await arriving_call(request, self._surface)
        if call.method in {"generateContent", "streamGenerateContent"}:
            return await self._generate(request, call)
        if call.method == "countTokens":
            return self._count(call)
        if call.method == "predict":
            return await predict(self._emulator, request, call)
        raise Refusal(404, f"The method '{call.method}' is not served here.")

    async def _generate(self, request: web.Request, call: Call) -> web.StreamResponse:
        model = called_model(self._emulator, call)
        admission = admitted(self._emulator, call, model, self._ask(call, request_node(call.body)))
        commission = await taken(self._emulator, request, admission)
        if isinstance(commission, web.StreamResponse):
            return commission
        fault = admission.fault
        reply = await fulfilled(self._emulator, commission)
        headers = _headers(call, admission.lane)
        if call.method == "generateContent":
            return await delivery.whole(request, answers.document(reply), fault, headers)
        return await delivery.streamed(request, answers.chunks(reply), fault, sse=call.sse, headers=headers)

    def _count(self, call: Call) -> web.Response:
        model = called_model(self._emulator, call)
        body = request_node(call.body)
        inner = body.child("generateContentRequest")
        tokens = input_tokens(self._ask(call, inner or body), price_list(model.family.name))
        return web.json_response(
            {
                "totalTokens": tokens.input,
                "promptTokensDetails": answers.token_details(tokens.prompt, tokens.references),
            }
        )

    def _ask(self, call: Call, body: Node) -> Ask:
        return ask_from(body, call.surface, stored_file_of(self._emulator, call.key_hash))


def _headers(call: Call, lane: str) -> Mapping[str, str]:
    return {} if call.surface == "vertex" else {"x-gemini-service-tier": lane}

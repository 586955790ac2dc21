"""Interactions: conversations that the server keeps."""

from aiohttp import web

from keeprate_emulator.emulator import Emulator
from keeprate_emulator.models import Surface
from keeprate_emulator.refusals import Refusal


class Interactions:
    """The handlers of `/{version}/interactions`."""

    def __init__(self, emulator: Emulator, surface: Surface) -> None:
        self._emulator = emulator
        self._surface: Surface = surface

    async def create(self, request: web.Request) -> web.StreamResponse:
        raise Refusal(404, "later")

    async def interaction(self, request: web.Request) -> web.StreamResponse:
        raise Refusal(404, "later")

    async def delete(self, request: web.Request) -> web.StreamResponse:
        raise Refusal(404, "later")

"""Listings of models, in the two shapes of the two surfaces, as of the emulator's day."""

from aiohttp import web

from keeprate_emulator.calls import key_hash_of
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.models import Model, Surface, all_models, methods_of
from keeprate_emulator.paging import page_of
from keeprate_emulator.refusals import Refusal


class Catalogue:
    """`GET …/models` and `GET …/models/{model}` on one surface."""

    def __init__(self, emulator: Emulator, surface: Surface) -> None:
        self._clock = emulator.clock
        self._surface: Surface = surface

    async def models(self, request: web.Request) -> web.Response:
        """Return a page of the models that live today."""
        key_hash_of(request, self._surface)
        living = [_record(model, self._surface) for model in all_models().values() if self._lives(model)]
        name = "publisherModels" if self._surface == "vertex" else "models"
        return web.json_response(page_of(living, request.query, name=name))

    async def model(self, request: web.Request) -> web.Response:
        """Return one model's record."""
        key_hash_of(request, self._surface)
        wanted = request.match_info["model"]
        model = all_models().get(wanted)
        if model is None or not self._lives(model):
            raise Refusal(404, f"Model is not found: models/{wanted}")
        return web.json_response(_record(model, self._surface))

    def _lives(self, model: Model) -> bool:
        return model.lives(self._surface, self._clock.day)


async def nothing_tuned(request: web.Request) -> web.Response:
    """Return the empty list of tuned models."""
    key_hash_of(request, "gemini-api")
    return web.json_response({})


def _record(model: Model, surface: Surface) -> dict[str, object]:
    if surface == "vertex":
        return {
            "name": f"publishers/google/models/{model.id}",
            "versionId": "default",
            "openSourceCategory": "PROPRIETARY",
            "launchStage": "PUBLIC_PREVIEW" if model.id.endswith("-preview") else "GA",
        }
    return {
        "name": f"models/{model.id}",
        "version": "001",
        "displayName": model.display_name,
        "description": f"{model.display_name}, simulated",
        "inputTokenLimit": model.family.input_tokens,
        "outputTokenLimit": model.family.output_tokens,
        "supportedGenerationMethods": list(methods_of(model)),
        "thinking": model.family.thinks,
    }

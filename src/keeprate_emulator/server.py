"""All doors of the emulator in one table."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from keeprate_emulator.delivery import refused
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.refusals import Refusal
from keeprate_emulator.surfaces.catalogue import Catalogue, nothing_tuned
from keeprate_emulator.surfaces.control import Control
from keeprate_emulator.surfaces.files import Files
from keeprate_emulator.surfaces.gemini import Verbs
from keeprate_emulator.surfaces.interactions import Interactions
from keeprate_emulator.surfaces.vertex import token

_GEMINI = "/{version:v1|v1beta|v1alpha}"
_VERTEX = "/{version:v1|v1beta1}"
_PROJECT = "/projects/{project}/locations/{location}"
_PUBLISHED = "/publishers/google/models"
_VERB = "/{model:[^/:]+}:{method}"
# The largest request that the real service takes on Vertex.
_LARGEST_BODY = 500 * 1024 * 1024


def application(emulator: Emulator) -> web.Application:
    """Return the web application. The emulator is closed with it."""
    app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[_errors_as_google_writes_them])
    app.add_routes([*_control(emulator), *_gemini(emulator), *_vertex(emulator)])

    async def close(_: web.Application) -> None:
        emulator.close()

    app.on_cleanup.append(close)
    return app


def _control(emulator: Emulator) -> list[web.RouteDef]:
    control = Control(emulator)
    return [
        web.get("/healthz", control.health),
        web.get("/_emulator/bill", control.bill),
        web.get("/_emulator/bill/summary", control.bill_summary),
        web.get("/_emulator/faults", control.faults),
        web.post("/_emulator/faults", control.add_faults),
        web.delete("/_emulator/faults", control.clear_faults),
        web.post("/_emulator/reset", control.reset),
        web.get("/_emulator/clock", control.clock),
        web.post("/_emulator/clock", control.set_clock),
        web.get("/_emulator/truth/{name}", control.truth),
    ]


def _gemini(emulator: Emulator) -> list[web.RouteDef]:
    catalogue, files = Catalogue(emulator, "gemini-api"), Files(emulator)
    interactions = Interactions(emulator, "gemini-api")
    return [
        web.post(f"{_GEMINI}/models{_VERB}", Verbs(emulator, "gemini-api")),
        web.get(f"{_GEMINI}/models", catalogue.models),
        web.get(_GEMINI + "/models/{model}", catalogue.model),
        web.get(f"{_GEMINI}/tunedModels", nothing_tuned),
        web.post(f"/upload{_GEMINI}/files", files.upload),
        web.put(f"/upload{_GEMINI}/files", files.upload),
        web.get(f"{_GEMINI}/files", files.files),
        web.get(_GEMINI + "/files/{file}:download", files.download),
        web.get(_GEMINI + "/files/{file:[^/:]+}", files.file),
        web.delete(_GEMINI + "/files/{file:[^/:]+}", files.delete),
        web.post(f"{_GEMINI}/interactions", interactions.create),
        web.get(_GEMINI + "/interactions/{interaction}", interactions.interaction),
        web.delete(_GEMINI + "/interactions/{interaction}", interactions.delete),
    ]


def _vertex(emulator: Emulator) -> list[web.RouteDef]:
    verbs, catalogue = Verbs(emulator, "vertex"), Catalogue(emulator, "vertex")
    return [
        web.post("/token", token),
        web.post(f"{_VERTEX}{_PROJECT}/interactions", Interactions(emulator, "vertex").create),
        web.post(f"{_VERTEX}{_PROJECT}{_PUBLISHED}{_VERB}", verbs),
        web.post(f"{_VERTEX}{_PUBLISHED}{_VERB}", verbs),
        web.post(f"{_PUBLISHED}{_VERB}", verbs),
        web.get(f"{_VERTEX}{_PUBLISHED}", catalogue.models),
        web.get(f"{_VERTEX}{_PUBLISHED}" + "/{model}", catalogue.model),
        web.get(f"{_VERTEX}{_PROJECT}{_PUBLISHED}" + "/{model}", catalogue.model),
    ]


@web.middleware
async def _errors_as_google_writes_them(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return refused(refusal)
    except web.HTTPNotFound:
        return refused(Refusal(404, f"No such path: {request.path}"))
    except web.HTTPMethodNotAllowed:
        return refused(Refusal(404, f"No such method on {request.path}: {request.method}"))
    except web.HTTPRequestEntityTooLarge:
        return refused(Refusal(400, "Request payload size exceeds the limit: 524288000 bytes."))

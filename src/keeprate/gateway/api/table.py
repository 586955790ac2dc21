"""The table of the API: every endpoint with what a caller needs to pass. The authorisation tests read it."""

from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, TypedDict, cast

import msgspec
from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from keeprate.domain.errors import InvalidRequest, InvalidValue, KeeprateError
from keeprate.domain.terms import Grant
from keeprate.gateway.api import told
from keeprate.gateway.api.books import Books
from keeprate.gateway.api.buying import Buying
from keeprate.gateway.api.events import EVENT_STREAM, Events
from keeprate.gateway.api.keyring import Keyring
from keeprate.gateway.api.shelf import Shelf
from keeprate.gateway.desk import Desk
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.doors import REQUEST, Door
from keeprate.gateway.exchange import Answer, AsgiApp, Request
from keeprate.gateway.identity import Caller
from keeprate.gateway.problems import PROBLEM_JSON, no_such_path, refusal, unexpected

Endpoint = Callable[..., Coroutine[object, object, object]]
OPENAPI: Final = "/api/openapi.json"
# A caller who only buys sees its own rows; one who reads or judges sees those of the workspace.
LOOKS: Final = frozenset({Grant.GENERATE, Grant.EDIT, Grant.REVIEW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One endpoint. `also` opens it, too; `status` is that of success; `media` where it is no JSON."""

    method: str
    path: str
    serve: Endpoint
    needs: Grant
    also: frozenset[Grant] = frozenset()
    status: int = 200
    media: str | None = None

    @property
    def name(self) -> str:
        """Return the name that metrics, logs and the OpenAPI document know it by."""
        return f"api.{self.serve.__name__}"


def rows(desk: Desk) -> tuple[Row, ...]:
    """Return every endpoint."""
    buying, books, shelf, keyring = Buying(desk), Books(desk), Shelf(desk), Keyring(desk)
    one = "/api/attempts/{attempt_id}"
    return (
        Row(method="POST", path="/api/quote", serve=buying.quote, needs=Grant.READ, also=LOOKS),
        Row(method="POST", path="/api/route", serve=buying.route, needs=Grant.READ, also=LOOKS),
        Row(method="POST", path="/api/generate", serve=buying.generate, needs=Grant.GENERATE),
        Row(method="POST", path="/api/edit", serve=buying.edit, needs=Grant.EDIT),
        Row(method="GET", path="/api/attempts", serve=books.attempts, needs=Grant.READ, also=LOOKS),
        Row(method="GET", path=one, serve=books.attempt, needs=Grant.READ, also=LOOKS),
        Row(method="POST", path=f"{one}/retry", serve=buying.retry, needs=Grant.GENERATE),
        Row(method="POST", path=f"{one}/reconcile", serve=books.reconcile, needs=Grant.ADMIN),
        Row(method="GET", path=f"{one}/verdicts", serve=books.verdicts, needs=Grant.READ, also=LOOKS),
        Row(method="POST", path=f"{one}/verdicts", serve=books.judge, needs=Grant.REVIEW, status=201),
        Row(method="GET", path="/api/budgets", serve=books.budgets, needs=Grant.READ, also=LOOKS),
        Row(method="PUT", path="/api/budgets", serve=books.set_budget, needs=Grant.ADMIN),
        Row(method="POST", path="/api/budgets/stop", serve=books.stop_buying, needs=Grant.ADMIN),
        Row(method="POST", path="/api/budgets/resume", serve=books.resume_buying, needs=Grant.ADMIN),
        Row(method="DELETE", path="/api/budgets/{budget_id}", serve=books.remove_budget, needs=Grant.ADMIN),
        Row(method="GET", path="/api/reports", serve=books.report, needs=Grant.READ),
        Row(method="GET", path="/api/keys", serve=keyring.keys, needs=Grant.ADMIN),
        Row(method="POST", path="/api/keys", serve=keyring.create_key, needs=Grant.ADMIN, status=201),
        Row(method="DELETE", path="/api/keys/{key_id}", serve=keyring.revoke_key, needs=Grant.ADMIN),
        Row(method="POST", path="/api/keys/{key_id}/resume", serve=keyring.resume_key, needs=Grant.ADMIN),
        Row(method="GET", path="/api/plans", serve=keyring.plans, needs=Grant.ADMIN),
        Row(method="GET", path="/api/alarms", serve=keyring.alarms, needs=Grant.ADMIN),
        Row(method="GET", path="/api/models", serve=shelf.models, needs=Grant.READ, also=LOOKS),
        Row(method="GET", path="/api/models/{model}", serve=shelf.model, needs=Grant.READ, also=LOOKS),
        Row(method="GET", path="/api/images/{sha256}", serve=shelf.image, needs=Grant.READ, also=LOOKS,
            media="image/*"),
        Row(method="GET", path="/api/whence/{sha256}", serve=shelf.whence, needs=Grant.READ, also=LOOKS),
        Row(method="GET", path="/api/events", serve=Events(desk).events, needs=Grant.READ, also=LOOKS,
            media=EVENT_STREAM),
    )  # fmt: skip


def doors(desk: Desk) -> Iterable[Door]:
    """Return a door for each endpoint, all of them served by one FastAPI application, and its description."""
    app = application(rows(desk))
    document = described(app)

    async def openapi(request: Request, caller: Caller) -> Answer:
        del request, caller
        return Answer(body=_encoded(document))

    description = Door(
        name="api.openapi", dialect=Dialect.API, method="GET", path=OPENAPI, needs=None, serve=openapi
    )
    return (
        description,
        *(
            Door(
                name=row.name,
                dialect=Dialect.API,
                method=row.method,
                path=row.path,
                needs=row.needs,
                also=row.also,
                app=cast("AsgiApp", app),
            )
            for row in rows(desk)
        ),
    )


def application(endpoints: Iterable[Row]) -> FastAPI:
    """Return the FastAPI application of these endpoints. It knows no keys: who asks is told to it."""
    app = FastAPI(
        title="Keeprate",
        summary="Routes each image request to the route that costs least per image you keep.",
        version=version("keeprate"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    for row in endpoints:
        app.add_api_route(
            row.path,
            row.serve,
            methods=[row.method],
            status_code=row.status,
            name=row.name,
            operation_id=row.name.removeprefix("api."),
            tags=[row.path.split("/")[2]],
            responses=_responses(row),
            response_class=Response if row.media else JSONResponse,
        )
    app.add_exception_handler(KeeprateError, _refused)
    app.add_exception_handler(RequestValidationError, _misfit)
    app.add_exception_handler(HTTPException, _lost)
    # Answered here, and raised again by the framework, so that the last handler writes it to the log.
    app.add_exception_handler(Exception, _refused)
    return app


_PROBLEM: Final[dict[str, object]] = {
    "description": "A problem after RFC 9457: what is wrong, in which field, and what to do",
    "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
# One event as a reader of the stream sees it; `data` is a JSON object.
_EVENT: Final[dict[str, object]] = {
    "schema": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
    }
}
_BYTES: Final[dict[str, object]] = {"schema": {"type": "string", "format": "binary"}}


def _responses(row: Row) -> dict[int | str, dict[str, object]]:
    told_of: dict[int | str, dict[str, object]] = {"4XX": _PROBLEM, "5XX": _PROBLEM}
    if row.media is not None:
        content = _EVENT if row.media == EVENT_STREAM else _BYTES
        told_of[row.status] = {"description": "Successful Response", "content": {row.media: content}}
    return told_of


def described(app: FastAPI) -> Mapping[str, object]:
    """Return the OpenAPI document: FastAPI's, with the shape of problems and the ways to send a key."""
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, openapi_version="3.1.0"
    )
    parts = document.setdefault("components", {})
    problem = told.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = problem.pop("$defs", {})
    parts.setdefault("schemas", {}).update({**definitions, "Problem": problem})
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "x-goog-api-key": {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
        "key": {"type": "apiKey", "in": "query", "name": "key"},
    }
    document["security"] = [{name: []} for name in parts["securitySchemes"]]
    return document


async def _refused(request: HttpRequest, fault: Exception) -> Response:
    """Answer what we raised on purpose."""
    error = fault if isinstance(fault, KeeprateError) else unexpected()
    asked = cast("Request", request.scope[REQUEST])
    answer = refusal(error, Dialect.API, request_id=asked.id)
    body = answer.body if isinstance(answer.body, bytes) else b""
    return Response(body, answer.status, dict(answer.headers), answer.content_type)


class _Fault(TypedDict, total=False):
    """What of a complaint of pydantic's is worth passing on."""

    loc: tuple[str | int, ...]
    msg: str
    input: object


async def _misfit(request: HttpRequest, fault: Exception) -> Response:
    """Answer a body or a parameter that does not fit, naming the first field that does not."""
    faults: Sequence[object] = fault.errors() if isinstance(fault, RequestValidationError) else ()
    first = cast("_Fault", faults[0]) if faults else _Fault(loc=("body",), msg="does not fit")
    where = [str(part) for part in first.get("loc", ("body",))]
    field = ".".join(where[1:]) or where[0]
    given = first.get("input")
    error = InvalidValue(
        f"{field}: {first.get('msg')}",
        field=field,
        value=given if isinstance(given, str | int | float | bool) else None,
        remedy=f"see {OPENAPI} for what it takes",
    )
    return await _refused(request, error)


async def _lost(request: HttpRequest, fault: Exception) -> Response:
    """Answer what the framework itself refuses: a body that is no JSON, most of all."""
    status = fault.status_code if isinstance(fault, HTTPException) else 500
    if status == 404:
        return await _refused(request, no_such_path(request.url.path))
    detail = fault.detail if isinstance(fault, HTTPException) else "the request cannot be read"
    return await _refused(request, InvalidRequest(str(detail), field="body", remedy=f"see {OPENAPI}"))


def _encoded(document: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(document)

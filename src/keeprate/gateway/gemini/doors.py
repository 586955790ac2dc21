"""The doors of Google's dialect, for each version its clients say, and for Vertex with and without a project."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

from keeprate.domain.routes import GEMINI_API, VERTEX
from keeprate.domain.terms import Grant
from keeprate.gateway.desk import Desk
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.doors import Door, Handler
from keeprate.gateway.gemini.batches import Batches
from keeprate.gateway.gemini.calls import Calls
from keeprate.gateway.gemini.errands import Errands
from keeprate.gateway.gemini.files import Files
from keeprate.gateway.gemini.models import Models
from keeprate.workflows.envelopes import Verb
from keeprate.workflows.relay import Relay

GEMINI_VERSIONS: Final = ("v1beta", "v1", "v1alpha")
VERTEX_VERSIONS: Final = ("v1beta1", "v1")
# Google's own limit of a file (https://ai.google.dev/gemini-api/docs/files, 2026-09).
LARGEST_FILE: Final = 2 * 1024 * 1024 * 1024
# Six turns of a chat with 4K pictures; Vertex takes as much (https://cloud.google.com/vertex-ai, 2026-09).
LARGEST_CALL: Final = 500 * 1024 * 1024


def doors(desk: Desk) -> Iterable[Door]:
    """Return the doors of the Gemini API and of Vertex."""
    relay = Relay()
    yield from _gemini(desk, relay)
    yield from _vertex(desk, relay)


def _gemini(desk: Desk, relay: Relay) -> Iterator[Door]:
    calls = Calls(desk=desk, relay=relay, surface=GEMINI_API)
    errands = Errands(desk=desk, surface=GEMINI_API)
    files, models = Files(errands=errands), Models(desk=desk, surface=GEMINI_API)
    batches = Batches(errands=errands)
    for version in GEMINI_VERSIONS:
        at = partial(_door, Dialect.GEMINI, f"/{version}")
        yield from _verbs(calls, errands, at, "/models/{model}")
        yield at("models.list", "GET", "/models", serve=models.listed)
        yield at("models.get", "GET", "/models/{model}", serve=models.one)
        yield at("tuned.list", "GET", "/tunedModels", serve=models.tuned)
        yield at("interactions.create", "POST", "/interactions", serve=calls.interact)
        yield at("interactions.get", "GET", "/interactions/{interaction}", serve=errands.interaction)
        yield at(
            "interactions.delete",
            "DELETE",
            "/interactions/{interaction}",
            serve=errands.interaction,
        )
        yield at("files.list", "GET", "/files", serve=files.listed)
        yield at("files.download", "GET", "/files/{file}:download", serve=files.one)
        yield at("files.get", "GET", "/files/{file}", serve=files.one)
        yield at("files.delete", "DELETE", "/files/{file}", serve=files.one)
        yield at("batches.create", "POST", "/models/{model}:batchGenerateContent", serve=calls.batch)
        yield at("batches.list", "GET", "/batches", serve=batches.listed)
        yield at("batches.get", "GET", "/batches/{batch}", serve=batches.one)
        yield at("batches.cancel", "POST", "/batches/{batch}:cancel", serve=batches.cancel)
        yield at("batches.delete", "DELETE", "/batches/{batch}", serve=batches.one)
        yield from _uploads(files, version)


def _vertex(desk: Desk, relay: Relay) -> Iterator[Door]:
    calls = Calls(desk=desk, relay=relay, surface=VERTEX)
    errands, models = Errands(desk=desk, surface=VERTEX), Models(desk=desk, surface=VERTEX)
    places = [
        f"/{version}{project}"
        for version in VERTEX_VERSIONS
        for project in ("/projects/{project}/locations/{location}", "")
    ]
    for place in places:
        at = partial(_door, Dialect.VERTEX, place)
        yield from _verbs(calls, errands, at, "/publishers/google/models/{model}")
        yield at("models.list", "GET", "/publishers/google/models", serve=models.listed)
        yield at("models.get", "GET", "/publishers/google/models/{model}", serve=models.one)
        if place.endswith("{location}"):
            yield at("interactions.create", "POST", "/interactions", serve=calls.interact)


def _verbs(calls: Calls, errands: Errands, at: partial[Door], model: str) -> Iterator[Door]:
    for verb in (Verb.GENERATE, Verb.STREAM, Verb.PREDICT):
        yield at(str(verb), "POST", f"{model}:{verb}", serve=partial(calls.verb, verb=verb))
    yield at("countTokens", "POST", f"{model}:countTokens", serve=errands.count)


def _uploads(files: Files, version: str) -> Iterator[Door]:
    for method, name in (("POST", "files.upload"), ("PUT", "files.upload.put")):
        yield Door(
            name=f"gemini.{name}",
            dialect=Dialect.GEMINI,
            method=method,
            path=f"/upload/{version}/files",
            # The bytes come without a key, to an address that cannot be guessed; who begins is asked for one.
            needs=None,
            serve=files.upload,
            body_limit=LARGEST_FILE,
        )


def _door(dialect: Dialect, base: str, name: str, method: str, path: str, *, serve: Handler) -> Door:
    return Door(
        name=f"{dialect}.{name}",
        dialect=dialect,
        method=method,
        path=base + path,
        needs=Grant.GENERATE,
        serve=serve,
        body_limit=LARGEST_CALL,
    )

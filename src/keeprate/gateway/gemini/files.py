"""Files of the Gemini API: uploaded through here, kept by the upstream, known here by workspace.

The second step of an upload carries no key: its address is the key, so it is ours and cannot be guessed. What an
upstream lists belongs to all who share its key; only the files of the caller's workspace are shown.
Wire source: https://ai.google.dev/gemini-api/docs/files and google-genai 1.75 to 3.4 recorded on loopback, 2026-11.
"""

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from keeprate.domain.errors import InvalidValue, NotFound
from keeprate.domain.scopes import Scope
from keeprate.domain.terms import Grant
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.gemini.calls import query_of
from keeprate.gateway.gemini.errands import Errands
from keeprate.gateway.gemini.passing import JSON_TYPE, Run, downward, errand_run, gathered
from keeprate.gateway.identity import Caller
from keeprate.workflows.affinity import Kind, Place, place_of, remember
from keeprate.workflows.forwarding import Errand
from keeprate.workflows.passages import forwarder_of

UPLOAD_URL: Final = "X-Goog-Upload-URL"
_GOES_UP: Final = "x-goog-upload-"
_LIST_QUERY: Final = frozenset({"pageSize", "pageToken"})


class _Named(msgspec.Struct):
    name: str = ""


class _Uploaded(msgspec.Struct):
    file: _Named = msgspec.field(default_factory=_Named)


class _Page(msgspec.Struct, rename="camel"):
    files: list[msgspec.Raw] = []
    next_page_token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Serves `/upload/…/files` and `/…/files`."""

    errands: Errands

    async def upload(self, request: Request, caller: Caller) -> Answer:
        """Begin an upload and name our own address for its bytes; or, at that address, take them.

        Raises:
            Unauthenticated: Who begins has no key.
        """
        del caller
        if request.asked("upload_id") is not None:
            return await self.go_on(request)
        caller = await self.errands.desk.identity.caller(request)
        caller.must(Grant.GENERATE)
        body = await gathered(request)
        forwarder = self.errands.first()
        errand = Errand(collection="files", version=self.errands.version(request, forwarder), is_upload=True)
        run = await errand_run(
            forwarder,
            errand,
            method="POST",
            headers=_upward(request),
            body=body.body,
            length=len(body.body),
        )
        told = run.headers.get(UPLOAD_URL)
        if run.status != 200 or told is None:
            return run.answer()
        token = self.errands.desk.means.rng.token() + self.errands.desk.means.rng.token()
        upload_id = f"{binascii.hexlify(caller.scope.workspace.encode()).decode()}.{token}"
        there = urlsplit(told)
        place = Place(upstream=forwarder.upstream.name, address=f"{there.path}?{there.query}")
        await remember(self.errands.desk.ledger, caller.scope, Kind.UPLOAD, upload_id, place)
        here = f"{_base(request)}{request.path}?upload_id={upload_id}&upload_protocol=resumable"
        headers = {name: value for name, value in run.headers.items() if name.lower() != UPLOAD_URL.lower()}
        return Answer(
            headers=(*downward(headers), (UPLOAD_URL, here)),
            content_type=run.headers.get("Content-Type", JSON_TYPE),
            body=await run.whole(),
        )

    async def go_on(self, request: Request) -> Answer:
        """Pass bytes of a file on as they come; note at the end whose file it is.

        Raises:
            NotFound: No upload of that name was begun here.
        """
        scope, place = await self._upload(request.asked("upload_id") or "")
        forwarder = forwarder_of(self.errands.desk.means, place.upstream)
        there = urlsplit(place.address or "")
        version, _, collection = there.path.removeprefix("/upload/").partition("/")
        errand = Errand(collection=collection, version=version, is_upload=True, query=there.query)
        if request.length is None:
            raise InvalidValue(
                "the length of the bytes is not told", field="content-length", remedy="send Content-Length"
            )
        run = await errand_run(
            forwarder,
            errand,
            method="POST",
            headers=_upward(request),
            body=request.chunks(),
            length=request.length,
        )
        if "finalize" not in (request.headers.get("x-goog-upload-command") or ""):
            return run.answer()
        return await self._finished(run, scope, place)

    async def listed(self, request: Request, caller: Caller) -> Answer:
        """Answer with those files of a page that are the caller's workspace's."""
        forwarder = self.errands.first()
        errand = Errand(
            collection="files",
            version=self.errands.version(request, forwarder),
            query=query_of(request, _LIST_QUERY),
        )
        run = await errand_run(forwarder, errand, method="GET")
        if run.status != 200:
            return run.answer()
        page = msgspec.json.decode(await run.whole() or b"{}", type=_Page)
        ours = [raw for raw in page.files if await self._is_ours(caller.scope, raw)]
        told: dict[str, object] = {"files": ours} if ours else {}
        # A token whose page shows nothing breaks clients; theirs ends where ours does.
        if page.next_page_token is not None and ours:
            told["nextPageToken"] = page.next_page_token
        return Answer(body=msgspec.json.encode(told))

    async def one(self, request: Request, caller: Caller) -> Answer:
        """Answer with a file of this workspace, its bytes, or that it is gone.

        Raises:
            NotFound: None of that name here.
        """
        name = request.parts["file"]
        forwarder, _ = await self.errands.home(caller, Kind.FILE, name)
        verb = ":download" if request.path.endswith(":download") else ""
        errand = Errand(
            collection=f"files/{name}{verb}",
            version=self.errands.version(request, forwarder),
            query=query_of(request),
        )
        return (await errand_run(forwarder, errand, method=request.method)).answer()

    async def _finished(self, run: Run, scope: Scope, place: Place) -> Answer:
        body = await run.whole()
        if run.status == 200:
            name = msgspec.json.decode(body or b"{}", type=_Uploaded).file.name.rpartition("/")[2]
            await remember(self.errands.desk.ledger, scope, Kind.FILE, name, Place(upstream=place.upstream))
        return Answer(
            status=run.status,
            headers=downward(run.headers),
            content_type=run.headers.get("Content-Type", JSON_TYPE),
            body=body,
        )

    async def _upload(self, upload_id: str) -> tuple[Scope, Place]:
        encoded, _, _ = upload_id.partition(".")
        try:
            scope = Scope(workspace=binascii.unhexlify(encoded).decode())
        except (binascii.Error, UnicodeDecodeError, ValueError):
            scope = Scope(workspace="")
        place = await place_of(self.errands.desk.ledger, scope, Kind.UPLOAD, upload_id)
        if place is None or place.upstream not in self.errands.desk.means.providers:
            raise NotFound("no such upload", field="upload_id", remedy="begin it anew")
        return scope, place

    async def _is_ours(self, scope: Scope, raw: msgspec.Raw) -> bool:
        name = msgspec.json.decode(raw, type=_Named).name.rpartition("/")[2]
        return await place_of(self.errands.desk.ledger, scope, Kind.FILE, name) is not None


def _upward(request: Request) -> Mapping[str, str]:
    """Return what the upload protocol says; a binary body may call itself JSON, and nobody minds."""
    kept = {name: value for name, value in request.headers.pairs if name.startswith(_GOES_UP)}
    return {**kept, "Content-Type": request.headers.get("content-type") or "application/octet-stream"}


def _base(request: Request) -> str:
    """Return the address by which the client came: it follows the next one as it is."""
    scheme = str(request.scope.get("scheme") or "http")
    return f"{scheme}://{request.headers.get('host') or ''}"

"""The Files API: resumable upload in two steps, then get, list, download and delete.

Wire source: https://ai.google.dev/gemini-api/docs/files, and google-genai 1.75, 2.34 and 3.4 recorded on loopback
(2026-11). The second step carries no key, so the address itself must be unguessable.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

from keeprate_emulator.calls import key_hash_of
from keeprate_emulator.clock import stamp
from keeprate_emulator.emulator import Emulator
from keeprate_emulator.paging import page_of
from keeprate_emulator.pictures import sniffed
from keeprate_emulator.refusals import Refusal, invalid
from keeprate_emulator.requests import FileLookup
from keeprate_emulator.shelf import StoredFile, is_file_id, new_file_id
from keeprate_emulator.wire import request_node

_KEPT_FOR = timedelta(hours=48)


@dataclass(slots=True)
class _Upload:
    """A file on its way in."""

    key_hash: str
    file_id: str
    display_name: str
    mime: str
    content: bytearray = field(default_factory=bytearray)


class Files:
    """The handlers of `/upload/{version}/files` and `/{version}/files`."""

    def __init__(self, emulator: Emulator) -> None:
        self._shelf = emulator.shelf
        self._uploads: dict[str, _Upload] = {}

    async def upload(self, request: web.Request) -> web.Response:
        """Take either step: the address tells them apart, never the content type."""
        upload_id = request.query.get("upload_id")
        return await (self._continue(request, upload_id) if upload_id else self._start(request))

    async def file(self, request: web.Request) -> web.Response:
        """Return one file's record."""
        return web.json_response(_record(self._owned(request), request))

    async def files(self, request: web.Request) -> web.Response:
        """Return a page of the caller's files."""
        own = self._shelf.files_of(key_hash_of(request, "gemini-api"))
        return web.json_response(
            page_of([_record(file, request) for file in own], request.query, name="files")
        )

    async def download(self, request: web.Request) -> web.Response:
        """Return a file's bytes."""
        file = self._owned(request)
        return web.Response(body=self._shelf.content(file), content_type=file.mime)

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a file."""
        self._shelf.remove(self._owned(request))
        return web.json_response({})

    async def _start(self, request: web.Request) -> web.Response:
        key_hash = key_hash_of(request, "gemini-api")
        named = request_node(await request.read()).child("file")
        if "start" not in request.headers.get("x-goog-upload-command", ""):
            raise invalid("Expected X-Goog-Upload-Command: start.")
        file_id = named.text("name").rsplit("/", 1)[-1] or new_file_id()
        if not is_file_id(file_id):
            raise invalid("File names must be lowercase letters, digits and dashes.")
        upload_id = secrets.token_urlsafe(32)
        self._uploads[upload_id] = _Upload(
            key_hash=key_hash,
            file_id=file_id,
            display_name=named.text("displayName"),
            mime=request.headers.get("x-goog-upload-header-content-type") or named.text("mimeType"),
        )
        # Clients follow this address as it is, so it must name the host by which they came.
        address = (
            f"{request.scheme}://{request.host}{request.path}?upload_id={upload_id}&upload_protocol=resumable"
        )
        return web.json_response({}, headers={"X-Goog-Upload-URL": address, "X-Goog-Upload-Status": "active"})

    async def _continue(self, request: web.Request, upload_id: str) -> web.Response:
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise Refusal(404, "Upload not found or already finished.")
        command = request.headers.get("x-goog-upload-command", "")
        offset = request.headers.get("x-goog-upload-offset", "0")
        if "query" in command:
            return _active(len(upload.content))
        if not offset.isdigit() or int(offset) != len(upload.content):
            raise invalid(f"Expected offset {len(upload.content)}, got {offset}.")
        upload.content += await request.read()
        if "finalize" not in command:
            return _active(len(upload.content))
        del self._uploads[upload_id]
        file = self._kept(upload)
        return web.json_response({"file": _record(file, request)}, headers={"X-Goog-Upload-Status": "final"})

    def _kept(self, upload: _Upload) -> StoredFile:
        content = bytes(upload.content)
        file = StoredFile(
            id=upload.file_id,
            display_name=upload.display_name,
            mime=upload.mime or sniffed(content) or "application/octet-stream",
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            key_hash=upload.key_hash,
            created_at=stamp(),
            expires_at=(datetime.now(UTC) + _KEPT_FOR)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z"),
        )
        self._shelf.put(file, content)
        return file

    def _owned(self, request: web.Request) -> StoredFile:
        file_id = request.match_info["file"]
        file = self._shelf.file(file_id, key_hash_of(request, "gemini-api"))
        if file is None:
            raise _not_yours(file_id)
        return file


def stored_file_of(emulator: Emulator, key_hash: str) -> FileLookup:
    """Return the look-up of a caller's uploaded files, by id."""

    def lookup(file_id: str) -> tuple[bytes, str]:
        file = emulator.shelf.file(file_id, key_hash)
        if file is None:
            raise _not_yours(file_id)
        return emulator.shelf.content(file), file.mime

    return lookup


def _active(received: int) -> web.Response:
    return web.Response(
        headers={"X-Goog-Upload-Status": "active", "X-Goog-Upload-Size-Received": str(received)}
    )


def _not_yours(file_id: str) -> Refusal:
    return Refusal(403, f"You do not have permission to access the File {file_id} or it may not exist.")


def _record(file: StoredFile, request: web.Request) -> dict[str, object]:
    version = request.match_info["version"]
    return {
        "name": f"files/{file.id}",
        "displayName": file.display_name,
        "mimeType": file.mime,
        "sizeBytes": str(file.size),
        "createTime": file.created_at,
        "updateTime": file.created_at,
        "expirationTime": file.expires_at,
        "sha256Hash": file.sha256,
        "state": "ACTIVE",
        "source": "UPLOADED",
        "uri": f"{request.scheme}://{request.host}/{version}/files/{file.id}",
    }

"""Who calls what: the parts of an HTTP request that are the same on every door."""

import hashlib
from dataclasses import dataclass

from aiohttp import web

from keeprate_emulator.models import Surface
from keeprate_emulator.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One arriving call. `key_hash` stands for the credential, which is kept nowhere."""

    surface: Surface
    version: str
    method: str
    model_id: str
    body: bytes
    key_hash: str
    client_request_id: str
    lane: str
    sse: bool


def key_hash_of(request: web.Request, surface: Surface) -> str:
    """Return a fingerprint of the caller's credential.

    Raises:
        Refusal: 403 without a key on the Gemini API, 401 without a token on Vertex, in Google's words.
    """
    key = request.headers.get("x-goog-api-key") or request.query.get("key") or ""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if surface == "vertex" and scheme.lower() == "bearer" and token.strip():
        key = token.strip()
    if not key:
        raise _stranger(surface)
    return hashlib.sha256(key.encode()).hexdigest()[:16]


async def arriving_call(request: web.Request, surface: Surface) -> Call:
    """Read a call on `…/{model}:{method}`."""
    key_hash = key_hash_of(request, surface)
    return Call(
        surface=surface,
        version=request.match_info.get("version", "v1"),
        method=request.match_info["method"],
        model_id=request.match_info["model"],
        body=await request.read(),
        key_hash=key_hash,
        client_request_id=request.headers.get("x-keeprate-attempt", ""),
        lane=request.headers.get("x-vertex-ai-llm-shared-request-type", "") if surface == "vertex" else "",
        sse=request.query.get("alt") == "sse",
    )


def _stranger(surface: Surface) -> Refusal:
    if surface == "vertex":
        return Refusal(
            401,
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie "
            "or other valid authentication credential.",
        )
    return Refusal(
        403,
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
        "other form of API consumer identity to call this API.",
    )

"""Which dialect a request speaks, from its path and header names alone.

Three families share a port, and some of their paths are equal: since google-genai 3 Google's clients
say `/v1/models` as OpenAI's do. What tells them apart was recorded from openai 3.54.0, google-genai
1.75.0 to 3.4.0, @google/genai 2.32.0 and @ai-sdk 3.0.141 on loopback, 2026-11-21:

    x-goog-api-key, x-goog-api-client or ?key=      Google
    authorization: Bearer, x-stainless-*            OpenAI
    /projects/ or /publishers/ in the path          Vertex, which sends a Bearer token, too
"""

import re
from enum import StrEnum
from typing import Final

from keeprate.gateway.exchange import Headers, Pairs


class Dialect(StrEnum):
    """How a request is written, and how its refusals are."""

    OPENAI = "openai"
    GEMINI = "gemini"
    VERTEX = "vertex"
    API = "api"
    OPS = "ops"

    @property
    def is_google(self) -> bool:
        """Return whether errors have Google's shape."""
        return self in {Dialect.GEMINI, Dialect.VERTEX}


# Where both OpenAI and Google could be meant, a client may say so in the path.
OPENAI_MOUNT: Final = "/openai"
_OPS: Final = frozenset({"/healthz", "/readyz", "/metrics", "/"})
_VERTEX: Final = re.compile(r"^/v1(?:beta1)?/(?:projects|publishers)/")
_GOOGLE: Final = re.compile(r"^/(?:v1beta1?|v1alpha)/|^/(?:upload|download)/")
# Under /v1: a verb after a colon, and what OpenAI has no word for.
_GOOGLE_V1: Final = re.compile(r"^/v1/(?:[^:]+:[A-Za-z]+$|interactions(?:/|$)|cachedContents(?:/|$))")
_EITHER: Final = re.compile(r"^/v1/(?:models|files|batches|operations)(?:/|$)")


def dialect_of(path: str, headers: Headers, query: Pairs) -> Dialect:
    """Return the dialect that a request to `path` is written in; OPS where nobody's path it is."""
    if path == "/api" or path.startswith("/api/"):
        return Dialect.API
    if path in _OPS:
        return Dialect.OPS
    if path.startswith(f"{OPENAI_MOUNT}/"):
        return Dialect.OPENAI
    return _google_of(path, headers, query) or (Dialect.OPENAI if path.startswith("/v1/") else Dialect.OPS)


def _google_of(path: str, headers: Headers, query: Pairs) -> Dialect | None:
    if _VERTEX.search(path):
        return Dialect.VERTEX
    if _GOOGLE.search(path) or _GOOGLE_V1.search(path):
        return Dialect.GEMINI
    return Dialect.GEMINI if _EITHER.search(path) and _speaks_google(headers, query) else None


def inner_path(path: str, dialect: Dialect) -> str:
    """Return the path with the mount that only chose the dialect taken off."""
    return path.removeprefix(OPENAI_MOUNT) if dialect is Dialect.OPENAI else path


def _speaks_google(headers: Headers, query: Pairs) -> bool:
    return (
        "x-goog-api-key" in headers
        or "x-goog-api-client" in headers
        or any(name == "key" for name, _ in query)
    )

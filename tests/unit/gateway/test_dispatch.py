"""Who is meant by a path that two dialects share."""

import pytest

from keeprate.gateway.dispatch import Dialect, dialect_of, inner_path
from keeprate.gateway.exchange import Headers

GOOGLE_KEY = {"x-goog-api-key": "k"}
GOOGLE_CLIENT = {"x-goog-api-client": "google-genai-sdk/3.4.0"}
OPENAI = {"authorization": "Bearer k", "x-stainless-lang": "python"}
NOBODY: dict[str, str] = {}


@pytest.mark.parametrize(
    ("path", "headers", "query", "dialect"),
    [
        ("/v1/images/generations", OPENAI, [], Dialect.OPENAI),
        ("/v1/images/edits", NOBODY, [], Dialect.OPENAI),
        ("/v1/models", OPENAI, [], Dialect.OPENAI),
        ("/v1/models", GOOGLE_KEY, [], Dialect.GEMINI),
        ("/v1/models", GOOGLE_CLIENT, [], Dialect.GEMINI),
        ("/v1/models", NOBODY, [("key", "k")], Dialect.GEMINI),
        ("/v1/models", NOBODY, [], Dialect.OPENAI),
        ("/v1/models/gemini-3-pro-image", GOOGLE_KEY, [], Dialect.GEMINI),
        ("/v1/models/gemini-3-pro-image:generateContent", OPENAI, [], Dialect.GEMINI),
        ("/v1/files", OPENAI, [], Dialect.OPENAI),
        ("/v1/files/abc", GOOGLE_KEY, [], Dialect.GEMINI),
        ("/v1/batches", GOOGLE_CLIENT, [], Dialect.GEMINI),
        ("/v1/interactions", OPENAI, [], Dialect.GEMINI),
        ("/v1beta/models/x:generateContent", NOBODY, [], Dialect.GEMINI),
        ("/v1alpha/models", OPENAI, [], Dialect.GEMINI),
        ("/upload/v1/files", NOBODY, [], Dialect.GEMINI),
        ("/v1beta1/projects/p/locations/l/publishers/google/models/m:predict", OPENAI, [], Dialect.VERTEX),
        ("/v1beta1/publishers/google/models", OPENAI, [], Dialect.VERTEX),
        ("/v1/projects/p/locations/l/batchPredictionJobs", OPENAI, [], Dialect.VERTEX),
        ("/openai/v1/models", GOOGLE_KEY, [], Dialect.OPENAI),
        ("/api/quote", GOOGLE_KEY, [], Dialect.API),
        ("/healthz", GOOGLE_KEY, [], Dialect.OPS),
        ("/apis", NOBODY, [], Dialect.OPS),
        ("/nowhere", OPENAI, [], Dialect.OPS),
    ],
)
def test_the_dialect_is_told_by_path_then_by_headers(
    path: str, headers: dict[str, str], query: list[tuple[str, str]], dialect: Dialect
) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert dialect_of(path, Headers(raw), query) is dialect


def test_the_mount_that_only_says_openai_is_taken_off() -> None:
    assert inner_path("/openai/v1/models", Dialect.OPENAI) == "/v1/models"
    assert inner_path("/v1/models", Dialect.OPENAI) == "/v1/models"
    assert inner_path("/openai/v1/models", Dialect.OPS) == "/openai/v1/models"


@pytest.mark.parametrize("dialect", list(Dialect))
def test_only_googles_two_dialects_have_googles_errors(dialect: Dialect) -> None:
    assert dialect.is_google == (dialect in {Dialect.GEMINI, Dialect.VERTEX})

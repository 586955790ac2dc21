"""Errors as each dialect's clients read them: one status, one shape, and whether sending again can help.

Sources: RFC 9457 for our own routes; <https://cloud.google.com/apis/design/errors> for Google's envelope and
status names; the openai client's error classes and its `x-should-retry` header (openai 3.54.0, read 2026-11-21).
"""

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, cast

import msgspec

from keeprate.domain.errors import (
    BudgetExceeded,
    InternalFault,
    KeeprateError,
    NotAllowedHere,
    NotFound,
    Throttled,
    TooBusy,
    Unauthenticated,
    Unreachable,
)
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.exchange import Answer, Pairs

PROBLEM_JSON: Final = "application/problem+json"
_GOOGLE_STATUS: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    410: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    428: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    507: "INTERNAL",
}
_OPENAI_TYPE: Final[Mapping[int, str]] = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    409: "conflict_error",
    429: "rate_limit_error",
}


def refusal(error: KeeprateError, dialect: Dialect, *, request_id: str) -> Answer:
    """Return `error` as a client of `dialect` expects it."""
    headers = (*_advice(error), *_budget_marks(error), ("cache-control", "no-store"))
    if dialect is Dialect.OPENAI:
        return _answer(error, headers, openai_error(error))
    if dialect.is_google:
        return _answer(error, headers, google_error(error))
    return _answer(error, headers, problem(error, request_id=request_id), content_type=PROBLEM_JSON)


def problem(error: KeeprateError, *, request_id: str) -> Mapping[str, object]:
    """Return the problem document of RFC 9457, with the error's own members beside the standard ones."""
    return {
        "type": f"urn:keeprate:problem:{error.code}",
        "title": HTTPStatus(error.http_status).phrase,
        "status": error.http_status,
        "detail": error.message,
        "instance": f"urn:keeprate:request:{request_id}",
        "code": error.code,
        "field": error.field,
        "value": plain(error.value),
        "remedy": error.remedy,
        "facts": plain(error.facts),
    }


def openai_error(error: KeeprateError) -> Mapping[str, object]:
    """Return the error envelope of OpenAI's API."""
    usual = "server_error" if error.http_status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": _sentences(error),
            "type": _OPENAI_TYPE.get(error.http_status, usual),
            "param": error.field,
            "code": error.code,
        }
    }


def google_error(error: KeeprateError) -> Mapping[str, object]:
    """Return the error envelope of Google's APIs."""
    facts = {name: str(value) for name, value in error.facts.items() if value is not None}
    metadata = {**({} if error.field is None else {"field": error.field}), **facts}
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": error.code.upper(),
        "domain": "keeprate",
        "metadata": metadata,
    }
    return {
        "error": {
            "code": error.http_status,
            "message": _sentences(error),
            "status": _GOOGLE_STATUS.get(error.http_status, "UNKNOWN"),
            "details": [info],
        }
    }


def no_such_path(path: str) -> NotFound:
    """Return that nothing is served at `path`."""
    return NotFound(
        "nothing is served at this path",
        field="path",
        value=path,
        remedy="see /api/openapi.json, or the manual's page on the gateway",
    )


def wrong_method(method: str, allowed: tuple[str, ...]) -> NotAllowedHere:
    """Return that the path takes other methods."""
    return NotAllowedHere(
        f"this path does not take {method}",
        field="method",
        value=method,
        remedy="use " + " or ".join(allowed),
        facts={"allow": ", ".join(allowed)},
    )


def unexpected() -> InternalFault:
    """Return what a client hears of a fault of ours."""
    return InternalFault(
        "Keeprate met a fault of its own",
        remedy="what was bought is on record: see `keeprate attempts`; look for the request id in the log",
    )


def plain(value: object) -> object:
    """Return `value` as JSON can say it."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in cast("list[object]", value)]
    # Surrogates and whole numbers beyond 64 bits are words of others that JSON readers choke on.
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < 1 << 63):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)


def _answer(
    error: KeeprateError,
    headers: Pairs,
    document: Mapping[str, object],
    *,
    content_type: str = "application/json",
) -> Answer:
    body = msgspec.json.encode(plain(document))
    return Answer(status=error.http_status, headers=headers, content_type=content_type, body=body)


def _advice(error: KeeprateError) -> Pairs:
    """Return what tells a client whether to send again by itself: only where nothing can have been paid."""
    fields: list[tuple[str, str]] = []
    wait_s = error.retry_after_s if isinstance(error, TooBusy | Throttled) else None
    may_help = wait_s is not None or isinstance(error, Unreachable)
    if wait_s is not None:
        fields.append(("retry-after", str(max(1, math.ceil(wait_s)))))
    if isinstance(error, Unauthenticated):
        fields.append(("www-authenticate", "Bearer"))
    if isinstance(error, NotAllowedHere):
        fields.append(("allow", str(error.facts.get("allow", ""))))
    fields.append(("x-should-retry", "true" if may_help else "false"))
    return fields


def _budget_marks(error: KeeprateError) -> Pairs:
    if not isinstance(error, BudgetExceeded):
        return ()
    names = {"limit_usd": "limit-usd", "remaining_usd": "remaining-usd", "resets_at": "reset"}
    told = ((mark, error.facts.get(name)) for name, mark in names.items())
    return [(f"x-keeprate-{mark}", str(value)) for mark, value in told if value is not None]


def _sentences(error: KeeprateError) -> str:
    return error.message if error.remedy is None else f"{error.message} ({error.remedy})"

"""What an answer other than 200 means for money, and whether trying again can help.

Refused free: the statuses by which an upstream says that it did not serve. 500 and 503 count among them
only with Google's own error body, which is an assumption and is booked as one: a proxy's 503 may hide a
picture that was made. Everything else may have been paid.
Wire source: https://google.aip.dev/193, https://ai.google.dev/gemini-api/docs/troubleshooting and bodies
quoted in public issue threads (google-gemini/gemini-cli 8437 and 13112), 2025-09 to 2026-10.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.providers.google.answers import UNREADABLE
from keeprate.workflows.ports import SendFailure

# Nobody serves a request and then answers with one of these.
_NEVER_SERVED: Final = frozenset(
    {301, 302, 307, 308, 400, 401, 402, 403, 404, 405, 411, 413, 414, 415, 422, 431}
)
_SERVER_FAULTS: Final = frozenset({500, 503})
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s\Z")
_LIMIT_ZERO = re.compile(r"\blimit: 0\b")
# The rolling spend limit looks back ten minutes, so a second's wait is no use.
_SPEND_WINDOW_WAIT_S: Final = 120.0
_LONGEST_TEXT: Final = 2000
_TITLE = re.compile(r"<title[^>]*>([^<]+)</title>", re.IGNORECASE)


class Throttle(StrEnum):
    """Why a 429 was given. One status, several causes, and only some pass by waiting."""

    NO_BILLING = "no_billing"  # the project's limit for this model is zero
    PREPAY_EMPTY = "prepay_empty"
    PER_DAY = "per_day"
    SPEND_WINDOW = "spend_window"
    BURST = "burst"
    UNSPECIFIED = "unspecified"


_FINAL: Final = frozenset({Throttle.NO_BILLING, Throttle.PREPAY_EMPTY, Throttle.PER_DAY})


class Violation(msgspec.Struct, rename="camel"):
    quota_id: str | None = None
    quota_metric: str | None = None
    quota_value: str | None = None


class Detail(msgspec.Struct, rename="camel"):
    retry_delay: str | None = None
    violations: list[Violation] | None = None
    reason: str | None = None


class GoogleError(msgspec.Struct):
    """Google's error object. `status` is what tells it from a proxy's or a gateway's."""

    status: str
    code: int | None = None
    message: str = ""
    details: msgspec.Raw = msgspec.Raw()

    def known_details(self) -> Sequence[Detail]:
        """Return the details, or none where they are of a shape we do not know: they only advise."""
        if not memoryview(self.details).nbytes:
            return ()
        try:
            return msgspec.json.decode(self.details, type=list[Detail] | None, strict=False) or ()
        except UNREADABLE:
            return ()

    def violations(self) -> tuple[Violation, ...]:
        """Return the quotas that were passed."""
        return tuple(violation for detail in self.known_details() for violation in detail.violations or ())


class _Envelope(msgspec.Struct):
    error: GoogleError


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> SendFailure:
    """Return the failure that an answer with `status` (not 200) stands for.

    `headers` is read for `Retry-After`; its keys are matched as given by a case-insensitive mapping.
    """
    error = google_error(body)
    if status == 429:
        return _throttled(headers, error, body)
    if status in _NEVER_SERVED:
        return _failure(FailureClass.REFUSED_FREE, status, error, body, is_final=True)
    if status in _SERVER_FAULTS and error is not None and error.status != "DEADLINE_EXCEEDED":
        wait = _wait_s(headers, error)
        return _failure(FailureClass.REFUSED_FREE, status, error, body, is_final=False, retry_after_s=wait)
    return _failure(FailureClass.UNKNOWN, status, error, body, is_final=False)


def google_error(body: bytes) -> GoogleError | None:
    """Return the error object, also from inside a list of one; None where the body is not Google's."""
    for shape in (_Envelope, list[_Envelope]):
        try:
            found = msgspec.json.decode(body, type=shape, strict=False)
        except UNREADABLE:
            continue
        if isinstance(found, _Envelope):
            return found.error if found.error.status else None
        if len(found) == 1:
            return found[0].error
    return None


def throttle_of(error: GoogleError | None) -> Throttle:
    """Return which of its causes a 429 names."""
    if error is None:
        return Throttle.UNSPECIFIED
    message = error.message.lower()
    violations = error.violations()
    quotas = [violation.quota_id or "" for violation in violations]
    if _LIMIT_ZERO.search(message) or any(violation.quota_value == "0" for violation in violations):
        return Throttle.NO_BILLING
    if "prepay" in message or "credits are depleted" in message:
        return Throttle.PREPAY_EMPTY
    if any("perday" in quota.lower() for quota in quotas):
        return Throttle.PER_DAY
    if "spend" in message or any("spend" in quota.lower() for quota in quotas):
        return Throttle.SPEND_WINDOW
    return Throttle.BURST if quotas else Throttle.UNSPECIFIED


def _throttled(headers: Mapping[str, str], error: GoogleError | None, body: bytes) -> SendFailure:
    throttle = throttle_of(error)
    final = throttle in _FINAL
    wait = _wait_s(headers, error)
    if wait is None and throttle is Throttle.SPEND_WINDOW:
        wait = _SPEND_WINDOW_WAIT_S
    return SendFailure(
        FailureClass.REFUSED_FREE,
        Outcome(
            kind=OutcomeKind.FAILED,
            raw_reason=f"{error.status if error else 429} ({throttle})",
            message=_sentence(error, body),
        ),
        http_status=429,
        retry_after_s=None if final else wait,
        is_final=final,
    )


def _failure(
    failure: FailureClass,
    status: int,
    error: GoogleError | None,
    body: bytes,
    *,
    is_final: bool,
    retry_after_s: float | None = None,
) -> SendFailure:
    kind = OutcomeKind.UNKNOWN if failure is FailureClass.UNKNOWN else OutcomeKind.FAILED
    reason = error.status if error is not None else f"http_{status}"
    return SendFailure(
        failure,
        Outcome(kind=kind, raw_reason=reason, message=_sentence(error, body)),
        http_status=status,
        retry_after_s=retry_after_s,
        is_final=is_final,
    )


def _sentence(error: GoogleError | None, body: bytes) -> str | None:
    """Return what the upstream said; of a web page, which somebody between us and it sent, its title."""
    if error is not None:
        return error.message[:_LONGEST_TEXT] or None
    text = body[:_LONGEST_TEXT].decode("utf-8", "replace").strip()
    if text.startswith("<"):
        title = _TITLE.search(text)
        return "a web page came" + (f": {' '.join(title[1].split())}" if title else ", and no answer")
    return text[:200] or None


def _wait_s(headers: Mapping[str, str], error: GoogleError | None) -> float | None:
    """Return the longer of the waits asked for, in seconds. A date in `Retry-After` is passed over."""
    waits = [
        float(asked)
        for asked in [headers.get("Retry-After", "").strip()]
        if asked.isascii() and asked.isdigit()
    ]
    for detail in error.known_details() if error is not None else ():
        found = _DELAY.match(detail.retry_delay or "")
        if found is not None:
            waits.append(float(found[1]))
    return max(waits, default=None)

"""The one error of the emulator: an HTTP answer in Google's error shape.

Wire source: https://google.aip.dev/193 and error bodies quoted in public issue threads, 2025-11 to 2026-10.
"""

from collections.abc import Mapping
from http import HTTPStatus

_STATUS: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Refusal(Exception):
    """A call that is answered with an error and never billed."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: str | None = None,
        details: tuple[Mapping[str, object], ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or _STATUS.get(code) or HTTPStatus(code).name
        self.details = details

    def body(self) -> dict[str, object]:
        """Return the JSON that Google would send."""
        error: dict[str, object] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = [dict(detail) for detail in self.details]
        return {"error": error}


def invalid(message: str) -> Refusal:
    """Return the 400 for a request that is wrong in itself."""
    return Refusal(400, message)

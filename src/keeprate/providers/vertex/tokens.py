"""Bearer tokens from Application Default Credentials, fetched and renewed off the event loop.

`google-auth` and its transport take 0.2 s to import and belong to the extra `keeprate[vertex]`, so they are
loaded with the first call that needs a token.
"""

import asyncio
import importlib
from types import ModuleType
from typing import Final, Protocol

from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.workflows.ports import SendFailure

_SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"


class _Credentials(Protocol):
    """The part of `google.auth.credentials.Credentials` that is used here."""

    def before_request(self, request: object, method: str, url: str, headers: dict[str, str]) -> None:
        """Renew the token where it is stale and write the headers."""
        ...


class DefaultTokens:
    """Finds the default credentials once and keeps their token fresh. Never shows it."""

    def __init__(self) -> None:
        """Wait with everything until the first call."""
        self._credentials: _Credentials | None = None
        self._transport: object = None
        self._one_at_a_time = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """Return `Authorization`, and the quota project where the credentials name one.

        Raises:
            SendFailure: No credentials, or no token for them. Nothing was sent.
        """
        async with self._one_at_a_time:
            return await asyncio.to_thread(self._fresh_headers)

    def _fresh_headers(self) -> dict[str, str]:
        auth, faults, transport = _google_auth()
        try:
            credentials = self._credentials or self._find(auth, transport)
            headers: dict[str, str] = {}
            credentials.before_request(self._transport, "POST", "", headers)
        except faults.TransportError as fault:
            raise _no_token("token_unreachable", fault, is_final=False) from fault
        except faults.GoogleAuthError as fault:
            raise _no_token("no_credentials", fault, is_final=True) from fault
        return headers

    def _find(self, auth: ModuleType, transport: ModuleType) -> _Credentials:
        credentials, _ = auth.default(scopes=[_SCOPE])
        self._transport = transport.Request()
        self._credentials = credentials
        return credentials


def _google_auth() -> tuple[ModuleType, ModuleType, ModuleType]:
    try:
        return (
            importlib.import_module("google.auth"),
            importlib.import_module("google.auth.exceptions"),
            importlib.import_module("google.auth.transport.requests"),
        )
    except ImportError as fault:
        raise _no_token("no_google_auth", fault, is_final=True) from fault


def _no_token(reason: str, fault: Exception, *, is_final: bool) -> SendFailure:
    # google-auth puts the token endpoint's answer into its messages; the type and first line are enough.
    sentence = str(fault.args[0] if fault.args else fault).splitlines()
    message = f"{type(fault).__name__}: {sentence[0][:200] if sentence else ''}"
    if reason == "no_google_auth":
        message = "Vertex needs google-auth: install keeprate[vertex]"
    return SendFailure(
        FailureClass.NOT_SENT,
        Outcome(kind=OutcomeKind.FAILED, raw_reason=reason, message=message),
        http_status=None,
        retry_after_s=None,
        is_final=is_final,
    )

"""Connects the Gemini API: an API key in a header."""

from dataclasses import dataclass, field

import aiohttp

from keeprate.domain.errors import ConfigError
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import Upstream
from keeprate.providers.credentials import ApiKey, Credential
from keeprate.providers.gemini import wire
from keeprate.providers.google.asking import Ask
from keeprate.providers.google.provider import GoogleProvider, google_provider
from keeprate.providers.shapes import ConnectOptions
from keeprate.workflows.forwarding import Errand


@dataclass(frozen=True, slots=True)
class GeminiTranslation:
    """The Gemini API's paths and bodies, opened by a key."""

    key: ApiKey = field(repr=False)

    def path(self, ask: Ask) -> str:
        """Return the path below the base URL."""
        return wire.path(ask)

    def body(self, ask: Ask, lane: Lane) -> bytes:
        """Return the exact JSON text."""
        return wire.body(ask, lane)

    def address(self, errand: Errand) -> str:
        """Return where a call that is passed on goes."""
        return wire.address(errand)

    async def headers(self, lane: Lane) -> dict[str, str]:
        """Return the key; the lane is said in the body here."""
        return {"x-goog-api-key": self.key.value}


def connect(
    upstream: Upstream, credential: Credential, http: aiohttp.ClientSession, options: ConnectOptions
) -> GoogleProvider:
    """Return the provider of a Gemini API upstream.

    Raises:
        ConfigError: The credential is no API key, or the address or the session is unfit.
    """
    if not isinstance(credential, ApiKey):
        raise ConfigError(
            f"upstream {upstream.name!r} needs an API key",
            field="api_key",
            remedy="set GEMINI_API_KEY (or GOOGLE_API_KEY), or use a vertex upstream with Google credentials",
        )
    return google_provider(upstream, GeminiTranslation(credential), http, options)

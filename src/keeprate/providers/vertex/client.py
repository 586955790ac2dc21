"""Connects Vertex: Google's default credentials, or an express-mode key."""

from dataclasses import dataclass, field

import aiohttp

from keeprate.domain.errors import ConfigError
from keeprate.domain.purposes import Lane
from keeprate.domain.routes import Upstream
from keeprate.providers.credentials import ApiKey, Credential
from keeprate.providers.google.asking import Ask
from keeprate.providers.google.provider import GoogleProvider, google_provider
from keeprate.providers.shapes import ConnectOptions
from keeprate.providers.vertex import wire
from keeprate.providers.vertex.tokens import DefaultTokens
from keeprate.workflows.forwarding import Errand


@dataclass(frozen=True, slots=True)
class VertexTranslation:
    """Vertex's paths and bodies, opened by a key or by tokens."""

    upstream: Upstream
    opener: ApiKey | DefaultTokens = field(repr=False)

    def path(self, ask: Ask) -> str:
        """Return the path below the base URL."""
        return wire.path(ask, self.upstream)

    def body(self, ask: Ask, lane: Lane) -> bytes:
        """Return the exact JSON text."""
        return wire.body(ask)

    def address(self, errand: Errand) -> str:
        """Return where a call that is passed on goes."""
        return wire.address(errand, self.upstream)

    async def headers(self, lane: Lane) -> dict[str, str]:
        """Return the key or a fresh token, and the lane.

        Raises:
            SendFailure: No token could be had; nothing was sent.
        """
        if isinstance(self.opener, ApiKey):
            return {"x-goog-api-key": self.opener.value, **wire.lane_headers(lane)}
        return {**await self.opener.headers(), **wire.lane_headers(lane)}


def connect(
    upstream: Upstream, credential: Credential, http: aiohttp.ClientSession, options: ConnectOptions
) -> GoogleProvider:
    """Return the provider of a Vertex upstream.

    Raises:
        ConfigError: No project for Google credentials, or the address or the session is unfit.
    """
    if isinstance(credential, ApiKey):
        return google_provider(upstream, VertexTranslation(upstream, credential), http, options)
    if upstream.quota_project is None:
        raise ConfigError(
            f"upstream {upstream.name!r} does not say which Google Cloud project pays",
            field="quota_project",
            remedy="set GOOGLE_CLOUD_PROJECT, or quota_project on the upstream",
        )
    return google_provider(upstream, VertexTranslation(upstream, DefaultTokens()), http, options)

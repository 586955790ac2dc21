"""The built-in surfaces, and the shape in which others plug in (entry-point group `keeprate.providers`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import aiohttp

from keeprate.domain.routes import GEMINI_API, VERTEX, Surface, Upstream
from keeprate.providers.credentials import Credential
from keeprate.providers.gemini import client as gemini
from keeprate.providers.sending import paid_session
from keeprate.providers.shapes import ConnectOptions
from keeprate.providers.vertex import client as vertex
from keeprate.workflows.ports import Provider

__all__ = ["BUILT_IN", "ENTRY_POINTS", "Connect", "Plugin", "paid_session"]

ENTRY_POINTS: Final = "keeprate.providers"

Connect = Callable[[Upstream, Credential, aiohttp.ClientSession, ConnectOptions], Provider]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One surface: its name, its facts as TOML text (None where the catalogue has them), how to connect."""

    surface: Surface
    facts_toml: str | None
    connect: Connect


BUILT_IN: Final[Mapping[Surface, Plugin]] = MappingProxyType(
    {
        GEMINI_API: Plugin(surface=GEMINI_API, facts_toml=None, connect=gemini.connect),
        VERTEX: Plugin(surface=VERTEX, facts_toml=None, connect=vertex.connect),
    }
)

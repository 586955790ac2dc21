"""An open gateway for tests: the whole house on a simulated upstream, and a client that calls it in process."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from keeprate.bootstrap import House, open_house
from keeprate.domain.scopes import LOCAL_OWNER, Scope
from keeprate.domain.terms import Grant, KeyTerms
from keeprate.gateway.app import Application, Served
from keeprate.gateway.limits import Limits
from keeprate.gateway.table import application
from keeprate.ledger.keys import NewKey
from keeprate.library.accounts import Accounts
from keeprate.library.front import accounts_of
from keeprate.testing.clocks import ImpatientClock
from tests.homes import settings_at

OTHERS = Scope(workspace="others", roles=LOCAL_OWNER.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """An application, the house behind it and a client on loopback."""

    app: Application
    house: House
    client: httpx.AsyncClient
    served: list[Served]

    @property
    def accounts(self) -> Accounts:
        return accounts_of(self.house, LOCAL_OWNER)

    async def key(self, *grants: Grant, scope: Scope = LOCAL_OWNER, **terms: object) -> NewKey:
        """Make a key with these grants in a workspace."""
        made_with = KeyTerms(grants=frozenset(grants), **terms)  # type: ignore[arg-type]
        now = self.house.means.till.clock.now()
        return await self.house.ledger.create_key(scope, "a key", now, terms=made_with)

    async def ask(self, method: str, path: str, secret: str | None = None, **more: object) -> httpx.Response:
        """Send a request, with a key in the usual place."""
        headers = dict(more.pop("headers", None) or {})  # type: ignore[call-overload]
        if secret is not None:
            headers["authorization"] = f"Bearer {secret}"
        return await self.client.request(method, path, headers=headers, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def open_gateway(
    folder: Path,
    url: str,
    *,
    limits: Limits | None = None,
    extra: Mapping[str, str] | None = None,
    address: str = "127.0.0.1",
) -> AsyncGenerator[Gateway]:
    """Open the house in `folder` on the emulator at `url`."""
    settings = settings_at(folder / "home", url, extra)
    served: list[Served] = []
    async with open_house(settings, confirm=None, progress=_silent, clock=ImpatientClock()) as house:
        # Client and gateway share one loop here: how late it runs says nothing.
        limits = limits or Limits(lag_s=3600.0)
        app = application(house, limits=limits, watchers=[served.append])
        transport = httpx.ASGITransport(app=app, client=(address, 50_000))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8787") as client:
            yield Gateway(app=app, house=house, client=client, served=served)


def _silent(sentence: str) -> None:
    del sentence

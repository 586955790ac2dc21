"""Which dialects there are, and the application made of all their doors. A dialect is one line here."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from keeprate.bootstrap import House
from keeprate.gateway import ops
from keeprate.gateway.api import table as api
from keeprate.gateway.app import Application, Watcher
from keeprate.gateway.desk import Desk
from keeprate.gateway.doors import Door, Doors
from keeprate.gateway.gemini import doors as gemini
from keeprate.gateway.identity import Authenticator
from keeprate.gateway.limits import Limits
from keeprate.gateway.openai import doors as openai

DIALECTS: Final[tuple[Callable[[Desk], Iterable[Door]], ...]] = (
    ops.doors,
    api.doors,
    gemini.doors,
    openai.doors,
)


def application(
    house: House, *, base_url: str = "", limits: Limits | None = None, watchers: Sequence[Watcher] = ()
) -> Application:
    """Return the gateway of an open house. `base_url` is what clients reach it under."""
    clock = house.means.till.clock
    identity = Authenticator(house.ledger, workspace=house.settings.workspace, now=clock.now)
    desk = Desk(house=house, identity=identity, base_url=base_url)
    doors = [door for dialect in DIALECTS for door in dialect(desk)]
    return Application(
        Doors(doors),
        identity,
        new_id=house.means.rng.token,
        limits=limits,
        watchers=watchers,
        stopping=desk.stopping,
    )

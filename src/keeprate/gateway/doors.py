"""The table of routes: one row per door, with what a caller needs to pass. Pure matching, nothing is served here.

A pattern is a path with named parts: `{id}` is one segment, `{name*}` any number of them. A part may be
followed by literal text, as in `/v1beta/models/{model}:generateContent`.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from keeprate.domain.terms import Grant
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.exchange import BODY_LIMIT, Answer, AsgiApp, Request
from keeprate.gateway.identity import Caller

Handler = Callable[[Request, Caller], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One route.

    `needs` None lets everybody in: only what tells nothing about anybody has that. Each of `also`
    opens the door, too, to a caller without `needs`.

    `serve` answers; or `app` is an ASGI application that does, and finds the caller in its scope under
    `CALLER`. `name` labels metrics and logs, so it is one of a fixed set. `may_wait` False keeps a door
    open under any load and while the program stops.
    """

    name: str
    dialect: Dialect
    method: str
    path: str
    needs: Grant | None
    also: frozenset[Grant] = frozenset()
    serve: Handler | None = None
    app: AsgiApp | None = None
    body_limit: int = BODY_LIMIT
    may_wait: bool = True


CALLER: Final = "keeprate.caller"
REQUEST: Final = "keeprate.request"
_PART: Final = re.compile(r"\{(\w+)(\*?)\}")


class Found(NamedTuple):
    """The door for a request and the parts of its path; or the methods that other doors there take."""

    door: Door | None
    parts: Mapping[str, str]
    methods: tuple[str, ...]


class Doors:
    """All doors, looked up by dialect, method and path."""

    def __init__(self, doors: Iterable[Door]) -> None:
        """Compile the patterns. The first that fits wins, so literal ones go before open ones."""
        self.all = tuple(doors)
        self._by_dialect = {
            dialect: tuple((_pattern(door.path), door) for door in self.all if door.dialect is dialect)
            for dialect in Dialect
        }

    def find(self, dialect: Dialect, method: str, path: str) -> Found:
        """Return the door for a request. HEAD goes where GET does."""
        wanted = "GET" if method == "HEAD" else method
        others: dict[str, None] = {}
        for pattern, door in self._by_dialect[dialect]:
            fits = pattern.fullmatch(path)
            if fits is None:
                continue
            if door.method == wanted:
                return Found(door, fits.groupdict(), ())
            others[door.method] = None
        return Found(None, {}, tuple(others))


def _pattern(path: str) -> re.Pattern[str]:
    pieces: list[str] = []
    after = 0
    for part in _PART.finditer(path):
        pieces.append(re.escape(path[after : part.start()]))
        # A segment may hold a colon (a tuned model's name), but not where a verb follows one.
        stops = "[^/:]+" if path[part.end() :].startswith(":") else "[^/]+"
        pieces.append(f"(?P<{part[1]}>{'.+' if part[2] else stops})")
        after = part.end()
    return re.compile("".join(pieces) + re.escape(path[after:]))

"""The one authenticator: whichever header or parameter a key comes in, the same function looks at it.

Nobody is let in by default. The exception is written out: on loopback, while no key was ever made in
this home, whoever can reach the port is the owner, as they are at the command line. A browser can reach
it, too, on behalf of a page from anywhere, so there a request must also be addressed to loopback by name
and must not come from another site's page.
"""

import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from keeprate.domain.errors import Forbidden, InvalidValue, RateLimited, Unauthenticated
from keeprate.domain.scopes import LOCAL_OWNER, Scope
from keeprate.domain.terms import OWNER_TERMS, Grant, KeyTerms
from keeprate.gateway.exchange import Request
from keeprate.gateway.velocity import Velocity
from keeprate.ledger.keys import Alarm, KeyRecord, is_well_formed
from keeprate.ledger.ledger import SqlLedger

# A revoked key is refused everywhere within a second: this plus the look itself.
REMEMBERED_S: Final = 0.5
MOST_REMEMBERED: Final = 4096
USER_LENGTH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the scope to act in, and the terms of the key. `key` None is the owner on loopback."""

    scope: Scope
    terms: KeyTerms
    key: KeyRecord | None = None
    address: str | None = None

    def for_user(self, user: str) -> "Caller":
        """Return the caller on behalf of one of its end users, whose rows and caps are their own.

        Raises:
            InvalidValue: The name is empty, too long or holds what does not print.
        """
        if not user.strip() or len(user) > USER_LENGTH or not user.isprintable():
            raise InvalidValue(
                f"user must be 1 to {USER_LENGTH} printable characters",
                field="user",
                value=user,
                remedy="send a hash or an id of your user",
            )
        # A slash within would make one user look like a part of another.
        key = None if self.scope.key is None else f"{self.scope.key}/{quote(user, safe=' @:+=')}"
        scope = Scope(workspace=self.scope.workspace, key=key, roles=self.scope.roles)
        return Caller(scope=scope, terms=self.terms, key=self.key, address=self.address)

    def must(self, grant: Grant) -> None:
        """Make sure the terms hold `grant`.

        Raises:
            Forbidden: They do not.
        """
        if not self.terms.allows(grant):
            raise Forbidden(
                f"this key may not {grant}",
                field="key",
                value=None if self.key is None else self.key.prefix,
                remedy=f"use a key made with --scopes {grant}",
            )


# For doors that need nobody in particular.
NOBODY: Final = Caller(
    scope=Scope(workspace="", key="", roles=frozenset()), terms=KeyTerms(grants=frozenset())
)


class Authenticator:
    """Tells who asks. What it looked up is trusted for half a second, in this process alone."""

    def __init__(
        self,
        ledger: SqlLedger,
        *,
        workspace: str,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look keys up in `ledger`; the owner on loopback acts in `workspace`."""
        self._ledger = ledger
        self._owner = Scope(workspace=workspace, roles=LOCAL_OWNER.roles)
        self._now = now
        self._monotonic = monotonic
        self._known: OrderedDict[bytes, tuple[float, KeyRecord | None]] = OrderedDict()
        self._any_key: tuple[float, bool] | None = None
        self._rates: OrderedDict[str, float] = OrderedDict()
        self._velocity = Velocity()

    async def caller(self, request: Request) -> Caller:
        """Return who sent `request`.

        Raises:
            Unauthenticated: No key, several different ones, or none that lives.
            RateLimited: The key's requests per minute are used up.
        """
        secret = credential_of(request)
        if secret is None or not is_well_formed(secret):
            return await self._owner_on_loopback(request, secret)
        key = await self._key(secret)
        if key is None or (key.terms.expires_at is not None and key.terms.expires_at <= self._now()):
            raise _refused()
        if key.suspended_at is not None:
            raise _suspended(key, key.suspended_why)
        self._count(key)
        await self._watch(key, request.address)
        scope = Scope(workspace=key.workspace, key=key.id, roles=key.terms.roles)
        return Caller(scope=scope, terms=key.terms, key=key, address=request.address)

    async def has_keys(self) -> bool:
        """Return whether any key was ever made in this home, in whatever workspace."""
        now = self._monotonic()
        if self._any_key is None or now - self._any_key[0] > REMEMBERED_S:
            self._any_key = (now, await self._ledger.has_keys())
        return self._any_key[1]

    async def _owner_on_loopback(self, request: Request, secret: str | None) -> Caller:
        # A word that is no key of ours is what SDKs send who insist on one; a malformed key is a mistake.
        if secret is not None and secret.startswith("kr_"):
            raise _refused()
        if not is_loopback(request.address) or await self.has_keys() or not is_at_home(request):
            raise _refused()
        return Caller(scope=self._owner, terms=OWNER_TERMS, address=request.address)

    async def _key(self, secret: str) -> KeyRecord | None:
        name = hashlib.sha256(secret.encode()).digest()
        known = self._known.get(name)
        now = self._monotonic()
        if known is not None and now - known[0] <= REMEMBERED_S:
            return known[1]
        found = await self._ledger.key_of_secret(secret)
        self._known[name] = (now, found)
        self._known.move_to_end(name)
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return found

    async def _watch(self, key: KeyRecord, address: str | None) -> None:
        """Suspend a key that is used as a thief would use it, in every process, and raise the alarm."""
        why = self._velocity.saw(key.id, address or "", self._monotonic())
        if why is None:
            return
        now = self._now()
        alarm = Alarm(
            id=f"velocity-{key.id}-{now:%Y%m%dT%H%M%S%f}",
            workspace=key.workspace,
            kind="velocity",
            key=key.id,
            message=why,
            raised_at=now,
        )
        await self._ledger.suspend_key(alarm)
        self._known.clear()
        raise _suspended(key, why)

    def _count(self, key: KeyRecord) -> None:
        """Let a request through, or say when: a bucket of one minute's requests that refills evenly."""
        if key.terms.per_minute is None:
            return
        now, each_s = self._monotonic(), 60 / key.terms.per_minute
        # The moment at which the bucket would be full again: one number says all (GCRA).
        full_at = max(now, self._rates.get(key.id, now)) + each_s
        wait_s = full_at - now - 60
        if wait_s > 1e-9:
            raise RateLimited(
                f"key {key.prefix}… may ask {key.terms.per_minute} times a minute",
                retry_after_s=wait_s,
                remedy="wait, or raise its rate",
            )
        self._rates[key.id] = full_at
        self._rates.move_to_end(key.id)
        while len(self._rates) > MOST_REMEMBERED:
            self._rates.popitem(last=False)


def credential_of(request: Request) -> str | None:
    """Return the one key a request carries, wherever it carries it, or None.

    Raises:
        Unauthenticated: It carries different ones, so whose request it is cannot be told.
    """
    headers = request.headers
    found = {value.strip() for name in ("x-goog-api-key", "x-api-key") for value in headers.all(name)}
    found |= {_bearer(value) for value in headers.all("authorization")}
    found |= {value.strip() for name, value in request.query if name == "key"}
    found.discard("")
    if len(found) > 1:
        raise Unauthenticated(
            "the request carries several different keys", field="key", remedy="send one, in one place"
        )
    return next(iter(found), None)


def is_loopback(address: str | None) -> bool:
    """Return whether `address` is one of this machine's own."""
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def is_at_home(request: Request) -> bool:
    """Return whether a request was addressed to loopback by name, and not by another site's page."""
    host = request.headers.get("host")
    if host is not None and not _names_loopback(f"//{host}"):
        return False
    origin = request.headers.get("origin")
    if origin is not None and not _names_loopback(origin):
        return False
    return request.headers.get("sec-fetch-site") in {None, "same-origin", "none"}


def _names_loopback(url: str) -> bool:
    try:
        name = urlsplit(url).hostname
    except ValueError:
        return False
    return name == "localhost" or is_loopback(name)


def _bearer(value: str) -> str:
    scheme, _, rest = value.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else value.strip()


def _suspended(key: KeyRecord, why: str | None) -> Forbidden:
    return Forbidden(
        f"key {key.prefix}… is suspended: {why}",
        field="key",
        value=key.prefix,
        remedy=f"its owner looks into it, then: keeprate keys resume {key.id}",
    )


def _refused() -> Unauthenticated:
    # One sentence for all of them: a stranger learns nothing about which keys exist.
    return Unauthenticated(
        "a valid key is needed",
        field="key",
        remedy="send a key as authorization: Bearer …, x-goog-api-key, x-api-key or ?key=; "
        "make one: keeprate keys create NAME",
    )

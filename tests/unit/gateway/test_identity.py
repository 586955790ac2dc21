"""One authenticator: every place a key may come in, and nobody by default."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keeprate.database.engine import open_database
from keeprate.domain.errors import Forbidden, InvalidValue, RateLimited, Unauthenticated
from keeprate.domain.scopes import LOCAL_OWNER, Scope
from keeprate.domain.terms import Grant, KeyTerms
from keeprate.gateway.exchange import AsgiScope, Message, Request
from keeprate.gateway.identity import REMEMBERED_S, Authenticator, Caller, credential_of
from keeprate.ledger.ledger import SqlLedger, open_ledger

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def request(
    headers: dict[str, str] | None = None, query: str = "", address: str | None = "127.0.0.1"
) -> Request:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope: AsgiScope = {
        "type": "http", "method": "GET", "path": "/api/keys", "query_string": query.encode(), "headers": raw,
        "client": None if address is None else (address, 1),
    }  # fmt: skip
    return Request(scope, receive, request_id="req_1")


class House:
    """A ledger, an authenticator and two clocks that move when told."""

    def __init__(self, ledger: SqlLedger) -> None:
        self.ledger = ledger
        self.now = NOON
        self.seconds = 0.0
        self.identity = Authenticator(
            ledger, workspace="studio", now=lambda: self.now, monotonic=lambda: self.seconds
        )

    async def key(self, **terms: object) -> tuple[str, str]:
        made = await self.ledger.create_key(LOCAL_OWNER, "a key", NOON, terms=KeyTerms(**terms))  # type: ignore[arg-type]
        return made.record.id, made.secret

    async def caller(self, secret: str, address: str = "127.0.0.1") -> Caller:
        return await self.identity.caller(request({"authorization": f"Bearer {secret}"}, address=address))


@asynccontextmanager
async def house(folder: Path) -> AsyncGenerator[House]:
    database = open_database(f"sqlite:///{folder / 'k.sqlite3'}")
    ledger = open_ledger(database, home=folder)
    try:
        yield House(ledger)
    finally:
        ledger.close()
        database.close()


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": "Bearer s3"}, ""),
        ({"authorization": "bearer   s3 "}, ""),
        ({"authorization": "s3"}, ""),
        ({"x-goog-api-key": "s3"}, ""),
        ({"x-api-key": " s3"}, ""),
        ({}, "key=s3"),
        ({"authorization": "Bearer s3", "x-goog-api-key": "s3"}, "key=s3"),
    ],
)
def test_a_key_is_found_wherever_it_comes_in(headers: dict[str, str], query: str) -> None:
    assert credential_of(request(headers, query)) == "s3"


def test_two_different_keys_are_nobodys() -> None:
    with pytest.raises(Unauthenticated, match="several"):
        credential_of(request({"authorization": "Bearer a", "x-api-key": "b"}))


async def test_without_any_key_whoever_is_on_this_machine_is_the_owner(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        for headers in ({}, {"host": "localhost:8787"}, {"authorization": "Bearer sk-anything"}):
            caller = await at.identity.caller(request(headers))
            assert (caller.scope.workspace, caller.key) == ("studio", None)
            caller.must(Grant.ADMIN)


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({}, "192.0.2.7"),
        ({}, None),
        ({"host": "evil.example"}, "127.0.0.1"),
        ({"host": "127.0.0.1.evil.example:8787"}, "127.0.0.1"),
        ({"origin": "https://evil.example"}, "127.0.0.1"),
        ({"origin": "null"}, "127.0.0.1"),
        ({"sec-fetch-site": "cross-site"}, "127.0.0.1"),
        ({"authorization": "Bearer kr_mistyped"}, "127.0.0.1"),
    ],
)
async def test_others_are_nobody_even_then(
    tmp_path: Path, headers: dict[str, str], address: str | None
) -> None:
    async with house(tmp_path) as at:
        with pytest.raises(Unauthenticated):
            await at.identity.caller(request(headers, address=address))


async def test_once_a_key_was_made_nobody_is_the_owner_by_being_here(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        key_id, _ = await at.key()
        await at.ledger.revoke_key(LOCAL_OWNER, key_id, NOON)
        with pytest.raises(Unauthenticated):
            await at.identity.caller(request())


async def test_a_key_brings_its_scope_and_terms(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        key_id, secret = await at.key(grants=frozenset({Grant.READ}), plan="paid")
        caller = await at.caller(secret)
        assert caller.scope == Scope(workspace="default", key=key_id, roles=caller.terms.roles)
        assert caller.terms.plan == "paid"
        caller.must(Grant.READ)
        with pytest.raises(Forbidden):
            caller.must(Grant.GENERATE)


async def test_a_revoked_key_is_dead_within_a_second_of_its_last_look(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        key_id, secret = await at.key()
        await at.caller(secret)
        await at.ledger.revoke_key(LOCAL_OWNER, key_id, NOON)
        at.seconds += REMEMBERED_S + 0.01
        with pytest.raises(Unauthenticated):
            await at.caller(secret)
        assert REMEMBERED_S < 1


async def test_a_key_ends_at_its_moment_even_while_it_is_remembered(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        _, secret = await at.key(expires_at=NOON + timedelta(minutes=1))
        await at.caller(secret)
        at.now += timedelta(minutes=1)
        with pytest.raises(Unauthenticated):
            await at.caller(secret)


async def test_a_rate_is_kept_and_refills_evenly(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        _, secret = await at.key(per_minute=6)
        for _ in range(6):
            await at.caller(secret)
        with pytest.raises(RateLimited) as refused:
            await at.caller(secret)
        assert refused.value.retry_after_s == pytest.approx(10)
        at.seconds += 10
        await at.caller(secret)
        with pytest.raises(RateLimited):
            await at.caller(secret)


async def asked_from_elsewhere(at: House, secret: str) -> int:
    """Use the key ten times a second from another address; return how many requests got through."""
    for number in range(100):
        at.seconds += 0.1
        try:
            await at.caller(secret, "203.0.113.9")
        except Forbidden:
            return number
    return 100


async def test_a_stolen_key_is_suspended_with_an_alarm_until_its_owner_says_go_on(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        key_id, secret = await at.key()
        for minute in range(60):
            at.seconds = minute * 60.0
            await at.caller(secret)
        assert await asked_from_elsewhere(at, secret) < 30
        with pytest.raises(Forbidden, match="suspended"):
            await at.caller(secret)
        (alarm,) = await at.ledger.alarms(LOCAL_OWNER)
        assert (alarm.kind, alarm.key) == ("velocity", key_id)
        await at.ledger.resume_key(LOCAL_OWNER, key_id)
        at.seconds += 1
        assert (await at.caller(secret)).scope.key == key_id


async def test_an_end_user_is_a_part_of_its_key(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        key_id, secret = await at.key()
        caller = await at.caller(secret)
        assert caller.for_user("alice").scope.key == f"{key_id}/alice"
        assert caller.for_user("a/b").scope.key == f"{key_id}/a%2Fb"
        for wrong in ("", " ", "a\nb", "x" * 65):
            with pytest.raises(InvalidValue):
                caller.for_user(wrong)

"""The authorisation matrix, made from the table of doors: every route with every way to be nobody."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from keeprate.domain.terms import Grant
from keeprate.gateway.doors import Door
from keeprate.ledger.keys import Alarm, new_secret
from tests.emulator_process import EmulatorProcess, start_emulator
from tests.gateway_ground import OTHERS, Gateway, open_gateway
from tests.trust_counts import record

pytestmark = pytest.mark.anyio

BODIES: Mapping[str, object] = {
    "api.quote": {},
    "api.route": {},
    "api.generate": {"prompt": "a red boat"},
    "api.edit": {"prompt": "a red boat", "references": ["aGk="]},
    "api.reconcile": {"billed_usd": None},
    "api.judge": {"kind": "accepted"},
    "api.set_budget": {"window": "month", "limit_usd": "900"},
    "api.stop_buying": {},
    "api.create_key": {"name": "made"},
}


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory):
    with start_emulator(tmp_path_factory.mktemp("who"), "--draw", "fast") as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A workspace that has bought an image, and the names of what it has."""

    gateway: Gateway
    names: Mapping[str, str]


@asynccontextmanager
async def bought(folder: Path, emulator: EmulatorProcess) -> AsyncGenerator[Ground]:
    async with open_gateway(folder, emulator.url) as gateway:
        owner = await gateway.key(Grant.ADMIN)
        answer = await gateway.ask("POST", "/api/generate", owner.secret, json={"prompt": "a red boat"})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        spare = await gateway.key(Grant.READ)
        names = {
            "attempt_id": told["attempt_id"],
            "sha256": told["images"][0]["sha256"],
            "key_id": spare.record.id,
            "budget_id": "day-cap",
            "model": "gemini-3-pro-image",
        }
        yield Ground(gateway=gateway, names=names)


def path_of(door: Door, names: Mapping[str, str]) -> str:
    path = door.path
    for name, value in names.items():
        path = path.replace(f"{{{name}}}", value)
    # What other dialects name: any word will do for somebody who may not even ask.
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + "anything" + path[end + 1 :]
    return path


def refusals_of(door: Door) -> set[int]:
    """401 and 403; elsewhere a header may choose the other dialect, where there may be no such path."""
    return {401, 403} if door.name.startswith("api.") else {401, 403, 404, 405}


def ways(secret: str) -> list[tuple[str, Mapping[str, object]]]:
    """Every place a key may come in, and one it may not."""
    return [
        ("bearer", {"headers": {"authorization": f"Bearer {secret}"}}),
        ("bare authorization", {"headers": {"authorization": secret}}),
        ("x-api-key", {"headers": {"x-api-key": secret}}),
        ("x-goog-api-key", {"headers": {"x-goog-api-key": secret}}),
        ("query", {"params": {"key": secret}}),
        ("cookie", {"headers": {"cookie": f"key={secret}; authorization={secret}"}}),
    ]


async def bad_secrets(gateway: Gateway) -> list[tuple[str, str]]:
    now = gateway.house.means.till.clock.now()
    revoked, expired = (
        await gateway.key(Grant.ADMIN),
        await gateway.key(Grant.ADMIN, expires_at=now - timedelta(seconds=1)),
    )
    await gateway.accounts.revoke_key(revoked.record.id)
    suspended = await gateway.key(Grant.ADMIN)
    record = suspended.record
    await gateway.house.ledger.suspend_key(
        Alarm(
            id="alarm-1",
            workspace=record.workspace,
            kind="velocity",
            key=record.id,
            message="used from elsewhere",
            raised_at=now,
        )
    )
    return [
        ("revoked", revoked.secret),
        ("expired", expired.secret),
        ("suspended", suspended.secret),
        ("never made", new_secret()),
        ("cut short", revoked.secret[:-1]),
        ("of another kind", "sk-proj-0123456789"),
        ("empty", ""),
        ("hostile", "' OR 1=1 --"),
    ]


@pytest.mark.trust
async def test_nobody_gets_past_a_door_by_any_header(tmp_path: Path, emulator: EmulatorProcess) -> None:
    asked = 0
    async with bought(tmp_path, emulator) as ground:
        gateway = ground.gateway
        closed = [door for door in gateway.app.doors.all if door.needs is not None]
        assert closed
        unexpected: list[str] = []
        kinds = await bad_secrets(gateway)
        for door in closed:
            path = path_of(door, ground.names)
            body = {"json": BODIES.get(door.name, {})} if door.method in {"POST", "PUT"} else {}
            for kind, secret in kinds:
                for way, where in ways(secret):
                    answer = await gateway.client.request(door.method, path, **body, **where)  # type: ignore[arg-type]
                    asked += 1
                    if answer.status_code not in refusals_of(door):
                        unexpected.append(f"{door.name} {kind} {way}: {answer.status_code}")
        assert unexpected == []
    record("requests by nobody that were let in", f"0 of {asked}", "0", met=True)


async def test_a_key_opens_the_doors_of_its_grants_and_no_other(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with bought(tmp_path, emulator) as ground:
        gateway = ground.gateway
        secrets = {grant: (await gateway.key(grant)).secret for grant in Grant}
        wrong: list[str] = []
        for door in gateway.app.doors.all:
            if door.needs is None:
                continue
            for grant, secret in secrets.items():
                may = grant is Grant.ADMIN or grant in {door.needs, *door.also}
                if may:
                    continue
                # The header that this dialect's own clients send: another may lead to another door.
                where = {"x-goog-api-key": secret} if door.dialect.is_google else {"x-api-key": secret}
                answer = await gateway.ask(
                    door.method, path_of(door, ground.names), headers=where, json=BODIES.get(door.name)
                )
                if answer.status_code not in refusals_of(door) - {401}:
                    wrong.append(f"{door.name} with {grant}: {answer.status_code}")
        assert wrong == []


READABLE = (
    "attempts",
    "attempt",
    "verdicts",
    "budgets",
    "report",
    "keys",
    "plans",
    "alarms",
    "models",
    "model",
)


async def test_whoever_may_is_let_in(tmp_path: Path, emulator: EmulatorProcess) -> None:
    async with bought(tmp_path, emulator) as ground:
        gateway = ground.gateway
        doors = {door.name: door for door in gateway.app.doors.all}
        for name in (*READABLE, "image", "whence"):
            door = doors[f"api.{name}"]
            assert door.needs is not None
            secret = (await gateway.key(door.needs)).secret
            for way, where in ways(secret):
                answer = await gateway.client.request(door.method, path_of(door, ground.names), **where)  # type: ignore[arg-type]
                expected = 401 if way == "cookie" else 200
                assert answer.status_code == expected, (name, way, answer.text)


OBJECTS = {
    "attempt_id": "att_" + "0" * 32,
    "sha256": "0" * 64,
    "key_id": "key_000000000000",
    "budget_id": "no-such-cap",
}


async def test_what_is_not_yours_is_not_there(tmp_path: Path, emulator: EmulatorProcess) -> None:
    async with bought(tmp_path, emulator) as ground:
        gateway = ground.gateway
        stranger = (await gateway.key(Grant.ADMIN, scope=OTHERS)).secret
        seen = 0
        for door in gateway.app.doors.all:
            names = [name for name in OBJECTS if f"{{{name}}}" in door.path]
            if not names or not door.name.startswith("api."):
                continue
            body = {"json": BODIES.get(door.name, {})} if door.method == "POST" else {}
            theirs = await gateway.ask(door.method, path_of(door, ground.names), stranger, **body)
            nothing = await gateway.ask(door.method, path_of(door, OBJECTS), stranger, **body)
            assert (theirs.status_code, nothing.status_code) == (404, 404), (door.name, theirs.text)
            told = [
                _without(one.text, ground.names[names[0]], OBJECTS[names[0]]) for one in (theirs, nothing)
            ]
            assert told[0] == told[1], door.name
            seen += 1
        assert seen >= 9


def _without(text: str, *names: str) -> str:
    head, _, tail = text.partition('"instance":"')
    text = head + tail.partition('"')[2]
    for name in names:
        text = text.replace(name, "NAME")
    return text


async def test_one_who_only_buys_sees_what_it_bought_and_nothing_else(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with bought(tmp_path, emulator) as ground:
        gateway = ground.gateway
        one, two = await gateway.key(Grant.GENERATE), await gateway.key(Grant.GENERATE)
        told = await gateway.ask(
            "POST", "/api/generate", one.secret, json={"prompt": "a blue boat", "user": "alice"}
        )
        assert told.status_code == 200, told.text
        attempt, sha256 = told.json()["attempt_id"], told.json()["images"][0]["sha256"]
        for path in (f"/api/attempts/{attempt}", f"/api/images/{sha256}", f"/api/whence/{sha256}"):
            assert (await gateway.ask("GET", path, one.secret)).status_code == 200, path
            assert (await gateway.ask("GET", path, two.secret)).status_code == 404, path
        mine = await gateway.ask("GET", "/api/attempts", two.secret)
        assert mine.json() == {"attempts": []}
        events = await gateway.ask(
            "GET", "/api/events?follow=false", two.secret, headers={"last-event-id": "1-0-a"}
        )
        assert "data:" not in events.text

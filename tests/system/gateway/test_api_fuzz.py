"""The API against its own description: schemathesis makes up requests, good and bad, for every operation.

The application runs in process, on a loop of its own; each request goes straight to it, so that thousands
fit into a minute. Names of things that exist are mixed in, as a client that walks the API would use them.
"""

import contextlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case

from keeprate.domain.budgets import Budget, Window
from keeprate.domain.money import usd
from keeprate.domain.scopes import LOCAL_OWNER
from keeprate.domain.terms import Grant
from tests.emulator_process import start_emulator
from tests.gateway_ground import Gateway, open_gateway
from tests.trust_counts import count, record

load_all_checks()
CHECKED = [
    CHECKS.get_one(name)
    for name in (
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    )
]
# Refusals that are no fault of ours and yet not the caller's: a kill switch that is on.
DELIBERATE = {"spending_stopped"}
KEYS = ("x-api-key", "x-goog-api-key", "key")
HOSTILE = (
    "", "Bearer ", "Bearer ' OR '1'='1", "Bearer kr_" + "0" * 38, "Basic YTpi", "Bearer \xe9", "Bearer " + "a" * 8000,
    "Bearer %00", "Bearer ../../etc/passwd", "Bearer {{7*7}}", "Bearer ${jndi:ldap://127.0.0.1/a}",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Ground:
    """A gateway on a loop of its own, and the names of what has come to exist in it."""

    portal: BlockingPortal
    gateway: Gateway
    secret: str
    owner: str
    pool: dict[str, list[str]] = field(default_factory=dict)
    cases: int = 0

    def send(self, prepared: requests.PreparedRequest, authorization: str | None) -> httpx.Response:
        headers = {name: value for name, value in prepared.headers.items() if name.lower() != "authorization"}
        if authorization is not None:
            headers["Authorization"] = authorization
        request = httpx.Request(
            prepared.method or "GET",
            str(prepared.url),
            headers={name: str(value).encode("utf-8", "replace") for name, value in headers.items()},
            content=prepared.body.encode() if isinstance(prepared.body, str) else prepared.body,
        )
        self.cases += 1
        return self.portal.call(self.gateway.client.send, request)

    def remember(self, told: Any) -> None:
        """Keep the ids and hashes of an answer, so that later requests can name what is there."""
        if isinstance(told, list):
            for one in told:
                self.remember(one)
        if not isinstance(told, Mapping):
            return
        for name, value in told.items():
            if name in {"attempt_id", "sha256"} and isinstance(value, str):
                self._add(name, value)
            self.remember(value)
        if "prefix" in told and told["id"] != self.owner:
            self._add("key_id", told["id"])

    def _add(self, name: str, value: str) -> None:
        known = self.pool.setdefault(name, [])
        if value not in known and len(known) < 50:
            known.append(value)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    with start_emulator(folder, "--draw", "fast") as emulator, start_blocking_portal() as portal:
        opened = portal.wrap_async_context_manager(open_gateway(folder, emulator.url))
        with opened as gateway:
            yield portal.call(_prepared, portal, gateway)


async def _prepared(portal: BlockingPortal, gateway: Gateway) -> Ground:
    ledger, now = gateway.house.ledger, gateway.house.means.till.clock.now()
    # Whatever caps the fuzzer sets: this one keeps it from drawing for hours.
    guard = Budget(
        id="guard", workspace="default", key=None, window=Window.TOTAL, limit=usd("2"), simulated=True
    )
    await ledger.set_budget(LOCAL_OWNER, guard, now)
    admin = await gateway.key(Grant.ADMIN)
    ground = Ground(portal=portal, gateway=gateway, secret=admin.secret, owner=admin.record.id)
    for prompt in ("a red boat", "a blue boat"):
        answer = await gateway.ask("POST", "/api/generate", ground.secret, json={"prompt": prompt})
        ground.remember(answer.json())
    ground.pool["model"] = ["gemini-3-pro-image", "gemini-nano-banana-2.1"]
    ground.pool["budget_id"] = ["day-cap", "month-cap"]
    return ground


def test_the_description_is_openapi_3_1_and_covers_every_door(ground: Ground) -> None:
    document = ground.portal.call(ground.gateway.ask, "GET", "/api/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    doors = {
        (door.method, door.path)
        for door in ground.gateway.app.doors.all
        if door.name.startswith("api.") and door.needs is not None
    }
    assert described == doors
    assert document["security"]
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"4XX", "5XX"} <= set(operation["responses"]), operation["operationId"]


@pytest.mark.trust
@pytest.mark.timeout(7200)
def test_no_made_up_request_breaks_the_api_or_its_word(ground: Ground) -> None:
    document = ground.portal.call(ground.gateway.ask, "GET", "/api/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [one.ok() for one in schema.get_all_operations()]
    wanted = count("schemathesis_cases", 540, 50_000)
    each = -(-wanted // (2 * len(operations)))
    faults: list[str] = []
    covered: set[str] = set()
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            with contextlib.suppress(_NothingToNegate):
                faults += _tried(ground, operation, mode, times=each)
            covered.add(operation.label)
    record(
        "schemathesis cases with a server error or a broken schema",
        f"{len(faults)} of {ground.cases}",
        "0",
        met=not faults,
    )
    assert len(faults) == 0, "\n\n".join(faults[:20])
    assert len(covered) == len(operations)
    assert ground.portal.call(ground.gateway.house.ledger.audit, LOCAL_OWNER) == []


class _NothingToNegate(Exception):
    """The operation takes nothing that could be wrong."""


def _tried(ground: Ground, operation: Any, mode: GenerationMode, *, times: int) -> list[str]:
    faults: list[str] = []
    dice = random.Random(f"{operation.label}{mode}")
    try:
        cases = operation.as_strategy(generation_mode=mode)
    except schemathesis.errors.SchemathesisError:
        raise _NothingToNegate from None

    @seed(20261121)
    @settings(
        max_examples=times,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def tried(case: Case) -> None:
        for name in list(case.path_parameters or {}):
            known = ground.pool.get(name)
            if known and mode is GenerationMode.POSITIVE and dice.random() < 0.7:
                case.path_parameters[name] = dice.choice(known)
        for name in KEYS:  # whose request it is stays ours to say
            (case.headers or {}).pop(name, None)
            (case.query or {}).pop(name, None)
        if operation.path == "/api/events" and (case.query or {}).get("follow", "true") == "true":
            case.query = {**(case.query or {}), "follow": "false"}  # else the answer has no end
        fault = _fault(ground, case, dice)
        if fault is not None:
            faults.append(fault)

    tried()
    return faults


def _fault(ground: Ground, case: Case, dice: random.Random) -> str | None:
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://127.0.0.1:8787")).prepare()
    hostile = dice.random() < 0.04
    answer = ground.send(prepared, dice.choice(HOSTILE) if hostile else f"Bearer {ground.secret}")
    told = answer.json() if "json" in answer.headers.get("content-type", "") else None
    shown = f"{case.method} {prepared.url} {prepared.body!r:.300} -> {answer.status_code} {answer.text[:400]}"
    if hostile:
        return None if answer.status_code in {401, 403} else f"a hostile key: {shown}"
    if answer.status_code >= 500 and told.get("code") not in DELIBERATE:
        return f"server error: {shown}"
    if answer.status_code < 300:
        ground.remember(told)
    try:
        case.validate_response(Response.from_any(answer), checks=CHECKED)
    except FailureGroup as group:
        return f"{[str(one)[:600] for one in group.exceptions]}: {shown}"
    return None

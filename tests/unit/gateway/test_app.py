"""The application: doors, errors and the end, with doors of the test's own."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from keeprate.database.engine import open_database
from keeprate.domain.errors import Conflict
from keeprate.domain.terms import Grant
from keeprate.gateway.app import Application, Served
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.doors import Door, Doors
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.identity import Authenticator, Caller
from keeprate.ledger.ledger import open_ledger
from keeprate.testing.clocks import ImpatientClock

pytestmark = pytest.mark.anyio


async def echo(request: Request, caller: Caller) -> Answer:
    return Answer(body=await request.body(), headers=(("x-workspace", caller.scope.workspace),))


async def refuse(request: Request, caller: Caller) -> Answer:
    raise Conflict("not now", field="x")


async def fail(request: Request, caller: Caller) -> Answer:
    raise ZeroDivisionError("a secret of ours")


async def break_off(request: Request, caller: Caller) -> Answer:
    await request.body()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"half"
        raise Conflict("broken")

    return Answer(body=pieces())


def doors() -> Doors:
    def door(
        path: str, serve: object, *, needs: Grant | None = None, limit: int = 10, waits: bool = True
    ) -> Door:
        return Door(
            name=path, dialect=Dialect.API, method="POST", path=f"/api/{path}", needs=needs, serve=serve,  # type: ignore[arg-type]
            body_limit=limit, may_wait=waits,
        )  # fmt: skip

    return Doors(
        [
            door("echo", echo, needs=Grant.ADMIN),
            door("refuse", refuse),
            door("fail", fail),
            door("break", break_off),
            door("always", echo, waits=False),
        ]
    )


class House:
    """The application and a client of it."""

    def __init__(self, app: Application, served: list[Served], *, raises: bool = True) -> None:
        self.app = app
        self.served = served
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1), raise_app_exceptions=raises)  # type: ignore[arg-type]
        self.client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    async def post(self, path: str, body: bytes = b"") -> httpx.Response:
        return await self.client.post(path, content=body)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    database = open_database(f"sqlite:///{tmp_path / 'k.sqlite3'}")
    ledger = open_ledger(database, home=tmp_path)
    served: list[Served] = []
    identity = Authenticator(ledger, workspace="studio", now=ImpatientClock().now)
    made = House(Application(doors(), identity, new_id=lambda: "1", watchers=[served.append]), served)
    yield made
    await made.client.aclose()
    ledger.close()
    database.close()


async def test_a_door_answers_and_the_watchers_hear_of_it(house: House) -> None:
    answer = await house.post("/api/echo", b"hello")
    assert (answer.status_code, answer.content, answer.headers["x-workspace"]) == (200, b"hello", "studio")
    assert answer.headers["x-request-id"] == "req_1"
    (served,) = house.served
    assert served.door is not None
    assert (served.door.name, served.status, served.sent_bytes, served.error) == ("echo", 200, 5, None)
    assert house.app.in_flight == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/nothing", b"", 404, "not_found"),
        ("/nowhere", b"", 404, "not_found"),
        ("/v1/nothing", b"", 404, "not_found"),
        ("/v1beta/nothing", b"", 404, "NOT_FOUND"),
        ("/api/refuse", b"", 409, "conflict"),
        ("/api/echo", b"x" * 11, 413, "too_large"),
    ],
)
async def test_what_cannot_be_served_is_told_in_the_dialect(
    house: House, path: str, body: bytes, status: int, code: str
) -> None:
    answer = await house.post(path, body)
    assert answer.status_code == status
    assert code in answer.text
    assert house.served[-1].status == status
    assert house.served[-1].error is not None


async def test_another_method_is_told_the_right_one(house: House) -> None:
    answer = await house.client.get("/api/echo")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_fault_of_ours_is_logged_and_tells_the_client_nothing(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="keeprate.gateway"):
        answer = await house.post("/api/fail")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "req_1" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_half_an_answer_ends_in_a_broken_connection(house: House) -> None:
    with pytest.raises(Conflict):
        await house.post("/api/break")
    assert house.served[-1].error is not None


async def test_while_stopping_only_what_never_waits_is_served(house: House) -> None:
    house.app.stop()
    refused = await house.post("/api/echo")
    assert (refused.status_code, refused.headers["x-should-retry"]) == (503, "true")
    assert int(refused.headers["retry-after"]) >= 1
    assert (await house.post("/api/always")).status_code == 200
    assert house.app.is_stopping
    await asyncio.wait_for(house.app.idle(), 1)


async def test_servers_that_announce_start_and_end_are_humoured(house: House) -> None:
    told = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return dict(told.pop(0))

    async def send(message: object) -> None:
        sent.append(message)

    await house.app({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
    assert [one["type"] for one in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]  # type: ignore[index]
    await house.app({"type": "websocket"}, receive, send)  # type: ignore[arg-type]
    assert sent[-1] == {"type": "websocket.close", "code": 1008}

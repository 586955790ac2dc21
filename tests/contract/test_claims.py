"""Paid once, on both stores: keys, orphans, the exact cache and single-flight."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from keeprate.assets.local import LocalAssets
from keeprate.database.engine import Database, open_database
from keeprate.domain.errors import BudgetExceeded, IdempotencyMismatch, InvalidValue, UpstreamUnknown
from keeprate.domain.scopes import Scope
from keeprate.records.claims import SqlClaims
from keeprate.safety.decoding import ImageDecoder
from keeprate.testing.answers import png
from keeprate.testing.builders import NOON
from keeprate.testing.clocks import SetClock
from keeprate.workflows.asking import Asking, canonical_json, fingerprint
from keeprate.workflows.claims import Claimed, Claims, How, Turn
from keeprate.workflows.kept_answers import Bought, KeptAnswer

pytestmark = pytest.mark.anyio

ASKED = Asking(scope=Scope(workspace="studio", key="key_1"), fingerprint="a" * 32)
KEYED = replace(ASKED, idempotency_key="order-7")


@dataclass(slots=True)
class Counter:
    drawn: int = 0

    def token(self) -> str:
        self.drawn += 1
        return f"{self.drawn:032x}"

    def jitter(self) -> float:
        return 0.5


class PatientClock(SetClock):
    """Stands still, and lets others run while somebody waits."""

    async def sleep(self, seconds: float) -> None:
        self.move(timedelta(seconds=seconds))
        await asyncio.sleep(0.002)


@dataclass(slots=True)
class Shop:
    """Counts what is bought. While `gate` is closed a purchase waits."""

    bought: list[str] = field(default_factory=list[str])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    settled: bool = True

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, intent: str) -> Bought:
        self.note(intent)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        number = self.bought.index(intent)
        return Bought(answer=KeptAnswer(status=200, pieces=(b"picture %d" % number,)), settled=self.settled)

    def note(self, intent: str) -> None:
        if intent not in self.bought:  # as the ledger does: an intent buys once
            self.bought.append(intent)
        self.began.set()

    async def has_begun(self) -> None:
        await asyncio.wait_for(self.began.wait(), 10)


@pytest.fixture(scope="module")
def decoder() -> Iterator[ImageDecoder]:
    decoder = ImageDecoder()
    yield decoder
    decoder.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = f"sqlite:///{tmp_path / 'k.sqlite3'}"
    database = open_database(sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    yield database
    database.close()


@dataclass(slots=True, kw_only=True)
class Desk:
    database: Database
    assets: LocalAssets
    clock: PatientClock
    dead: set[str] = field(default_factory=set[str])

    def claims(self, owner: str = "one") -> Claims:
        """Return the claims of a process that has just started."""

        async def is_dead(asked: str) -> bool:
            return asked in self.dead

        rng = Counter(drawn=hash(owner) % 10**6 * 1000)
        store = SqlClaims(self.database)
        return Claims(store, self.assets, clock=self.clock, rng=rng, owner=owner, is_dead=is_dead)


@pytest.fixture
def desk(database: Database, decoder: ImageDecoder, tmp_path: Path) -> Desk:
    return Desk(
        database=database, assets=LocalAssets(tmp_path / "assets", decoder=decoder), clock=PatientClock(NOON)
    )


async def body(claims: Claims, claimed: Claimed) -> bytes:
    return b"".join([piece async for piece in claims.slices(ASKED.scope, claimed.answer)])


@asynccontextmanager
async def closed(shop: Shop) -> AsyncIterator[None]:
    shop.gate.clear()
    yield
    shop.gate.set()


async def test_a_hundred_with_one_key_share_one_purchase_and_one_answer(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop()
    answers = await asyncio.gather(*(claims.answer(KEYED, shop) for _ in range(100)))
    assert len(shop.bought) == 1
    assert {await body(claims, one) for one in answers} == {b"picture 0"}
    assert sorted({one.how for one in answers}) == [How.BOUGHT, How.REPLAYED]


async def test_two_processes_with_one_key_buy_once(desk: Desk) -> None:
    one, two, shop = desk.claims("one"), desk.claims("two"), Shop()
    async with closed(shop):
        first = asyncio.create_task(one.answer(KEYED, shop))
        await shop.has_begun()
        second = asyncio.create_task(two.answer(KEYED, shop))
        await asyncio.sleep(0.05)
    assert ((await first).how, (await second).how) == (How.BOUGHT, How.REPLAYED)
    assert len(shop.bought) == 1


async def test_a_key_with_another_body_is_refused_and_buys_nothing(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop()
    await claims.answer(KEYED, shop)
    with pytest.raises(IdempotencyMismatch):
        await claims.answer(replace(KEYED, fingerprint="b" * 32), shop)
    assert len(shop.bought) == 1


@pytest.mark.parametrize("other", [Scope(workspace="studio", key="key_2"), Scope(workspace="x", key="key_1")])
async def test_another_caller_with_the_same_key_buys_for_themselves(desk: Desk, other: Scope) -> None:
    claims, shop = desk.claims(), Shop()
    await claims.answer(KEYED, shop)
    assert (await claims.answer(replace(KEYED, scope=other), shop)).how is How.BOUGHT
    assert len(shop.bought) == 2


async def test_a_key_answers_for_seven_days_after_a_restart_and_then_buys_again(desk: Desk) -> None:
    shop = Shop()
    await desk.claims("one").answer(KEYED, shop)
    desk.clock.move(timedelta(days=6, hours=23))
    again = desk.claims("two")
    assert await body(again, await again.answer(KEYED, shop)) == b"picture 0"
    desk.clock.move(timedelta(hours=1, seconds=1))
    assert (await again.answer(KEYED, shop)).how is How.BOUGHT
    assert len(shop.bought) == 2
    assert await again.sweep() == 0
    desk.clock.move(timedelta(days=8))
    assert await again.sweep() == 1


async def test_while_the_outcome_is_unknown_the_same_intent_is_asked_again(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop(settled=False)
    assert not (await claims.answer(KEYED, shop)).settled
    assert not (await claims.answer(KEYED, shop)).settled
    shop.settled = True
    assert (await claims.answer(KEYED, shop)).settled
    assert (await claims.answer(KEYED, shop)).how is How.REPLAYED
    assert len(shop.bought) == 1


async def test_what_was_refused_leaves_the_key_free_and_what_may_be_paid_does_not(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop(error=BudgetExceeded("the cap"))
    with pytest.raises(BudgetExceeded):
        await claims.answer(KEYED, shop)
    shop.error = UpstreamUnknown("the deadline passed")
    with pytest.raises(UpstreamUnknown):
        await claims.answer(KEYED, shop)
    assert len(shop.bought) == 2
    shop.error = None
    assert await body(claims, await claims.answer(KEYED, shop)) == b"picture 1"
    assert len(shop.bought) == 2


async def test_a_key_whose_process_died_goes_on_under_the_same_intent(desk: Desk) -> None:
    shop = Shop()
    turn = await desk.claims("one").open(KEYED)
    assert isinstance(turn, Turn)
    await shop(turn.intent)
    desk.dead.add("one")
    claimed = await desk.claims("two").answer(KEYED, shop)
    assert shop.bought == [turn.intent]
    assert claimed.answer.pieces == (b"picture 0",)


async def test_a_key_that_is_empty_or_too_long_is_refused(desk: Desk) -> None:
    for key in ("", "k" * 256):
        with pytest.raises(InvalidValue):
            await desk.claims().answer(replace(ASKED, idempotency_key=key), Shop())


async def test_equal_requests_of_live_clients_are_separate_purchases(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop()
    answers = await asyncio.gather(*(claims.answer(ASKED, shop) for _ in range(4)))
    assert [one.how for one in answers] == [How.BOUGHT] * 4
    assert len(shop.bought) == 4
    for one in answers:
        await one.served()
    fifth = await claims.answer(ASKED, shop)
    assert (fifth.how, len(shop.bought)) == (How.BOUGHT, 5)


@pytest.mark.parametrize("process", ["one", "two"])
async def test_what_a_client_left_behind_is_for_the_next_equal_request_once(desk: Desk, process: str) -> None:
    claims, shop = desk.claims("one"), Shop()
    await (await claims.answer(ASKED, shop)).left()
    next_one = claims if process == "one" else desk.claims(process)
    found = await next_one.answer(ASKED, shop)
    assert (found.how, await body(claims, found)) == (How.ORPHAN, b"picture 0")
    await found.served()
    desk.clock.move(timedelta(seconds=2))
    assert (await next_one.answer(ASKED, shop)).how is How.BOUGHT


async def test_a_claimed_orphan_that_is_left_again_is_there_for_a_third(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop()
    await (await claims.answer(ASKED, shop)).left()
    await (await claims.answer(ASKED, shop)).left()
    assert (await claims.answer(ASKED, shop)).how is How.ORPHAN
    assert len(shop.bought) == 1


async def test_an_orphan_is_not_for_another_key_or_another_body(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop()
    await (await claims.answer(ASKED, shop)).left()
    other = replace(ASKED, scope=Scope(workspace="studio", key="key_2"))
    assert (await claims.answer(other, shop)).how is How.BOUGHT
    assert (await claims.answer(replace(ASKED, fingerprint="b" * 32), shop)).how is How.BOUGHT


async def test_a_caller_that_is_cancelled_leaves_an_orphan_that_goes_on(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop()
    async with closed(shop):
        caller = asyncio.create_task(claims.answer(ASKED, shop))
        await shop.has_begun()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
    await claims.drain()
    found = await claims.answer(ASKED, shop)
    assert (found.how, len(shop.bought)) == (How.ORPHAN, 1)


async def test_a_marked_re_send_joins_its_first_try_while_that_is_under_way(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop()
    async with closed(shop):
        first = asyncio.create_task(claims.answer(ASKED, shop))
        await shop.has_begun()
        second = asyncio.create_task(claims.answer(replace(ASKED, is_resend=True), shop))
        await asyncio.sleep(0.05)
    assert (await second).how is How.ORPHAN
    await (await first).left()
    await (await second).served()
    assert (await claims.answer(ASKED, shop)).how is How.BOUGHT
    assert len(shop.bought) == 2


async def test_a_marked_re_send_buys_where_the_first_try_bought_nothing(desk: Desk) -> None:
    claims, shop = desk.claims(), Shop(error=BudgetExceeded("the cap"))
    with pytest.raises(BudgetExceeded):
        await claims.answer(ASKED, shop)
    shop.error = None
    assert (await claims.answer(replace(ASKED, is_resend=True), shop)).how is How.BOUGHT


async def test_single_flight_joins_what_is_under_way_and_nothing_later(desk: Desk) -> None:
    one, two, shop = desk.claims("one"), desk.claims("two"), Shop()
    asked = replace(ASKED, single_flight=True)
    async with closed(shop):
        tasks = [asyncio.create_task(each.answer(asked, shop)) for each in (one, one, two, two)]
        await shop.has_begun()
        await asyncio.sleep(0.05)
    hows = [(await task).how for task in tasks]
    assert (sorted(hows), len(shop.bought)) == ([How.BOUGHT] + [How.JOINED] * 3, 1)
    desk.clock.move(timedelta(seconds=1))
    assert (await one.answer(asked, shop)).how is How.BOUGHT
    assert len(shop.bought) == 2


class ImageShop(Shop):
    def __init__(self, claims: Claims, image: bytes) -> None:
        super().__init__()
        self.claims, self.image = claims, image

    async def __call__(self, intent: str) -> Bought:
        self.note(intent)
        pieces = await self.claims.folded(ASKED.scope, self.image)
        return Bought(answer=KeptAnswer(status=200, pieces=pieces))


async def test_the_exact_cache_answers_where_it_is_asked_for_and_forgets_the_least_used(desk: Desk) -> None:
    import pybase64

    claims = desk.claims()
    picture = png(64, 64, shade=3) + b"\0" * 2000
    await desk.assets.put("studio", picture)
    shop = ImageShop(claims, b'{"b64_json":"' + pybase64.b64encode(picture) + b'"}')
    cached = replace(ASKED, cache_key="k1")
    first = await claims.answer(cached, shop)
    assert first.answer.images
    await first.served()
    second = await claims.answer(cached, shop)
    assert (second.how, await body(claims, second)) == (How.CACHED, shop.image)
    assert (await claims.answer(ASKED, shop)).how is How.BOUGHT
    assert (await claims.answer(replace(KEYED, cache_key="k1"), shop)).how is How.CACHED
    assert (await claims.answer(replace(KEYED, cache_key="k1"), shop)).how is How.REPLAYED
    store = SqlClaims(desk.database)
    for number in range(3):
        desk.clock.move(timedelta(seconds=1))
        now = desk.clock.now()
        await store.cache("studio", f"n{number}", b"x", size=400, limit=1000, at=now)
    held = [await store.cached("studio", key, desk.clock.now()) for key in ("k1", "n0", "n1", "n2")]
    assert held == [None, None, b"x", b"x"]


@pytest.mark.parametrize("writing", ["standard", "urlsafe", "unpadded", "broken"])
async def test_a_folded_body_comes_back_byte_for_byte(desk: Desk, writing: str) -> None:
    import pybase64

    picture = png(64, 64, shade=9) + bytes(range(256)) * 8
    await desk.assets.put("studio", picture)
    text = pybase64.b64encode(picture)
    written = {
        "standard": text,
        "urlsafe": pybase64.urlsafe_b64encode(picture),
        "unpadded": text.rstrip(b"="),
        "broken": text[:2000] + b"\\n" + text[2000:],
    }[writing]
    whole = b'{"a":"' + b"no picture" * 400 + b'","data":"' + written + b'","sig":"' + b"Q" * 3000 + b'"}'
    claims = desk.claims()
    pieces = await claims.folded(ASKED.scope, whole)
    answer = KeptAnswer(status=200, pieces=pieces)
    assert bool(answer.images) is (writing != "broken")
    slices = [piece async for piece in claims.slices(ASKED.scope, answer)]
    assert b"".join(slices) == whole
    assert max(map(len, slices)) <= 64 * 1024


def test_a_fingerprint_is_of_what_changes_the_answer() -> None:
    def of(body: bytes, **headers: str) -> str:
        return fingerprint("post", "/v1/images/generations", canonical_json(body).hex(), headers)

    same = of(b'{"n": 1, "prompt": "a fox"}', **{"X-Keeprate-Purpose": "hero", "X-Keeprate-Lane": "live"})
    assert same == of(
        b'{"prompt":"a fox","n":1}', **{"x-keeprate-lane": "live ", "x-keeprate-purpose": "hero"}
    )
    assert same != of(b'{"prompt":"a fox","n":1}', **{"x-keeprate-purpose": "hero"})
    assert same != of(
        b'{"prompt":"a fox","n":2}', **{"x-keeprate-lane": "live", "x-keeprate-purpose": "hero"}
    )

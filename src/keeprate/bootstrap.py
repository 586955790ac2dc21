"""Joins settings, stores and providers. The only module that knows them all."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import entry_points, version
from importlib.resources import files
from pathlib import Path

import aiohttp

from keeprate.assets.export import FileKeeper
from keeprate.assets.local import LocalAssets
from keeprate.assets.spool import DiskSpool
from keeprate.assets.turns import DiskTurns
from keeprate.catalogue.book import Book
from keeprate.catalogue.overlay import overlay_in
from keeprate.catalogue.standard import FACT_FILES, book_of
from keeprate.database.engine import open_database
from keeprate.domain.errors import ConfigError, InvalidValue
from keeprate.domain.money import NanoUSD
from keeprate.domain.routes import GEMINI_API, Route, Surface, Upstream
from keeprate.ledger.ledger import SqlLedger, open_ledger
from keeprate.providers.credentials import ApiKey, Credential, GoogleDefault
from keeprate.providers.shapes import CallShape, ConnectOptions, SizeField, shape_of_card
from keeprate.providers.simulated.child import EmulatorChild
from keeprate.providers.simulated.provider import SimulatedProvider
from keeprate.providers.table import BUILT_IN, ENTRY_POINTS, Plugin, paid_session
from keeprate.records.claims import SqlClaims
from keeprate.routing.market import Market
from keeprate.safety.decoding import ImageDecoder
from keeprate.safety.failpoints import arm
from keeprate.settings import Settings, UpstreamSettings
from keeprate.workflows.claims import Claims
from keeprate.workflows.first_day import prepare_home
from keeprate.workflows.manners import Manners, spend_limit
from keeprate.workflows.means import Confirm, Means, Progress
from keeprate.workflows.ports import Clock, Provider
from keeprate.workflows.recover import Recovery, recover
from keeprate.workflows.till import Till


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class SystemRng:
    """The machine's randomness."""

    def token(self) -> str:
        """Return 128 random bits as 32 hexadecimal digits."""
        return secrets.token_hex(16)

    def jitter(self) -> float:
        """Return a number from 0 to 1."""
        return secrets.randbelow(1 << 30) / (1 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """An open home: the means of the verbs, the ledger itself, what opening it recovered, and who asked what.

    `decoder` is the one door to image decoding.
    """

    settings: Settings
    means: Means
    ledger: SqlLedger
    recovery: Recovery
    claims: Claims
    decoder: ImageDecoder


def read_book(settings: Settings) -> Book:
    """Return the book of facts: ours, the plug-ins', and the owner's rows over them.

    Raises:
        CatalogueError: A fact is bad; file, row and field are named.
    """
    folder = files("keeprate.catalogue") / "facts"
    texts = {name: (folder / name).read_text("utf-8") for name in FACT_FILES}
    for plugin in plugins().values():
        if plugin.facts_toml is not None:
            texts[f"plug-in {plugin.surface}"] = plugin.facts_toml
    return book_of(texts, overlay_in(dict(settings.overlay)))


def plugins() -> Mapping[Surface, Plugin]:
    """Return the surfaces that can be connected: the built-in ones and the installed ones."""
    found = {point.load() for point in entry_points(group=ENTRY_POINTS)}
    return {**BUILT_IN, **{plugin.surface: plugin for plugin in found}}


def upstreams_of(settings: Settings) -> tuple[UpstreamSettings, ...]:
    """Return the configured upstreams, or the emulator where there are none."""
    return settings.upstreams or (EMBEDDED,)


EMBEDDED = UpstreamSettings(
    name="emulator",
    surface=GEMINI_API,
    base_url="http://127.0.0.1",  # the port is known once it runs
    simulated=True,
    credential=None,
    credential_from=None,
)


@asynccontextmanager
async def open_house(
    settings: Settings, *, confirm: Confirm | None, progress: Progress, clock: Clock | None = None
) -> AsyncGenerator[House]:
    """Open the home: migrate, recover what a dead process left, connect; close it all at the end.

    Raises:
        ConfigError: The home or an upstream cannot be used.
        StorageError: The database or the disk refused.
    """
    arm(settings.failpoint or "")
    _make_home(settings.home)
    async with AsyncExitStack() as stack:
        decoder = ImageDecoder()
        stack.callback(decoder.close)
        spool = DiskSpool(settings.home / "spool")
        stack.callback(spool.close)
        database = await asyncio.to_thread(open_database, settings.database_url)
        stack.push_async_callback(asyncio.to_thread, database.close)
        ledger = await asyncio.to_thread(open_ledger, database, home=settings.home)
        stack.push_async_callback(asyncio.to_thread, ledger.close)
        till = Till(
            ledger=ledger,
            spool=spool,
            assets=LocalAssets(settings.home / "assets", decoder=decoder),
            turns=DiskTurns(settings.home / "turns"),
            clock=clock or SystemClock(),
        )
        means = await _means(
            settings, till, stack, owner=ledger.owner, asks=(confirm, progress), keeper=FileKeeper(decoder)
        )
        await prepare_home(ledger, settings.workspace, settings.day_cap_usd, till.clock.now())
        recovery = await recover(till, provider_of=means.provider_of, price_of=means.price_of)
        claims = await _claims(SqlClaims(database), means, ledger, recovery)
        # Last in, first out: paid calls are settled before anything they need is closed.
        stack.push_async_callback(till.drain)
        stack.push_async_callback(claims.drain)
        yield House(
            settings=settings,
            means=means,
            ledger=ledger,
            recovery=recovery,
            claims=claims,
            decoder=decoder,
        )


async def _claims(store: SqlClaims, means: Means, ledger: SqlLedger, recovery: Recovery) -> Claims:
    """Open the book of requests, and note in it whose answers a dead process still owed."""
    claims = Claims(
        store,
        means.till.assets,
        clock=means.till.clock,
        rng=means.rng,
        owner=means.owner,
        is_dead=ledger.is_dead,
    )
    owed = (*recovery.settled, *recovery.unknown)
    for row in await ledger.rows_of(owed) if owed else ():
        await claims.lost(row)
    return claims


async def _means(
    settings: Settings,
    till: Till,
    stack: AsyncExitStack,
    *,
    owner: str,
    asks: tuple[Confirm | None, Progress],
    keeper: FileKeeper,
) -> Means:
    book = read_book(settings)
    clock = till.clock

    def day_of(moment: datetime) -> date:
        return settings.as_of or moment.date()

    http = paid_session()
    stack.push_async_callback(http.close)
    child = EmulatorChild(settings.home / "emulator", settings.as_of)
    stack.push_async_callback(child.stop)
    providers = {
        row.name: _connected(row, book, lambda: day_of(clock.now()), http, child=child)
        for row in upstreams_of(settings)
    }
    markets: dict[date, Market] = {}

    def market() -> Market:
        day = day_of(clock.now())
        if day not in markets:
            upstreams = [provider.upstream for provider in providers.values()]
            markets[day] = Market.of(book, upstreams, day)
        return markets[day]

    return Means(
        till=till,
        book=book,
        market=market,
        providers=providers,
        keeper=keeper,
        rng=SystemRng(),
        day_of=day_of,
        owner=owner,
        default_policy=settings.default_policy,
        assume_yes=settings.assume_yes,
        confirm=asks[0],
        progress=asks[1],
        manners=Manners(spend_limits=_spend_limits(settings)),
    )


def _spend_limits(settings: Settings) -> Mapping[str, NanoUSD]:
    try:
        return {
            row.name: spend_limit(row.spend_window)
            for row in upstreams_of(settings)
            if row.spend_window is not None
        }
    except InvalidValue as fault:
        raise ConfigError(
            fault.message, field=fault.field, value=fault.value, remedy='write "10", or "tier-1" to "tier-3"'
        ) from fault


def _connected(
    row: UpstreamSettings,
    book: Book,
    today: Callable[[], date],
    http: aiohttp.ClientSession,
    *,
    child: EmulatorChild,
) -> Provider:
    plugin = plugins().get(row.surface)
    if plugin is None:
        raise ConfigError(
            f"upstream {row.name!r} is of surface {row.surface!r}, which nothing here can speak",
            field="upstream.surface",
            value=row.surface,
            remedy="use one of: " + ", ".join(plugins()),
        )
    upstream = Upstream(
        name=row.name,
        surface=row.surface,
        base_url=row.base_url,
        simulated=row.simulated,
        quota_project=row.project,
        location=row.location,
    )

    def shape_of(route: Route) -> CallShape:
        return shape_of_card(book.card(row.surface, route.model, today()), route.size)

    options = ConnectOptions(
        shape_of=shape_of,
        size_field=SizeField(row.size_field),
        user_agent=f"keeprate/{version('keeprate')}",
    )
    inner = plugin.connect(upstream, _credential(row), http, options)
    if row is EMBEDDED:
        return SimulatedProvider(upstream=upstream, inner=inner, child=child)
    return inner


def _credential(row: UpstreamSettings) -> Credential:
    if row is EMBEDDED:
        return ApiKey("simulated")
    if row.credential is not None:
        return ApiKey(row.credential.reveal())
    if row.surface == GEMINI_API:
        raise ConfigError(
            f"upstream {row.name!r} has no key",
            field="upstream.credential_env",
            value=row.credential_from,
            remedy=f"set {row.credential_from or 'credential_env, and the variable it names'}",
        )
    return GoogleDefault()


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        raise ConfigError(
            f"the home {home} cannot be made: {fault.strerror}",
            field="home",
            value=str(home),
            remedy="point KEEPRATE_HOME at a folder you may write to",
        ) from fault

"""A house whose upstream is scripted: the real ledger, spool and store in a folder, and a clock that is told."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from keeprate.assets.export import FileKeeper
from keeprate.assets.local import LocalAssets
from keeprate.assets.spool import DiskSpool
from keeprate.assets.turns import DiskTurns
from keeprate.database.engine import Database, open_database
from keeprate.domain.attempts import Attempt
from keeprate.domain.budgets import Budget, Window
from keeprate.domain.money import NanoUSD
from keeprate.domain.scopes import Scope
from keeprate.ledger.ledger import SqlLedger, open_ledger
from keeprate.routing.market import Market
from keeprate.safety.decoding import ImageDecoder
from keeprate.testing.builders import NOON, upstream
from keeprate.testing.clocks import SetClock
from keeprate.testing.scripted import Act, ScriptedProvider
from keeprate.workflows.generate import generate, retry_unknown
from keeprate.workflows.means import Confirm, Means
from keeprate.workflows.options import Options
from keeprate.workflows.recover import Recovery, recover
from keeprate.workflows.results import Result
from keeprate.workflows.till import Till
from tests.books import official_book

SCOPE = Scope(workspace="default")
PRO = "gemini-3-pro-image"
ON_PRO = Options(model=PRO)


@dataclass(slots=True)
class EvenRng:
    """Draws the middle, and names that count."""

    drawn: int = 0

    def token(self) -> str:
        self.drawn += 1
        return f"token-{self.drawn}"

    def jitter(self) -> float:
        return 0.5


@dataclass(slots=True, kw_only=True)
class House:
    """One open home. `providers` are scripted, by the name of their upstream."""

    means: Means
    ledger: SqlLedger
    database: Database
    clock: SetClock
    providers: Mapping[str, ScriptedProvider]
    said: list[str] = field(default_factory=list)

    @property
    def till(self) -> Till:
        return self.means.till

    @property
    def provider(self) -> ScriptedProvider:
        return self.providers["scripted"]

    def plays(self, *acts: Act) -> None:
        self.provider.plays(acts)

    @property
    def sends(self) -> int:
        return sum(len(provider.sent) for provider in self.providers.values())

    async def buy(self, prompt: str = "a red fox", options: Options = ON_PRO, **changes: object) -> Result:
        return await generate(self.means, SCOPE, prompt, replace(options, **changes))  # type: ignore[arg-type]

    async def retry(self, attempt_id: str, **changes: object) -> Result:
        options = replace(Options(), **changes)  # type: ignore[arg-type]
        return await retry_unknown(self.means, SCOPE, attempt_id, options)

    async def rows(self) -> list[Attempt]:
        """Return every row, oldest first."""
        found = await self.ledger.attempts(SCOPE, unknown_only=False, limit=1000, intent=None)
        return sorted(found, key=lambda row: (row.new.created_at, row.new.key.step, row.new.key.attempt_no))

    async def cap(self, limit: int, *, simulated: bool = True) -> None:
        cap = Budget(
            id=f"cap-{simulated}", workspace="default", key=None, window=Window.DAY, limit=NanoUSD(limit),
            simulated=simulated,
        )  # fmt: skip
        await self.ledger.set_budget(SCOPE, cap, self.clock.now())

    async def recover(self) -> Recovery:
        return await recover(self.till, provider_of=self.means.provider_of, price_of=self.means.price_of)

    async def audit(self) -> None:
        assert await self.ledger.audit(SCOPE) == []


@asynccontextmanager
async def open_house(
    folder: Path,
    *,
    names: tuple[str, ...] = ("scripted",),
    simulated: bool = True,
    confirm: Confirm | None = None,
    at: datetime = NOON,
) -> AsyncGenerator[House]:
    """Open the home in `folder`; opening it again is another process to the ledger."""
    providers = {name: ScriptedProvider(upstream=upstream(name, simulated=simulated)) for name in names}
    decoder = ImageDecoder()
    spool = DiskSpool(folder / "spool")
    database = open_database(f"sqlite:///{folder / 'keeprate.sqlite3'}")
    ledger = open_ledger(database, home=folder)
    clock = SetClock(at)
    said: list[str] = []
    till = Till(
        ledger=ledger,
        spool=spool,
        assets=LocalAssets(folder / "assets", decoder=decoder),
        turns=DiskTurns(folder / "turns"),
        clock=clock,
    )
    book = official_book()
    means = Means(
        till=till,
        book=book,
        market=lambda: Market.of(book, [one.upstream for one in providers.values()], clock.now().date()),
        providers=providers,
        keeper=FileKeeper(),
        rng=EvenRng(),
        day_of=lambda moment: moment.astimezone(UTC).date(),
        owner=ledger.owner,
        default_policy="flash-first",
        assume_yes=False,
        confirm=confirm,
        progress=said.append,
    )
    try:
        yield House(
            means=means, ledger=ledger, database=database, clock=clock, providers=providers, said=said
        )
    finally:
        await till.drain()
        ledger.close()
        database.close()
        spool.close()
        decoder.close()

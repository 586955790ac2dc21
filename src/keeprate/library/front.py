"""The front for programs: `async with Keeprate() as k: result = await k.generate("a red fox")`."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from keeprate.bootstrap import House, open_house
from keeprate.catalogue.book import Book
from keeprate.domain.attempts import Attempt
from keeprate.domain.errors import ConfigError
from keeprate.domain.numbers import whole
from keeprate.domain.scopes import LOCAL_OWNER, Scope
from keeprate.domain.verdicts import Verdict, VerdictKind
from keeprate.library.accounts import Accounts
from keeprate.routing.estimates import Estimate, EstimateQuery, estimate
from keeprate.settings import Settings, process_settings
from keeprate.workflows.generate import edit, generate, retry_unknown
from keeprate.workflows.means import Confirm, Means, Progress
from keeprate.workflows.options import Options
from keeprate.workflows.ports import Clock
from keeprate.workflows.recover import Recovery
from keeprate.workflows.results import Result
from keeprate.workflows.route import RouteView, route
from keeprate.workflows.verdicts import Ruling, judge
from keeprate.workflows.whence import Origin, whence

PLAIN = Options()


class Keeprate:
    """An open home. Use it with `async with`; every method is safe to call from many tasks at once.

    A purchase that brings no image is no exception: `Result.outcome` tells what happened, and
    `Result.image()` raises where one is wanted. What keeps a purchase from being made raises.
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        scope: Scope | None = None,
        confirm: Confirm | None = None,
        progress: Progress | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare to open a home.

        `settings` None reads the environment and keeprate.toml. `confirm` is asked before the first
        purchase with real money; None means `Options(yes=True)` or KEEPRATE_YES=1 is needed.
        `progress` is told short sentences. `clock` None is the machine's; tests hand in another.
        """
        self._settings = settings or process_settings()
        self._scope = scope or _scope_of(self._settings)
        self._confirm = confirm
        self._progress = progress or _silent
        self._clock = clock
        self._stack = AsyncExitStack()
        self._house: House | None = None

    async def __aenter__(self) -> Self:
        """Open the home and recover what a dead process left behind.

        Raises:
            ConfigError: The home or an upstream cannot be used.
            StorageError: The database or the disk refused.
        """
        opened = open_house(self._settings, confirm=self._confirm, progress=self._progress, clock=self._clock)
        self._house = await self._stack.enter_async_context(opened)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish paid calls under way, then close."""
        await self._stack.__aexit__(kind, error, trace)
        self._house = None

    @property
    def recovery(self) -> Recovery:
        """Return what opening the home freed, settled and found unknown."""
        return self._open.recovery

    @property
    def in_flight(self) -> int:
        """Return how many paid calls are under way."""
        return 0 if self._house is None else len(self._house.means.till.running)

    def stop_buying(self) -> None:
        """Let nothing more be bought; what is under way finishes."""
        if self._house is not None:
            self._house.means.till.closing.set()

    async def generate(self, prompt: str, *, options: Options = PLAIN) -> Result:
        """Buy the images that `options` ask for.

        Raises:
            KeeprateError: Nothing was bought; its class says what to do.
        """
        return await generate(self._means, self._scope, prompt, options)

    async def edit(self, prompt: str, *, options: Options) -> Result:
        """Change references, or go on from an attempt (`options.continues`).

        Raises:
            InvalidValue: Neither references nor an attempt to continue.
            KeeprateError: As `generate`.
        """
        return await edit(self._means, self._scope, prompt, options)

    async def retry_unknown(self, attempt_id: str, *, options: Options = PLAIN) -> Result:
        """Buy again what an unknown attempt may have bought. Both are booked.

        Raises:
            Conflict: The attempt is not unknown.
            KeeprateError: As `generate`.
        """
        return await retry_unknown(self._means, self._scope, attempt_id, options)

    async def route(
        self,
        prompt: str | None = None,
        *,
        options: Options = PLAIN,
        budget_used: int | None = None,
        reference_count: int = 0,
    ) -> RouteView:
        """Show what `generate` would do. Spends, holds and stores nothing.

        Raises:
            NoEligibleRoute: Every route fails a hard need; the reasons are in the error.
        """
        means, scope = self._means, self._scope
        return await route(
            means, scope, prompt, options, budget_used=budget_used, reference_count=reference_count
        )

    def estimate(self, query: EstimateQuery) -> Estimate:
        """Return what `query` would cost on your first upstream, from printed prices and from tokens and rates.

        Raises:
            KeeprateError: A model, mix or size that does not exist that day.
        """
        return _estimated(self._means, query)

    @property
    def book(self) -> Book:
        """Return the facts: models, prices, lifecycles."""
        return self._means.book

    def today(self) -> date:
        """Return the day facts are looked up for."""
        return self._means.today()

    async def attempts(self, *, unknown_only: bool = False, limit: int = 50) -> Sequence[Attempt]:
        """Return ledger rows, newest first.

        Raises:
            InvalidValue: `limit` is not a whole number, 1 or more.
        """
        limit = whole(limit, field="limit", least=1)
        ledger = self._open.ledger
        return await ledger.attempts(self._scope, unknown_only=unknown_only, limit=limit, intent=None)

    async def attempt(self, attempt_id: str) -> Attempt:
        """Return one ledger row.

        Raises:
            NotFound: None of that id in this workspace.
        """
        return await self._open.ledger.attempt(self._scope, attempt_id)

    async def image(self, sha256: str) -> bytes:
        """Return the untouched bytes of an image of this workspace.

        Raises:
            NotFound: No such image.
        """
        return await self._means.till.assets.read(self._scope.workspace, sha256)

    @property
    def accounts(self) -> Accounts:
        """Return the money side: caps, keys, reports, reconciling."""
        return accounts_of(self._open, self._scope)

    async def verdict(
        self,
        attempt_id: str,
        kind: VerdictKind | str,
        *,
        reason: str | None = None,
        cleanup_minutes: int = 0,
        image: str | None = None,
    ) -> Verdict:
        """Accept or reject an image of an attempt; the first one where `image` (a hash) is None.

        `kind` may be typed: "accepted" or "rejected".

        Raises:
            NotFound: No such attempt.
            InvalidValue: It brought no such image, or a word that is no verdict.
        """
        ruling = Ruling(kind=kind, reason=reason, cleanup_minutes=cleanup_minutes, image=image)
        return await judge(self._means, self._scope, attempt_id, ruling)

    async def whence(self, path: Path) -> Origin:
        """Return where a kept file came from.

        Raises:
            NotFound: This workspace bought no such image.
        """
        return await whence(self._means, self._scope, path)

    @property
    def _open(self) -> House:
        if self._house is None:
            raise ConfigError(
                "this Keeprate is not open", remedy="use it inside `async with Keeprate() as k:`"
            )
        return self._house

    @property
    def _means(self) -> Means:
        return self._open.means


def accounts_of(house: House, scope: Scope) -> Accounts:
    """Return the money side of an open house, as `scope` sees it."""
    return Accounts(
        ledger=house.ledger,
        scope=scope,
        clock=house.means.till.clock,
        book=house.means.book,
        overlay=house.settings.overlay,
    )


def _scope_of(settings: Settings) -> Scope:
    return replace(LOCAL_OWNER, workspace=settings.workspace)


def _estimated(means: Means, query: EstimateQuery) -> Estimate:
    first = next(iter(means.providers.values())).upstream
    asked = query if query.upstream is not None else replace(query, upstream=first.name)
    return estimate(asked, book=means.book, day=means.today(), surface=first.surface)


def _silent(sentence: str) -> None:
    del sentence

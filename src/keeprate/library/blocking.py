"""The front for scripts and notebooks: the same Keeprate, waiting for each answer.

It runs the asynchronous one on a loop of its own in a thread, never a second implementation: a notebook
has a running loop already, and a script has none.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from keeprate.domain.attempts import Attempt
from keeprate.domain.errors import ConfigError
from keeprate.domain.verdicts import Verdict, VerdictKind
from keeprate.library.front import PLAIN, Keeprate
from keeprate.settings import Settings
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result
from keeprate.workflows.route import RouteView
from keeprate.workflows.whence import Origin

Answer = TypeVar("Answer")


class BlockingKeeprate:
    """`with BlockingKeeprate() as k: k.generate("a red fox")`. `k.wait(k.inner.…)` reaches the rest."""

    def __init__(self, *, settings: Settings | None = None) -> None:
        """Prepare to open a home, as `Keeprate` does."""
        self.inner = Keeprate(settings=settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Open the home.

        Raises:
            ConfigError: It is open already, or the home or an upstream cannot be used.
            StorageError: The database or the disk refused.
        """
        if self._loop is not None:
            raise ConfigError(
                "this BlockingKeeprate is open already", remedy="use another one, or the name after `as`"
            )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="keeprate", daemon=True)
        self._thread.start()
        with ExitStack() as if_it_fails:
            if_it_fails.callback(self._end)
            self.wait(self.inner.__aenter__())
            if_it_fails.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish paid calls under way, then close."""
        try:
            self.wait(self.inner.__aexit__(kind, error, trace))
        finally:
            self._end()

    def wait(self, work: Coroutine[object, None, Answer]) -> Answer:
        """Return what `work` returns, run on Keeprate's loop.

        Raises:
            ConfigError: This is not open: no `with` was begun, or it has ended.
        """
        if self._loop is None:
            work.close()
            raise ConfigError(
                "this BlockingKeeprate is not open", remedy="use it inside `with BlockingKeeprate() as k:`"
            )
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def generate(self, prompt: str, *, options: Options = PLAIN) -> Result:
        """Buy the images that `options` ask for; see `Keeprate.generate`."""
        return self.wait(self.inner.generate(prompt, options=options))

    def edit(self, prompt: str, *, options: Options) -> Result:
        """Change references, or go on from an attempt; see `Keeprate.edit`."""
        return self.wait(self.inner.edit(prompt, options=options))

    def route(self, prompt: str | None = None, *, options: Options = PLAIN) -> RouteView:
        """Show what `generate` would do; see `Keeprate.route`."""
        return self.wait(self.inner.route(prompt, options=options))

    def attempts(self, *, unknown_only: bool = False, limit: int = 50) -> Sequence[Attempt]:
        """Return ledger rows, newest first."""
        return self.wait(self.inner.attempts(unknown_only=unknown_only, limit=limit))

    def verdict(self, attempt_id: str, kind: VerdictKind | str, *, reason: str | None = None) -> Verdict:
        """Accept or reject the first image of an attempt; see `Keeprate.verdict`."""
        return self.wait(self.inner.verdict(attempt_id, kind, reason=reason))

    def whence(self, path: Path) -> Origin:
        """Return where a kept file came from; see `Keeprate.whence`."""
        return self.wait(self.inner.whence(path))

    def _end(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

"""From flags to an open Keeprate and back to an exit code, with Ctrl-C that loses no money."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import date
from typing import NoReturn

from keeprate.cli import failures
from keeprate.cli.drawing import decision_drawn
from keeprate.cli.flags import Everywhere
from keeprate.cli.output import Screen, money
from keeprate.domain.decisions import Decision
from keeprate.domain.errors import ConfirmationNeeded, InvalidValue
from keeprate.library.front import Keeprate
from keeprate.settings import Settings, process_settings

Work = Callable[[Keeprate, Screen], Awaitable[int]]


def run(flags: Everywhere, work: Work) -> int:
    """Open the home that the flags name, do `work` in it and return the exit code."""
    return run_in(settings_for(flags), flags, work)


def run_in(settings: Settings, flags: Everywhere, work: Work) -> int:
    """Do `work` with `settings` and return the exit code."""
    return asyncio.run(_watched(settings, flags, work))


def settings_for(flags: Everywhere) -> Settings:
    """Return the process's settings with the flags on top."""
    return process_settings(home=flags.home, as_of=day(flags.as_of), workspace=flags.workspace)


def day(text: str | None, *, field: str = "as_of") -> date | None:
    """Return the day written as 2026-04-15.

    Raises:
        InvalidValue: Not a day of the calendar.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(
            f"{field} {text!r} is not a day", field=field, value=text, remedy="write it like 2026-04-15"
        ) from None


async def _watched(settings: Settings, flags: Everywhere, work: Work) -> int:
    screen = Screen(flags)
    interrupts = Interrupts(screen)
    question = Question(screen, interrupts)
    keeprate = Keeprate(settings=settings, confirm=question.confirm, progress=screen.tell)
    with interrupts.watching(keeprate):
        try:
            async with keeprate:
                code = await work(keeprate, screen)
                interrupts.closing()
        except ConfirmationNeeded as needed:
            if not question.was_declined:
                raise
            screen.say("not bought")
            return needed.exit_code
        except asyncio.CancelledError:
            if not interrupts.count:
                raise
            raise KeyboardInterrupt from None
        finally:
            screen.settle()
    return failures.INTERRUPTED if interrupts.count else code


class Interrupts:
    """Ctrl-C once: a paid call in flight is finished and nothing new is bought. Twice: leave."""

    def __init__(self, screen: Screen) -> None:
        """Count nothing yet."""
        self.count = 0
        self._screen = screen
        self._is_closing = False

    @contextmanager
    def watching(self, keeprate: Keeprate) -> Generator[None]:
        """Take SIGINT and SIGTERM over for the current task. Off Unix, Python's own way stands."""
        task = asyncio.current_task()
        if sys.platform == "win32" or task is None:
            yield
            return
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, self._interrupted, keeprate, task)
        try:
            yield
        finally:
            for sign in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(sign)

    @contextmanager
    def lifted(self) -> Generator[None]:
        """Let Ctrl-C end a question at once: the loop stands still while a person is asked."""
        # Told over its wake-up pipe as well, the loop would cancel the closing of the home later.
        pipe = signal.set_wakeup_fd(-1)
        ours = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, ours)
            signal.set_wakeup_fd(pipe)

    def closing(self) -> None:
        """Interrupt no more: the work is done, and the home must be closed in order."""
        self._is_closing = True

    def _interrupted(self, keeprate: Keeprate, task: asyncio.Task[object]) -> None:
        self.count += 1
        if self.count > 1:
            self._leave()
        paid = keeprate.in_flight
        if paid:
            keeprate.stop_buying()
            calls = "1 paid call" if paid == 1 else f"{paid} paid calls"
            self._screen.say(f"finishing {calls}, buying no more; Ctrl-C again leaves at once")
        elif not self._is_closing:
            task.cancel()

    def _leave(self) -> NoReturn:
        # The row is on disk as sent; the next start finds its owner dead and makes it unknown.
        if not self._screen.has_answered:
            failures.tell_interrupted(as_json=self._screen.as_json, may_be_paid=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(failures.INTERRUPTED)


class Question:
    """Asks a person at a terminal before the first real purchase."""

    def __init__(self, screen: Screen, interrupts: Interrupts) -> None:
        """Ask on the screen's standard error."""
        self.was_declined = False
        self._screen = screen
        self._interrupts = interrupts

    async def confirm(self, decision: Decision) -> bool:
        """Show route and worst price and ask; without a person at the terminal the answer is no."""
        if not (self._screen.is_live and sys.stdin.isatty()):
            return False
        self._screen.settle()
        err = self._screen.err
        err.print("The first purchase with real money in this home:", style="bold")
        self._screen.say(decision_drawn(decision, simulated=False, explain=None))
        try:
            with self._interrupts.lifted():
                answer = err.input(f"Buy it for at most {money(decision.quote.worst)}? [y/N] ", markup=False)
        except EOFError:
            err.print()
            answer = ""
        self.was_declined = answer.strip().lower() not in {"y", "yes"}
        self._screen.has_asked = True
        return not self.was_declined

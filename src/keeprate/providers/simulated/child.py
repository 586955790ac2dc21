"""The emulator as a child process: a stranger on a free loopback port, gone when we go."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from keeprate.domain.errors import Unreachable

_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 5.0


@dataclass(slots=True)
class EmulatorChild:
    """Starts the emulator once, however many callers ask. `state` keeps its bill and its files."""

    state: Path
    day: date | None
    _process: asyncio.subprocess.Process | None = None
    _url: str | None = None
    _starting: asyncio.Lock | None = None

    async def url(self) -> str:
        """Return the address of the running emulator.

        Raises:
            Unreachable: It did not come up; its last words are in the message.
        """
        if self._starting is None:
            self._starting = asyncio.Lock()
        async with self._starting:
            if self._url is None or self._process is None or self._process.returncode is not None:
                self._url = await self._start()
            return self._url

    async def stop(self) -> None:
        """End the child, politely first."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _start(self) -> str:
        self.state.mkdir(parents=True, exist_ok=True)
        words = ["--state", str(self.state), "--exit-with-parent", str(os.getpid())]
        if self.day is not None:
            words += ["--as-of", self.day.isoformat()]
        # A file, not a pipe: a pipe that nobody reads would stop it after 64 KiB of words.
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "keeprate_emulator", *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                # Ctrl-C reaches the whole foreground group: the emulator must outlive a paid call.
                start_new_session=True,
            )  # fmt: skip
        assert self._process.stdout is not None  # noqa: S101 (asked for just above)
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), _START_TIMEOUT_S)
            return str(json.loads(line)["url"])
        except (TimeoutError, ValueError, KeyError) as fault:
            raise await self._did_not_start() from fault

    async def _did_not_start(self) -> Unreachable:
        await self.stop()
        last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
        return Unreachable(
            "the emulator did not start" + (f": {last[0]}" if last else ""),
            value=str(self._log),
            remedy="read that file, or run python -m keeprate_emulator to see why",
        )

    @property
    def _log(self) -> Path:
        return self.state / "emulator.log"

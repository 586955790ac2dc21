"""The gateway as a child process, for tests that talk to it as others do."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.emulator_process import SOURCE


class GatewayProcess:
    """A running gateway. Use as a context manager, or call `stop`."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def stop(self) -> int:
        """Send SIGTERM and return how it ended; nothing that was paid for is dropped, so it may take its time."""
        self.process.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait for its end."""
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        elif self.process.stdout is not None:
            self.process.stdout.close()


def start_gateway(home: Path, upstream: str, extra: Mapping[str, str] | None = None) -> GatewayProcess:
    """Start `keeprate serve` on a home, with a simulated upstream behind it."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "KEEPRATE_HOME": str(home),
        "KEEPRATE_EMULATOR_URL": upstream,
        "KEEPRATE_DAY_CAP_USD": "1000",
        **(extra or {}),
    }
    program = str(Path(sys.executable).with_name("keeprate"))
    process = subprocess.Popen(
        [program, "serve", "--port", "0", "--json"], stdout=subprocess.PIPE, text=True, env=environ
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(10)
        message = "the gateway did not start; its own words are on standard error"
        raise RuntimeError(message)
    return GatewayProcess(process, json.loads(line)["url"])

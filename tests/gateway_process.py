"""`keeprate serve` as a child process, for tests whose clients are programs of their own. Loopback only."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src"
PROGRAM = "import sys; from keeprate.cli.main import main; sys.exit(main())"


@contextmanager
def serving(home: Path, emulator_url: str, *arguments: str) -> Iterator[Mapping[str, str]]:
    """Serve the home at `home`, with the emulator as its upstream; yield the base URLs by dialect."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(SOURCE),
        "KEEPRATE_HOME": str(home),
        "KEEPRATE_EMULATOR_URL": emulator_url,
        "KEEPRATE_DAY_CAP_USD": "1000",
    }
    command = [sys.executable, "-c", PROGRAM, "serve", "--port", "0", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, "the gateway did not start; its own words are on standard error"
            yield json.loads(line)["base_urls"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

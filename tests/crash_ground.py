"""The ground for kill trials: start the worker, kill it, look at what it left, let it go on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, text

from keeprate.database.engine import open_database
from keeprate.database.schema import attempts
from tests.emulator_process import SOURCE, EmulatorProcess

ROOT = SOURCE.parent


@dataclass(slots=True)
class Killed:
    """What a worker left when it died. `in_sent` counts attempts whose fate only the upstream knows."""

    exit_code: int
    ready_s: float | None
    in_sent: int
    words: str


@dataclass(slots=True)
class Ground:
    """A home, an output folder and an upstream, for one campaign after another."""

    folder: Path
    emulator: EmulatorProcess
    items: int
    kills: list[Killed] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def start(self, failpoint: str = "") -> subprocess.Popen[str]:
        """Start the worker; it has printed nothing yet."""
        self.out.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(
            [
                sys.executable, "-m", "tests.crash_worker",
                str(self.home), self.emulator.url, str(self.out), str(self.items),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{SOURCE}:{ROOT}", "WORKER_FAILPOINT": failpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def run_and_kill(self, after_s: float) -> Killed:
        """Run the worker and SIGKILL it `after_s` after it was ready, unless it was done before."""
        worker = self.start()
        began = time.monotonic()
        assert worker.stdout is not None
        ready = worker.stdout.readline() == "ready\n"
        ready_s = time.monotonic() - began if ready else None
        if ready:
            time.sleep(after_s)
        worker.send_signal(signal.SIGKILL)
        return self._ended(worker, ready_s)

    def run_with(self, failpoint: str = "") -> Killed:
        """Run the worker to its end, which `failpoint` may bring about early."""
        worker = self.start(failpoint)
        began = time.monotonic()
        assert worker.stdout is not None
        ready_s = time.monotonic() - began if worker.stdout.readline() == "ready\n" else None
        return self._ended(worker, ready_s)

    def _ended(self, worker: subprocess.Popen[str], ready_s: float | None) -> Killed:
        out, err = worker.communicate(timeout=300)
        states = self.states()
        left = Killed(worker.returncode, ready_s, states.get("sent", 0), out + err)
        self.kills.append(left)
        return left

    def states(self) -> Counter[str]:
        """Return how many attempts stand in each state, in a database that holds together."""
        if not (self.home / "keeprate.sqlite3").exists():
            return Counter()
        database = open_database(f"sqlite:///{self.home / 'keeprate.sqlite3'}")
        try:
            with database.read() as connection:
                (verdict,) = connection.execute(text("PRAGMA integrity_check")).scalars()
                assert verdict == "ok"
                return Counter(connection.scalars(select(attempts.c.state)))
        finally:
            database.close()

    def forget(self) -> None:
        """Remove home and files: hundreds of campaigns would fill a disk."""
        shutil.rmtree(self.folder)

    def leave_a_draft(self) -> None:
        """Put a file nobody finished, hours ago, where images are stored."""
        for shelf in (self.home / "assets").glob("*/*"):
            draft = shelf / ".tmp-left"
            draft.write_bytes(b"half")
            os.utime(draft, (1, 1))

"""The emulator as a child process, for every test that needs an upstream. Plain blocking calls, loopback only."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

SOURCE = Path(__file__).resolve().parents[1] / "src"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers (lower-case names) and bytes of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class EmulatorProcess:
    """A running emulator. Use as a context manager, or call `stop`."""

    def __init__(self, process: subprocess.Popen[str], url: str, state: Path) -> None:
        self.process = process
        self.url = url
        self.state = state

    @property
    def pid(self) -> int:
        return self.process.pid

    def bill(self, *, offset: int = 0, limit: int | None = None, since: str = "") -> Any:
        """Return `accepted_calls`, `total_nano_usd`, … and `rows`."""
        query = (
            f"?offset={offset}"
            + (f"&limit={limit}" if limit is not None else "")
            + (f"&since={since}" if since else "")
        )
        return self.get(f"/_emulator/bill{query}").json

    def bill_summary(self) -> Any:
        return self.get("/_emulator/bill/summary").json

    def faults(self, *rules: Mapping[str, object]) -> None:
        """Put fault rules in force, behind those already there."""
        answer = self.post("/_emulator/faults", list(rules))
        assert answer.status == 200, answer.body

    def fault(
        self,
        kind: str,
        *,
        times: int | None = None,
        match: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        """Put one rule in force: `fault("error", times=1, code=503)`."""
        rule: dict[str, object] = {"fault": {"kind": kind, **members}, "match": dict(match or {})}
        self.faults(rule | ({} if times is None else {"times": times}))

    def clear_faults(self) -> None:
        self.call("DELETE", "/_emulator/faults")

    def truth(self, name: str) -> Any:
        """Return what was drawn, by response id or SHA-256 of the picture."""
        return self.get(f"/_emulator/truth/{name}").json

    def day(self, day: str) -> None:
        """Set the emulator's day, as `2026-04-15`."""
        assert self.post("/_emulator/clock", {"day": day}).status == 200

    def reset(self) -> None:
        assert self.post("/_emulator/reset", {}).status == 200

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, document: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Post a JSON document with a key and a token, unless `headers` say otherwise."""
        usual = {
            "content-type": "application/json",
            "x-goog-api-key": "a-key",
            "authorization": "Bearer a-token",
        }
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.call("POST", path, body=body, headers=usual if headers is None else headers)

    def call(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
        try:
            with _OPENER.open(request, timeout=120) as answer:
                return Answer(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Send SIGTERM, and SIGKILL where that does not help within ten seconds."""
        self._end(signal.SIGTERM)

    def __enter__(self) -> "EmulatorProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, sign: signal.Signals) -> None:
        if self.process.poll() is None:
            self.process.send_signal(sign)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_emulator(folder: Path, *args: str) -> EmulatorProcess:
    """Start an emulator with its state below `folder`; further arguments are its own, as `--draw fast`.

    Starting again in the same folder takes up the same bill.
    """
    state = folder / "emulator"
    command: Sequence[str] = (
        sys.executable, "-m", "keeprate_emulator", "--state", str(state), "--exit-with-parent", str(os.getpid()), *args,
    )  # fmt: skip
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.kill()
        process.wait(10)
        raise RuntimeError("the emulator did not start; its own words are on standard error")
    return EmulatorProcess(process, json.loads(line)["url"], state)

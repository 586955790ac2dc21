"""The command line in this process, with an emulator that referees what was bought."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keeprate.cli.main import main
from tests.emulator_process import EmulatorProcess, start_emulator


@dataclass(frozen=True, slots=True)
class Ran:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one document on standard output; anything beside it is a failure."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        return self.document["error"]


class Shell:
    """Runs commands as a shell would, and knows how often the upstream accepted a call."""

    def __init__(self, emulator: EmulatorProcess, capture: pytest.CaptureFixture[str]) -> None:
        self.emulator = emulator
        self._capture = capture

    def __call__(self, *arguments: str) -> Ran:
        self._capture.readouterr()
        code = main(arguments)
        captured = self._capture.readouterr()
        return Ran(code, captured.out, captured.err)

    @property
    def accepted(self) -> int:
        return self.emulator.bill_summary()["accepted_calls"]

    @property
    def billed(self) -> int:
        """What the emulator charges for everything so far, in nano-dollars."""
        return self.emulator.bill_summary()["total_nano_usd"]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    with start_emulator(tmp_path_factory.mktemp("upstream"), "--draw", "fast") as running:
        yield running


@pytest.fixture
def shell(
    emulator: EmulatorProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Iterator[Shell]:
    """A shell in an empty folder whose Keeprate buys from the emulator."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KEEPRATE_EMULATOR_URL", emulator.url)
    yield Shell(emulator, capsys)
    emulator.clear_faults()


@pytest.fixture
def real_shell(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The same, but Keeprate takes the emulator for the real thing and a key for it lies about."""
    monkeypatch.delenv("KEEPRATE_EMULATOR_URL")
    monkeypatch.setenv("GEMINI_API_KEY", "a-key-of-the-tests")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", shell.emulator.url)
    return shell

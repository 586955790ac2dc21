"""The installed command itself: how soon it answers, and what Ctrl-C does while a call is paid for."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.emulator_process import EmulatorProcess

SCRIPT = Path(sys.executable).with_name("keeprate")
HEAVY = {"sqlalchemy", "alembic", "aiohttp", "PIL", "asyncio", "msgspec", "rich", "cyclopts", "pysqlite3"}


def _started(url: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [SCRIPT, *arguments],
        env={**os.environ, "KEEPRATE_EMULATOR_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for_a_call(emulator: EmulatorProcess, before: int) -> None:
    deadline = time.monotonic() + 30
    while emulator.bill_summary()["accepted_calls"] == before:
        assert time.monotonic() < deadline, "the call never reached the upstream"
        time.sleep(0.02)


def _quickest(*command: str | Path) -> float:
    times: list[float] = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    return min(times)


def test_help_answers_within_three_tenths_of_a_second_over_bare_python() -> None:
    bare = _quickest(sys.executable, "-c", "pass")
    assert _quickest(SCRIPT, "--help") - bare < 0.3
    assert _quickest(sys.executable, "-c", "import keeprate") - bare < 0.3


@pytest.mark.parametrize("arguments", ["'--help'", "'--version'"])
def test_help_and_version_load_nothing_heavy(arguments: str) -> None:
    probe = (
        "import sys; from keeprate.cli.main import main; "
        f"main([{arguments}]); print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stderr.split()}.isdisjoint(HEAVY)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_one_interruption_finishes_the_paid_call_and_keeps_the_image(
    sign: signal.Signals, emulator: EmulatorProcess
) -> None:
    before = emulator.bill_summary()["accepted_calls"]
    emulator.fault("latency", times=1, latency_ms=1500)
    process = _started(emulator.url, "generate", "a lamp", "--json")
    _wait_for_a_call(emulator, before)
    process.send_signal(sign)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "finishing 1 paid call" in err
    assert json.loads(out)["outcome"] == "image"


def test_two_interruptions_leave_at_once_and_the_row_is_found_unknown(emulator: EmulatorProcess) -> None:
    before = emulator.bill_summary()["accepted_calls"]
    emulator.fault("latency", times=1, latency_ms=20_000)
    process = _started(emulator.url, "generate", "a lamp", "--json")
    _wait_for_a_call(emulator, before)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "finishing 1 paid call" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    assert json.loads(out)["error"]["code"] == "interrupted"

    listed = _started(emulator.url, "attempts", "--unknown", "--json")
    out, _ = listed.communicate(timeout=60)
    assert len(json.loads(out)["attempts"]) == 1


def test_an_interruption_before_anything_is_paid_leaves_at_once(emulator: EmulatorProcess) -> None:
    before = emulator.bill_summary()["accepted_calls"]
    process = _started(emulator.url, "generate", "a lamp")
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in {130, -signal.SIGINT}
    assert emulator.bill_summary()["accepted_calls"] == before


def test_a_stream_that_knows_no_unicode_loses_no_answer() -> None:
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    shown = subprocess.run(
        [SCRIPT, "models"], env=ascii_only, capture_output=True, text=True, check=True, encoding="ascii"
    )
    assert "gemini-3-pro-image" in shown.stdout
    route = [SCRIPT, "route", "ein Schild: „Größe“ 🦊", "--json"]
    done = subprocess.run(route, env=ascii_only, capture_output=True, check=True, encoding="ascii")
    assert json.loads(done.stdout)["payload"]["contents"][0]["parts"][0]["text"] == "ein Schild: „Größe“ 🦊"
    refused = [*route, "--policy", "größer"]
    done = subprocess.run(refused, env=ascii_only, capture_output=True, check=False, encoding="ascii")
    assert json.loads(done.stdout)["error"]["value"] == "größer"


def test_a_reader_that_goes_away_is_no_failure(emulator: EmulatorProcess) -> None:
    pipe = f"{SCRIPT} models show gemini-3-pro-image | head -1"
    done = subprocess.run(pipe, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("gemini-3-pro-image")
    assert "Traceback" not in done.stderr

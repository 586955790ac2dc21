"""At a terminal the first real purchase is asked about, with its route and worst price."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator_process import EmulatorProcess

SCRIPT = Path(sys.executable).with_name("keeprate")


# Gives the command a terminal of its own and passes on what it is told, as `script` does.
AT_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def _asked(url: str, answer: bytes) -> tuple[int, str]:
    """Run `keeprate generate` at a terminal, answer its question, and return its code and its talk."""
    process = subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, SCRIPT, "generate", "a lamp"],
        env={
            **os.environ,
            "GEMINI_API_KEY": "a-key-of-the-tests",
            "GOOGLE_GEMINI_BASE_URL": url,
            "TERM": "xterm",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    said = b""
    while some := os.read(process.stdout.fileno(), 4096):
        said += some
        if answer and said.rstrip().endswith(b"[y/N]"):
            process.stdin.write(answer)
            process.stdin.flush()
            answer = b""
    process.stdin.close()
    process.stdout.close()
    return process.wait(30), said.decode()


@pytest.mark.parametrize("answer", [b"n\n", b"\n", b"\x04"])
def test_anything_but_a_yes_buys_nothing(answer: bytes, emulator: EmulatorProcess) -> None:
    before = emulator.bill_summary()["accepted_calls"]
    code, said = _asked(emulator.url, answer)
    assert code == 2
    assert "The first purchase with real money in this home:" in said
    assert "at most $" in said
    assert said.rstrip().endswith("not bought")
    assert "error" not in said
    assert emulator.bill_summary()["accepted_calls"] == before


def test_ctrl_c_at_the_question_leaves_at_once(emulator: EmulatorProcess) -> None:
    before = emulator.bill_summary()["accepted_calls"]
    code, said = _asked(emulator.url, b"\x03")
    assert code == 130
    assert "may have been paid" not in said
    assert emulator.bill_summary()["accepted_calls"] == before


def test_a_yes_buys_and_is_not_asked_for_again(emulator: EmulatorProcess) -> None:
    before = emulator.bill_summary()["accepted_calls"]
    code, said = _asked(emulator.url, b"y\n")
    assert code == 0
    assert said.count("flash-first, version") == 1  # the question showed the decision already
    code, said = _asked(emulator.url, b"")
    assert code == 0
    assert "[y/N]" not in said
    assert emulator.bill_summary()["accepted_calls"] == before + 2

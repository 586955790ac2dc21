"""The emulator as a program: it starts, survives being killed with its bill, leaves with its parent, and is quick."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.emulator_process import SOURCE, EmulatorProcess, start_emulator
from tests.trust_counts import count, record

PRO = "gemini-3-pro-image"
PATH = f"/v1beta/models/{PRO}:generateContent"


def body_of(text: str, size: str = "1K") -> dict[str, object]:
    return {
        "contents": [{"parts": [{"text": text}]}],
        "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"imageSize": size}},
    }


def answered_until_killed(emulator: EmulatorProcess, calls: int) -> set[str]:
    """Buy from several threads, kill the emulator meanwhile, and return the ids of the answers that arrived."""
    arrived: set[str] = set()

    def buy(number: int) -> None:
        try:
            answer = emulator.post(PATH, body_of(f"cat {number}"))
        except (OSError, http.client.HTTPException):
            return
        arrived.add(answer.json["responseId"])

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(buy, number) for number in range(calls)]
        while len(arrived) < calls // 4 and not all(entry.done() for entry in waiting):
            time.sleep(0.005)
        emulator.kill()
    return arrived


def test_no_answered_call_is_missing_from_the_bill_after_a_kill(tmp_path: Path) -> None:
    rounds, seen, calls = count("emulator-kills", 3, 25), 0, 0
    for _ in range(rounds):
        arrived = answered_until_killed(start_emulator(tmp_path, "--draw", "fast"), 80)
        with start_emulator(tmp_path, "--draw", "fast") as again:
            bill = again.bill()
        billed = {row["response_id"] for row in bill["rows"]}
        assert arrived <= billed
        assert [row["call_no"] for row in bill["rows"]] == list(range(1, len(bill["rows"]) + 1))
        assert bill["total_nano_usd"] == sum(row["nano_usd"] for row in bill["rows"])
        seen, calls = seen + len(arrived), len(billed)
    record("emulator: answered calls lost from its bill in kills", 0, "0", met=True)
    assert 0 < seen <= calls


def test_truth_and_files_survive_too(tmp_path: Path) -> None:
    emulator = start_emulator(tmp_path, "--draw", "fast")
    answer = emulator.post(PATH, body_of("A 'SALE' sign")).json
    emulator.kill()
    with start_emulator(tmp_path, "--draw", "fast") as again:
        assert again.truth(answer["responseId"])["wanted_labels"] == ["SALE"]
        again.reset()
        assert again.bill()["rows"] == []
    with start_emulator(tmp_path, "--draw", "fast") as empty:
        assert empty.bill()["accepted_calls"] == 0


def test_two_runs_under_one_seed_throw_the_same_dice(tmp_path: Path) -> None:
    bills = []
    for name in ("one", "other"):
        with start_emulator(tmp_path / name, "--draw", "fast", "--seed", "3") as emulator:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda n, e=emulator: e.post(PATH, body_of(f"cat {n % 5}")), range(20)))
            bills.append(sorted(row["nano_usd"] for row in emulator.bill()["rows"]))
    assert bills[0] == bills[1]


def test_the_ready_line_names_address_and_process(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    with start_emulator(tmp_path, "--draw", "fast", "--ready-file", str(ready)) as emulator:
        line = json.loads(ready.read_text())
        assert line["url"] == emulator.url
        assert line["pid"] == emulator.pid
        assert line["simulated"] is True
        assert emulator.get("/healthz").json["status"] == "ok"


def test_it_leaves_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'keeprate_emulator', '--exit-with-parent',"
        f" '--draw', 'fast', '--state', {str(tmp_path / 'state')!r}], stdout=subprocess.PIPE, text=True)\n"
        "print(child.stdout.readline(), end='', flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    with parent:
        assert parent.stdout is not None
        child = json.loads(parent.stdout.readline())["pid"]
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 8
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_it_does_not_outlive_a_parent_that_was_gone_before_it_looked(tmp_path: Path) -> None:
    words = ("--exit-with-parent", "1", "--draw", "fast", "--state", str(tmp_path))
    command = (sys.executable, "-m", "keeprate_emulator", *words)
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(SOURCE)}
    )
    assert child.wait(20) in {0, -signal.SIGTERM}


def test_a_profile_of_ones_own_decides_what_goes_wrong(tmp_path: Path) -> None:
    built_in = (SOURCE / "keeprate_emulator/facts/flaws.toml").read_text()
    profile = tmp_path / "always.toml"
    profile.write_text(built_in.replace("misspelt_word = 0.008", "misspelt_word = 1.0"))
    with start_emulator(tmp_path, "--draw", "fast", "--profile", str(profile)) as emulator:
        answer = emulator.post(PATH, body_of("A sign 'BAKERY'")).json
        truth = emulator.truth(answer["responseId"])
    assert truth["wanted_labels"] == ["BAKERY"]
    assert truth["drawn_labels"] != ["BAKERY"]
    assert {"misspelt_word"} <= {flaw["kind"] for flaw in truth["flaws"]}


def test_how_long_a_picture_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for mode, sizes, rounds in (
        ("fast", ("1K", "4K"), count("emulator-draws", 60, 1000)),
        ("full", ("1K",), 8),
    ):
        with start_emulator(tmp_path / mode, "--draw", mode) as emulator:
            for size in sizes:
                emulator.post(PATH, body_of("warm", size))
                opened = http.client.HTTPConnection(emulator.url.removeprefix("http://"))
                took = []
                for number in range(rounds):
                    begun = time.perf_counter()
                    opened.request(
                        "POST",
                        PATH,
                        json.dumps(body_of(f"A 'SALE' sign {number}", size)),
                        {"x-goog-api-key": "k"},
                    )
                    assert opened.getresponse().read()
                    took.append(1000 * (time.perf_counter() - begun))
                opened.close()
                median = sorted(took)[len(took) // 2]
                lines.append(f"emulator --draw {mode} at {size}: median {median:.1f} ms over HTTP")
                if (mode, size) == ("fast", "1K"):
                    record(
                        "emulator: fast picture at 1K over HTTP, median ms",
                        round(median, 1),
                        "<= 15",
                        met=median <= 15,
                    )
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")

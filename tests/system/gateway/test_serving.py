"""The gateway as a process: it says where it is, refuses an open door, and stops without dropping a paid answer."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.emulator_process import EmulatorProcess, start_emulator
from tests.trust_counts import record

pytestmark = pytest.mark.anyio
CLI = (sys.executable, "-c", "import sys; from keeprate.cli.main import main; sys.exit(main())")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory):
    with start_emulator(tmp_path_factory.mktemp("serve"), "--draw", "fast") as running:
        yield running


def command(home: Path, url: str, *words: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "KEEPRATE_HOME": str(home), "KEEPRATE_EMULATOR_URL": url}
    return subprocess.Popen(
        (*CLI, *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )


@contextmanager
def serving(home: Path, url: str, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = command(home, url, "serve", "--port", "0", "--json", *words)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        ready = json.loads(line)
        assert ready["ready"] is True
        assert ready["base_urls"]["openai"] == f"{ready['url']}/v1"
        yield process, ready["url"]
    finally:
        process.kill()
        process.communicate()


async def test_it_is_alive_and_ready(tmp_path: Path, emulator: EmulatorProcess) -> None:
    with serving(tmp_path / "home", emulator.url) as (_, url):
        async with httpx.AsyncClient(base_url=url) as client:
            for path in ("/healthz", "/readyz"):
                answer = await client.get(path)
                assert answer.status_code == 200
                assert answer.headers["x-request-id"].startswith("req_")
            assert (await client.get("/api/budgets")).status_code == 200


async def test_a_stop_refuses_the_new_at_once_and_finishes_what_is_paid_past_the_grace(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    emulator.fault("latency", times=3, latency_ms=2000)
    with serving(tmp_path / "home", emulator.url, "--grace", "0.2") as (process, url):
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            buying = [
                asyncio.create_task(client.post("/api/generate", json={"prompt": f"a boat {number}"}))
                for number in range(3)
            ]
            await asyncio.sleep(0.8)
            process.send_signal(signal.SIGTERM)
            stopped = time.monotonic()
            await asyncio.sleep(0.5)
            with pytest.raises(httpx.ConnectError):
                async with httpx.AsyncClient(base_url=url) as late:
                    await late.get("/healthz")
            refused_s = time.monotonic() - stopped
            answers = await asyncio.gather(*buying)
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert await asyncio.to_thread(process.wait, 10) == 0
    assert refused_s <= 1.0
    record("paid answers lost at a stop", "0 of 3", "0", met=True)
    emulator.clear_faults()


def test_nobody_else_may_reach_it_before_an_admin_key_exists(
    tmp_path: Path, emulator: EmulatorProcess
) -> None:
    home = tmp_path / "home"
    refused = command(home, emulator.url, "serve", "--host", "0.0.0.0", "--port", "0", "--json")
    out, _ = refused.communicate(timeout=30)
    assert refused.returncode == 2
    assert json.loads(out)["error"]["field"] == "host"
    made = command(home, emulator.url, "keys", "create", "admin", "--scopes", "admin", "--json")
    assert json.loads(made.communicate(timeout=30)[0])["scopes"] == ["admin"]
    with serving(home, emulator.url, "--host", "0.0.0.0") as (process, url):
        assert httpx.get(f"{url}/api/keys").status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_port_that_is_taken_is_told(tmp_path: Path, emulator: EmulatorProcess) -> None:
    with serving(tmp_path / "home", emulator.url) as (_, url):
        port = url.rsplit(":", 1)[1]
        second = command(tmp_path / "other", emulator.url, "serve", "--port", port, "--json")
        out, _ = second.communicate(timeout=30)
        assert second.returncode == 2
        assert json.loads(out)["error"]["field"] == "port"

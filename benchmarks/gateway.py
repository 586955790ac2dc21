"""What the gateway costs: CPU and memory per relayed image, beside the same bytes moved with less done to them.

`python benchmarks/gateway.py` prints one table. The upstream is a stub in a process of its own that answers every
call with a picture in base64, another one each time. In front of it stands, one after the other and each in a
process of its own:

    nginx         where it is installed, as a plain proxy
    bare          aiohttp to ASGI: bytes in, bytes out
    bare + store  the same, and the picture decoded, hashed, written and flushed to the disk
    keeprate      the whole gateway: routed, held under a cap, sent, spooled, stored, settled

CPU is that of the process and all its children, user and system, divided by the requests; memory is the peak of
what is resident. Rounds alternate between the systems and the median of the rounds is shown, so that other work on
the machine falls on all alike. No target is absolute but one: the others are ratios within the same run.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.trust_counts import record

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"10 KB": 10_000, "1.5 MB": 1_500_000, "15 MB": 15_000_000}
REQUESTS = {"10 KB": 256, "1.5 MB": 64, "15 MB": 32}
CONCURRENCY = (1, 16)
PATH = "/v1beta/models/gemini-3-pro-image:generateContent"
CALL = json.dumps(
    {"contents": [{"role": "user", "parts": [{"text": "a red boat on a quiet lake"}]}]}
).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One system in one round: CPU per request, the time a request took, and the peak of memory."""

    cpu_ms: float
    wall_ms: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Running:
    """A process that serves on a port."""

    process: subprocess.Popen[str]
    port: int

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def started(name: str, *, size: int = 0, url: str = "", folder: Path | None = None) -> Running:
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "gateway_servers.py"),
        name,
        "--size",
        str(size),
        "--url",
        url,
    ]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        command += ["--folder", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{name} did not start")
    return Running(process, int(line))


NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream stub {{ server 127.0.0.1:{upstream}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://stub; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffers 8 256k; proxy_buffer_size 256k; proxy_busy_buffers_size 512k; proxy_max_temp_file_size 0;
    }}
  }}
}}
"""


def started_nginx(upstream: int, folder: Path) -> Running:
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, upstream=upstream, port=port))
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)], text=True)
    return Running(process, port)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def tree(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    found, at = [pid], 0
    while at < len(found):
        task = Path(f"/proc/{found[at]}/task/{found[at]}/children")
        found += [int(child) for child in task.read_text().split()] if task.exists() else []
        at += 1
    return found


def cpu_s(pid: int) -> float:
    """Return the CPU a process and its descendants have used, those it has waited for too."""
    total = 0
    for one in tree(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def reset_peak(pid: int) -> None:
    for one in tree(pid):
        Path(f"/proc/{one}/clear_refs").write_text("5")


def peak_mb(pid: int) -> float:
    total = 0
    for one in tree(pid):
        line = next(line for line in Path(f"/proc/{one}/status").read_text().splitlines() if "VmHWM" in line)
        total += int(line.split()[1])
    return total * 1024 / 1e6


async def load(port: int, *, requests: int, concurrency: int, least: int) -> float:
    """Send `requests` calls, `concurrency` at a time; return the median wait in ms."""
    left = iter(range(requests))
    waits: list[float] = []
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"x-goog-api-key: not-a-key\r\nContent-Length: {len(CALL)}\r\n\r\n"
    ).encode()

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        for _ in left:
            began = perf_counter()
            writer.write(head + CALL)
            fields = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b" 200 " not in fields.split(b"\r\n", 1)[0] or b"x-keeprate-outcome: failed" in fields:
                raise SystemExit(fields.decode() + (await reader.read(2000)).decode())
            length = int(fields.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            got = 0
            while got < length:
                got += len(await reader.read(1 << 20))
            assert length > least
            waits.append((perf_counter() - began) * 1000)
        writer.close()

    await asyncio.gather(*(caller() for _ in range(concurrency)))
    return statistics.median(waits)


def measured(system: Running, name: str, concurrency: int, requests: int) -> Figures:
    pid = system.process.pid
    reset_peak(pid)
    before = cpu_s(pid)
    wall = asyncio.run(load(system.port, requests=requests, concurrency=concurrency, least=SIZES[name]))
    used = cpu_s(pid) - before
    return Figures(cpu_ms=used * 1000 / requests, wall_ms=wall, peak_mb=peak_mb(pid))


def middle(rounds: list[Figures]) -> Figures:
    return Figures(
        cpu_ms=statistics.median(one.cpu_ms for one in rounds),
        wall_ms=statistics.median(one.wall_ms for one in rounds),
        peak_mb=max(one.peak_mb for one in rounds),
    )


def run_size(name: str, rounds: int, only: str | None) -> dict[tuple[str, int], Figures]:
    """Measure all systems at one size."""
    found: dict[tuple[str, int], list[Figures]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        stub = started("stub", size=SIZES[name])
        systems = all_started(stub.port, folder, only)
        try:
            for running in systems.values():
                asyncio.run(load(running.port, requests=16, concurrency=4, least=SIZES[name]))
            for _ in range(rounds):
                for concurrency in CONCURRENCY:
                    for system, running in systems.items():
                        figures = measured(running, name, concurrency, REQUESTS[name])
                        found.setdefault((system, concurrency), []).append(figures)
                        emptied(folder, system, at_least=REQUESTS[name])
        finally:
            for running in (*systems.values(), stub):
                running.stop()
    return {key: middle(rounds) for key, rounds in found.items()}


def all_started(upstream: int, folder: Path, only: str | None) -> dict[str, Running]:
    """Start what is compared."""
    url = f"http://127.0.0.1:{upstream}"
    systems = {
        system: started(system, url=url, folder=folder / system.replace(" + ", "-"))
        for system in ("bare", "bare + store", "keeprate")
        if only in {None, system}
    }
    if shutil.which("nginx") and only is None:
        systems["nginx"] = started_nginx(upstream, folder / "nginx")
    return systems


def emptied(folder: Path, system: str, *, at_least: int) -> None:
    """Remove the pictures of a round, having seen that there are as many as were sent."""
    places = {"bare + store": "bare-store/*.png", "keeprate": "keeprate/home/assets/*/*/*.png"}
    if system not in places:
        return
    stored: list[Path] = []
    for _ in range(100):  # the simpler system answers before its last pictures are flushed
        stored = list(folder.glob(places[system]))
        if len(stored) >= at_least:
            break
        sleep(0.1)
    else:
        raise SystemExit(f"{system} kept {len(stored)} pictures of {at_least}")
    for path in stored:
        path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One promise: what was measured, what may be, in one unit."""

    name: str
    value: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.most


def targets(name: str, found: dict[tuple[str, int], Figures]) -> list[Target]:
    """Return what this size is held to."""
    made: list[Target] = []
    for concurrency in CONCURRENCY:
        ours, bare = found["keeprate", concurrency].cpu_ms, found["bare", concurrency].cpu_ms
        stored = found["bare + store", concurrency].cpu_ms
        at = f"{name}, {concurrency} at once"
        if name == "10 KB":
            made.append(
                Target(name=f"CPU above the bare stream, {at}", value=ours - bare, most=0.8, unit="ms")
            )
        else:
            most = 1.15 if name == "15 MB" else 1.6
            made.append(Target(name=f"CPU over bare + store, {at}", value=ours / stored, most=most, unit="x"))
    if name == "15 MB":
        peak = found["keeprate", 16].peak_mb
        made.append(Target(name="peak memory with 16 x 15 MB under way", value=peak, most=250, unit="MB"))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", type=Path, help="append the figures to this file as JSON lines")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", dest="sizes", action="append", choices=list(SIZES))
    parser.add_argument("--only", help="one system, to look into it")
    words = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
    if not shutil.which("nginx"):
        print("nginx is not installed, so its rows are left out")
    print(f"{'answer':8} {'at once':>7}  {'system':13} {'CPU ms':>8} {'wait ms':>8} {'peak MB':>8}")
    held: list[Target] = []
    for name in words.sizes or SIZES:
        found = run_size(name, words.rounds, words.only)
        for (system, concurrency), figures in sorted(found.items(), key=lambda one: one[0][1]):
            print(
                f"{name:8} {concurrency:>7}  {system:13} {figures.cpu_ms:8.2f} {figures.wall_ms:8.1f} {figures.peak_mb:8.0f}"
            )
        held += targets(name, found) if words.only is None else []
    if words.record:
        os.environ["KEEPRATE_TRUST_RECORD"] = str(words.record)
    for target in held:
        print(
            f"{'met   ' if target.met else 'MISSED'} {target.name}: {target.value:.2f} {target.unit} (at most {target.most})"
        )
        record(
            f"Gateway: {target.name}",
            round(target.value, 2),
            f"at most {target.most} {target.unit}",
            met=target.met,
        )


if __name__ == "__main__":
    main()

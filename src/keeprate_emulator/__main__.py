"""The program `keeprate-emulator`: one JSON line with its address on standard output, then it serves until stopped."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from datetime import date
from pathlib import Path

from aiohttp import web

from keeprate_emulator.emulator import Emulator, Settings
from keeprate_emulator.parent import when_parent_is_gone
from keeprate_emulator.server import application


def main() -> None:
    """Serve until SIGTERM, SIGINT, or the end of the parent where that was asked for."""
    words = _parser().parse_args()
    state = words.state or Path(tempfile.mkdtemp(prefix="keeprate-emulator-"))
    settings = Settings(state=state, day=words.as_of, draw=words.draw, seed=words.seed, profile=words.profile)
    if words.exit_with_parent is not None:
        when_parent_is_gone(words.exit_with_parent, lambda: os.kill(os.getpid(), signal.SIGTERM))
    asyncio.run(_serve(settings, host=words.host, port=words.port, ready_file=words.ready_file))


async def _serve(settings: Settings, *, host: str, port: int, ready_file: Path | None) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    runner = web.AppRunner(application(Emulator.started(settings)), access_log=None, shutdown_timeout=5.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024)
    await site.start()
    _say_ready(*runner.addresses[0][:2], settings=settings, ready_file=ready_file)
    await stop.wait()
    await runner.cleanup()


def _say_ready(host: str, port: int, *, settings: Settings, ready_file: Path | None) -> None:
    shown = f"[{host}]" if ":" in host else host
    ready = {
        "url": f"http://{shown}:{port}",
        "pid": os.getpid(),
        "state": str(settings.state),
        "simulated": True,
    }
    line = json.dumps(ready) + "\n"
    if ready_file is not None:
        # Written under another name first: whoever waits for the file must never read half a line.
        note = ready_file.with_name(ready_file.name + ".note")
        note.write_text(line, encoding="utf-8")
        note.rename(ready_file)
    sys.stdout.write(line)
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keeprate-emulator",
        description="A stand-in for Google's image API: draws, bills and fails, and never calls a model.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument(
        "--state", type=Path, help="folder for bill, truth and files; a new temporary one if absent"
    )
    parser.add_argument(
        "--as-of", type=date.fromisoformat, metavar="YYYY-MM-DD", help="day to live on; today if absent"
    )
    parser.add_argument(
        "--draw", choices=("full", "fast"), default="full", help="fast: a plain picture per size"
    )
    parser.add_argument(
        "--seed", type=int, default=7, help="seed of flaws, thinking, file types and fault chances"
    )
    parser.add_argument(
        "--profile", type=Path, help="flaw rates (TOML) in place of the built-in invented ones"
    )
    parser.add_argument("--ready-file", type=Path, help="file that gets the ready line as well")
    parser.add_argument(
        "--exit-with-parent",
        nargs="?",
        type=int,
        const=0,
        metavar="PID",
        help="stop when the process that started this one, or the one named, is no longer the parent",
    )
    return parser


if __name__ == "__main__":
    main()

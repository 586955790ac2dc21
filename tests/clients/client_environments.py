"""Vendor SDKs in environments of their own: `make test-clients` fills them, one subprocess each runs in them."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"
LONGEST_RUN_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientReport:
    """What one SDK release said about one run of its script."""

    version: str
    results: Mapping[str, Mapping[str, object]]
    aiohttp: bool


def report(environment: str, script: str, *arguments: str) -> ClientReport:
    """Run `script` with the Python of `environment` and return its report."""
    python = ROOT / ".cache" / "clients" / environment / "bin" / "python"
    if not python.exists():
        message = f"{environment} is not installed: run `make test-clients`"
        raise RuntimeError(message)
    done = subprocess.run(
        [python, SCRIPTS / script, *arguments],
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN_S,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr[-4000:])
    return ClientReport(**json.loads(done.stdout))

"""Measure every published promise at full count and write docs/scoreboard.md: `make trust`.

Parts are the tests marked `trust` and the programs of this folder. A finished part is kept under
.cache/trust/<state of the code>/, so a second call goes on where the first one stopped, and a change of the code
starts anew. A part that failed is run again. What was not measured in this state of the code keeps the row of the
state it was last measured in, under that state's name and day.
"""

import argparse
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCOREBOARD = ROOT / "docs" / "scoreboard.md"
NOT_A_BENCHMARK = {"trust.py", "__init__.py"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing to run: a test by its id, or a benchmark by its file."""

    name: str
    command: tuple[str, ...]
    is_test: bool

    @property
    def slug(self) -> str:
        readable = re.sub(r"[^\w]+", "-", self.name).strip("-")[-80:]
        return f"{readable}-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure, as `tests.trust_counts.record` or a benchmark's `--record` wrote it.

    `state` is the code it was measured in, `day` when.
    """

    figure: str
    value: object
    target: str
    met: bool
    state: str
    day: str


def main() -> int:
    arguments = _arguments()
    if arguments.only_benchmarks:
        return max((_run_openly(part) for part in _benchmarks()), default=0)
    folder = ROOT / ".cache" / "trust" / _state_of_the_code()
    folder.mkdir(parents=True, exist_ok=True)
    parts = (*_tests(), *_benchmarks())
    stop_at = time.monotonic() + arguments.minutes * 60
    left: list[Part] = []
    for number, part in enumerate(parts, start=1):
        place = f"[{number}/{len(parts)}]"
        wanted = arguments.only in part.name and time.monotonic() <= stop_at
        if (folder / f"{part.slug}.jsonl").exists():
            print(f"{place} kept    {part.name}", flush=True)
        elif not wanted or not _measured(part, folder, place):
            left.append(part)
    figures = [figure for part in parts for figure in _figures(_latest(part, folder))]
    SCOREBOARD.write_text(_page(figures, left), encoding="utf-8")
    missed = [figure.figure for figure in figures if not figure.met]
    print(f"{len(figures)} figures in docs/scoreboard.md, {len(missed)} missed, {len(left)} parts left")
    return 1 if missed or left else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="run the parts whose name contains this")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="start no new part after this long")
    parser.add_argument("--only-benchmarks", action="store_true", help="print the tables, write nothing")
    return parser.parse_args()


def _state_of_the_code() -> str:
    """Return a name for what is measured: the commit, and a hash of what was changed since."""
    changed = _git("diff", "HEAD", "--", ".", ":!docs/scoreboard.md")
    suffix = f"-{hashlib.sha256(changed.encode()).hexdigest()[:8]}" if changed else ""
    return _git("rev-parse", "--short=12", "HEAD").strip() + suffix


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def _tests() -> Iterator[Part]:
    command = [sys.executable, "-m", "pytest", "-q", "-m", "trust", "--collect-only", "--no-header"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode not in {0, 5}:
        raise SystemExit(listed.stdout + listed.stderr)
    for line in listed.stdout.splitlines():
        if "::" in line:
            run = (sys.executable, "-m", "pytest", "-q", "--timeout=0", "-p", "no:cacheprovider", line)
            yield Part(name=line, command=run, is_test=True)


def _benchmarks() -> Iterator[Part]:
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        if path.name not in NOT_A_BENCHMARK:
            name = f"benchmarks/{path.name}"
            yield Part(name=name, command=(sys.executable, name), is_test=False)


def _measured(part: Part, folder: Path, place: str) -> bool:
    unfinished = folder / f"{part.slug}.unfinished"
    unfinished.unlink(missing_ok=True)
    command = part.command if part.is_test else (*part.command, "--record", str(unfinished))
    surroundings = {**os.environ, "KEEPRATE_TRUST": "full", "KEEPRATE_TRUST_RECORD": str(unfinished)}
    began = time.monotonic()
    print(f"{place} running {part.name}", flush=True)
    with (folder / f"{part.slug}.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, cwd=ROOT, env=surroundings, stdout=log, stderr=log, check=False)
    verdict = "done" if done.returncode == 0 else f"FAILED, see {Path(log.name).relative_to(ROOT)}"
    print(f"{place} {verdict} in {time.monotonic() - began:.0f} s", flush=True)
    if done.returncode != 0:
        return False
    unfinished.touch()
    unfinished.rename(folder / f"{part.slug}.jsonl")
    return True


def _run_openly(part: Part) -> int:
    print(f"== {part.name}", flush=True)
    return subprocess.run(part.command, cwd=ROOT, check=False).returncode


def _latest(part: Part, folder: Path) -> Path | None:
    """Return what was measured of `part` in this state of the code, else in the latest other."""
    here = folder / f"{part.slug}.jsonl"
    if here.exists():
        return here
    others = folder.parent.glob(f"*/{part.slug}.jsonl")
    return max(others, key=lambda path: path.stat().st_mtime, default=None)


def _figures(path: Path | None) -> list[Figure]:
    if path is None:
        return []
    day = str(datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date())
    rows = path.read_text(encoding="utf-8").splitlines()
    return [Figure(**json.loads(row), state=path.parent.name, day=day) for row in rows]


def _page(figures: Sequence[Figure], left: Sequence[Part]) -> str:
    commit = _git("rev-parse", "--short=12", "HEAD").strip()
    lines = [
        "# Scoreboard",
        "",
        f"Written by `make trust` on {datetime.now(tz=UTC).date()}, commit {commit}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores.",
        "",
        "| figure | measured | target | met | day | commit |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.figure} | {row.value} | {row.target} | {'yes' if row.met else '**no**'} | {row.day} | {row.state} |"
        for row in figures
    ]
    if left:
        lines += ["", "Not measured yet, or failed, in this state of the code:", ""]
        lines += [f"- `{part.name}`" for part in left]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())

"""Fill one virtual environment from one hash-locked requirements file.

    python3 requirements/install.py --env .venv --lock requirements/dev.txt --project

Runs on a bare Python with nothing but the standard library. uv installs in seconds; where it cannot, pip does
the same work from the same lock. Nothing is done when the environment already holds what the lock says.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "requirements" / "uv.txt"
OLDEST = (3, 11)
WITHOUT_ENSUREPIP = """\
This Python cannot make virtual environments: its part `ensurepip` is missing.
On Debian and Ubuntu it is a package of its own; install it and run make again:

    apt-get install python3-venv
"""


def main() -> int:
    arguments = _arguments()
    if sys.version_info < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        return _complain(f"keeprate needs Python 3.11 or newer; `{sys.executable}` is {found}")
    environment: Path = arguments.env
    # Named for the lock, so that the demo's small set and the full set live in one environment.
    stamp = environment / f".installed-{arguments.lock.stem}"
    wanted = _fingerprint(arguments.lock, project=arguments.project)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        stamp.touch()
        return 0
    try:
        _fill(environment, arguments.lock, uv=arguments.uv, project=arguments.project)
    except subprocess.CalledProcessError as failure:
        return _complain(f"set-up failed: {' '.join(map(str, failure.cmd))}")
    stamp.write_text(wanted, encoding="utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", type=Path, required=True)
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--uv", type=Path, help="a uv that is there already, to save fetching another")
    parser.add_argument("--project", action="store_true", help="install this project too, editable")
    return parser.parse_args()


def _fingerprint(lock: Path, *, project: bool) -> str:
    digest = hashlib.sha256(TOOLS.read_bytes() + lock.read_bytes())
    if project:
        import tomllib  # noqa: PLC0415  # not there on the Pythons that main() turns away

        # Only what installing depends on: a changed lint rule must not cost a new set-up.
        declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        digest.update(repr((declared["project"], declared["build-system"])).encode())
    # An environment copied or moved elsewhere is not the one that was filled.
    digest.update(f"{ROOT}{sys.version_info[:2]}".encode())
    return digest.hexdigest() + "\n"


def _fill(environment: Path, lock: Path, *, uv: Path | None, project: bool) -> None:
    python = environment / "bin" / "python"
    if not python.exists():
        _make(environment)
    elif not (environment / "bin" / "pip").exists():
        # Made by another tool, or by a set-up that was stopped half-way.
        _run([python, "-m", "ensurepip", "--default-pip"])
    print(f"Filling {_shown(environment)} from {_shown(lock)}", flush=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    if uv is None or not uv.exists():
        _run([*pip, "--require-hashes", "-r", TOOLS])
        uv = environment / "bin" / "uv"
    # Compiled now, as pip does it, or the first command of a new user waits seconds for it.
    fetch: list[str | Path] = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    if not _works([*fetch, "--require-hashes", "-r", lock]):
        print("uv could not do it; trying pip, which takes longer", flush=True)
        _run([*pip, "--require-hashes", "-r", lock])
    if project:
        _run([*pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", ROOT])


def _make(environment: Path) -> None:
    try:
        import ensurepip  # noqa: F401, PLC0415  # only to see whether it is there
    except ImportError:
        print(WITHOUT_ENSUREPIP, file=sys.stderr)
        raise SystemExit(1) from None
    _run([sys.executable, "-m", "venv", environment])


def _run(command: list[str | Path]) -> None:
    subprocess.run(command, check=True, env=_surroundings())


def _works(command: list[str | Path]) -> bool:
    try:
        _run(command)
    except (subprocess.CalledProcessError, OSError):
        return False
    return True


def _surroundings() -> dict[str, str]:
    # uv brings its own certificates; behind a company proxy the machine's are the right ones, as for pip.
    return {"UV_SYSTEM_CERTS": "1", "UV_LINK_MODE": "copy", **os.environ}


def _shown(path: Path) -> str:
    absolute = path.resolve()
    return str(absolute.relative_to(ROOT)) if absolute.is_relative_to(ROOT) else str(path)


def _complain(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())

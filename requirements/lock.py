"""Write the hash-locked requirements files: `make lock`.

Only names, versions and hashes are written: no registry address and no path of the machine it ran on, so the
locks serve behind any mirror.
"""

import argparse
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PYTHON = "3.11"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--uv", type=Path, default=ROOT / ".venv" / "bin" / "uv")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions allowed")
    parser.add_argument("only", nargs="*", help="locks to write, such as `dev`; all of them by default")
    arguments = parser.parse_args()
    for name, inputs in _locks().items():
        if arguments.only and name not in arguments.only:
            continue
        command = [arguments.uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--no-emit-index-url", "--python-version", PYTHON, "--no-header"]
        command += ["--upgrade"] if arguments.upgrade else []
        target = f"requirements/{name}.txt"
        subprocess.run([*command, "--output-file", target, *inputs], check=True, cwd=ROOT)
        print(f"wrote {target}")


def _locks() -> dict[str, list[str]]:
    # Each is bound by the one before it, because the three fill one environment.
    locks = {
        "uv": ["requirements/uv.in"],
        "dev": ["pyproject.toml", "--all-extras", "--group", "dev", "--constraint", "requirements/uv.txt"],
        "core": ["pyproject.toml", "--constraint", "requirements/dev.txt"],
    }
    for source in sorted(HERE.glob("clients-*.in")):
        locks[source.stem] = [f"requirements/{source.name}"]
    return locks


if __name__ == "__main__":
    main()

"""The `keeprate` command: answers what needs no command at once, and loads the rest when asked."""

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from keeprate.cli import failures
from keeprate.cli.commands import overview
from keeprate.domain.errors import KeeprateError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a sign must not lose the answer to a purchase.
            stream.reconfigure(errors="backslashreplace")
    as_json = "--json" in given[: given.index("--") if "--" in given else None]
    try:
        code = _answer(given)
        failures.put("")  # what was only buffered fails here, where it can be told
    except KeeprateError as error:
        return failures.tell(error, as_json=as_json)
    except KeyboardInterrupt:
        # Elsewhere a command takes Ctrl-C over while it may be paying (`running.Interrupts`).
        return failures.tell_interrupted(as_json=as_json, may_be_paid=sys.platform == "win32")
    except BrokenPipeError:  # the reader of our output went away (`keeprate models | head`)
        sys.stdout = None
        return failures.OK
    return code


def _answer(given: list[str]) -> int:
    if given in ([], ["--help"], ["-h"], ["help"]):
        failures.put(overview() + "\n")
        return failures.OK
    if given == ["--version"]:
        version = import_module("importlib.metadata").version("keeprate")
        failures.put(f"keeprate {version}\n")
        return failures.OK
    # The parser and what it draws with take longer to load than this page takes to print.
    return import_module("keeprate.cli.parsing").run(given)

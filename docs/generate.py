"""Write the reference pages that the code itself can tell: commands, errors, capabilities.

python docs/generate.py            write them
python docs/generate.py --check    complain about those that drifted from the code
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from keeprate.cli.commands import overview
from keeprate.cli.failures import __doc__ as exit_codes
from keeprate.cli.parsing import application
from keeprate.domain import errors

REFERENCE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Written by docs/generate.py from the code; `make docs` renews it. -->\n\n"
ROOT_INDENT = 2


def commands_page() -> str:
    text = application().generate_docs(heading_level=2, flatten_commands=True)
    # The first heading and the list of commands are told better by the program's own first page.
    chapters = re.split(r"(?m)^(?=## )", text)
    described = "".join(chapter for chapter in chapters if chapter.startswith("## keeprate "))
    return f"# Commands\n\n```text\n{overview()}\n```\n\n{described.strip()}\n"


def errors_page() -> str:
    codes = "\n".join((exit_codes or "").split("\n\n")[1:]).strip()
    rows = [
        f"| `{kind.code}` | {kind.__name__} | {kind.exit_code} | {kind.http_status} | {meaning} |"
        for kind, meaning in _tree()
    ]
    return "\n".join(
        [
            "# Errors and exit codes",
            "",
            "Every failure says what is wrong, in which field, and what to do. With `--json` it is one document on",
            'standard output: `{"error": {"code", "message", "field", "value", "remedy"}}`.',
            "",
            "## Exit codes",
            "",
            codes,
            "",
            "## Codes",
            "",
            "| code | error | exit | HTTP | what to do |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _tree() -> list[tuple[type[errors.KeeprateError], str]]:
    """Return each error with what the tree at the top of its file says of it."""
    said: dict[str, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        name, _, meaning = line.strip().partition(" ")
        if isinstance(vars(errors).get(name), type):
            said[name] = meaning.strip()
    return [(vars(errors)[name], meaning) for name, meaning in said.items() if meaning]


PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": commands_page,
    "errors.md": errors_page,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page drifted")
    arguments = parser.parse_args()
    drifted: list[str] = []
    for name, write in PAGES.items():
        page = NOTE + write()
        path = REFERENCE / name
        if path.exists() and path.read_text(encoding="utf-8") == page:
            continue
        drifted.append(name)
        if not arguments.check:
            path.write_text(page, encoding="utf-8")
            print(f"wrote docs/reference/{name}")
    if arguments.check and drifted:
        print(f"docs/reference: {', '.join(drifted)} drifted from the code; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

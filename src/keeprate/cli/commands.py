"""The table of commands, and the page that `keeprate --help` prints from it."""

from dataclasses import dataclass
from typing import Final

SENTENCE: Final = "Route each image request to the route that costs least per image you keep."
EPILOGUE: Final = (
    "Every command takes --json (one document on standard output), --home, --as-of DAY and --help.\n"
    "Exit codes: 0 done, 2 usage, 3 partial, 4 budget, 5 upstream, 6 no image, 7 outcome unknown,\n"
    "130 interrupted. New here? Try: keeprate demo"
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command: the dotted `place` it is loaded from when called, its group and line of help."""

    name: str
    place: str
    group: str
    line: str


COMMANDS: Final = (
    Command("demo", "demo:demo", "Buy", "see one image routed, bought, settled and kept; costs nothing"),
    Command("generate", "generate:generate", "Buy", "buy an image on the route that fits it"),
    Command("edit", "edit:edit", "Buy", "change an image: yours, or one bought before"),
    Command("route", "route:route", "Look first", "show which route would be taken, why, and for how much"),
    Command("estimate", "estimate:estimate", "Look first", "work out what many images cost"),
    Command("models", "models:models", "Look first", "show models, prices, capabilities and their sources"),
    Command("attempts", "attempts:attempts", "Afterwards", "list what was asked of upstreams, newest first"),
    Command(
        "reconcile", "reconcile:reconcile", "Afterwards", "book what the bill says of an unknown attempt"
    ),
    Command("verdict", "verdict:verdict", "Afterwards", "accept or reject an image"),
    Command("report", "report:report", "Afterwards", "show what a kept image cost, per route and purpose"),
    Command("whence", "whence:whence", "Afterwards", "tell where a file comes from: prompt, model, price"),
    Command("budget", "budget:budget", "The house", "set and show caps on money"),
    Command("keys", "keys:keys", "The house", "make and revoke keys with caps of their own"),
    Command(
        "serve", "serve:serve", "The house", "serve the gateway: applications change their base URL to it"
    ),
    Command("doctor", "doctor:doctor", "The house", "find what is wrong, and say what to do"),
    Command("completion", "completion:completion", "The house", "print completions for bash, zsh or fish"),
)


def overview() -> str:
    """Return the first page of help: every command, grouped by when one needs it."""
    lines = ["Usage: keeprate COMMAND [OPTIONS]", "", SENTENCE]
    group = ""
    for command in COMMANDS:
        if command.group != group:
            group = command.group
            lines += ["", group]
        lines.append(f"  {command.name:<12}{command.line}")
    return "\n".join([*lines, "", EPILOGUE])

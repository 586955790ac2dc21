"""With --json every command prints exactly one document, and nothing else, on standard output."""

from pathlib import Path

import pytest

from keeprate.cli.commands import COMMANDS
from tests.system.cli.conftest import Shell

DAY = ("--as-of", "2026-11-21")
LOOKING = [
    ("route", "--purpose", "hero"),
    ("estimate", "--model", "gemini-3-pro-image"),
    ("models",),
    ("models", "--matrix"),
    ("models", "--retired"),
    ("models", "show", "gemini-3-pro-image"),
    ("models", "check"),
    ("models", "record"),
    ("attempts",),
    ("attempts", "--unknown"),
    ("report",),
    ("report", "--simulated", "--since", "2026-11-01"),
    ("budget",),
    ("budget", "set", "hour", "2"),
    ("budget", "resume"),
    ("keys",),
    ("keys", "create", "shop"),
    ("doctor",),
    ("completion", "bash"),
]


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_a_command_prints_one_document(arguments: tuple[str, ...], shell: Shell) -> None:
    ran = shell(*arguments, *DAY, "--json")
    assert ran.code == 0
    assert isinstance(ran.document, dict)
    assert "error" not in ran.document
    assert ran.err == ""


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_a_command_prints_something_a_person_can_read(arguments: tuple[str, ...], shell: Shell) -> None:
    ran = shell(*arguments, *DAY)
    assert ran.code == 0
    assert ran.out.strip()
    assert "\x1b" not in ran.out
    assert "None" not in ran.out
    if arguments[0] != "completion":
        # A longer word, such as a path or the address of a source, is left whole at the end of its line.
        assert max(len(line.rpartition(" ")[0]) for line in ran.out.splitlines()) <= 80


def test_buying_judging_and_looking_back_are_one_document_each(shell: Shell) -> None:
    bought = shell("generate", "a lamp", "--json").document
    continued = shell("edit", "make it green", "--continue", bought["attempt_id"], "--json").document
    origin = shell("whence", continued["file"], "--json").document
    verdict = shell("verdict", continued["file"], "rejected", "--reason", "too green", "--json").document
    refused = shell("reconcile", bought["attempt_id"], "--not-billed", "--json")
    key = shell("keys", "create", "shop", "--json").document
    revoked = shell("keys", "revoke", key["id"], "--json").document
    removed = shell("budget", "remove", "day-cap", "--json").document

    assert origin["lineage"][0]["attempt_id"] == bought["attempt_id"]
    assert verdict["attempt_id"] == continued["attempt_id"]
    assert (refused.code, refused.error["code"]) == (2, "conflict")
    assert revoked == {"id": key["id"], "revoked": True}
    assert "day-cap" not in {budget["id"] for budget in removed["budgets"]}


def test_the_commands_tried_here_are_all_there_are() -> None:
    tried = {arguments[0] for arguments in LOOKING} | {
        "generate", "edit", "whence", "verdict", "reconcile", "demo", "serve",
    }  # fmt: skip
    assert tried == {command.name for command in COMMANDS}


def test_an_empty_home_says_what_to_try(shell: Shell) -> None:
    assert shell("attempts").out == "No attempts yet. Try: keeprate demo\n"
    assert shell("attempts", "--unknown").out == "No attempt is unknown.\n"
    assert "Nothing was bought" in shell("report").out
    assert "keeprate keys create" in shell("keys").out


def test_money_in_a_document_is_an_exact_number(shell: Shell) -> None:
    ran = shell("estimate", "--model", "gemini-3-pro-image", "--count", "3", *DAY, "--json")
    assert '"total_usd": 0.4032' in ran.out


def test_global_options_may_stand_anywhere(shell: Shell, tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    assert shell("--json", "--home", str(home), "attempts").document == {"attempts": []}
    assert home.is_dir()

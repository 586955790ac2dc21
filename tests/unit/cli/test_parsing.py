"""The parser's complaints and the first page of help."""

import json

import pytest

from keeprate.cli.commands import COMMANDS, overview
from keeprate.cli.main import main
from keeprate.cli.parsing import application, globals_last


def test_help_names_every_command() -> None:
    page = overview()
    assert [command.name for command in COMMANDS if f"\n  {command.name} " not in page] == []


def test_the_first_page_of_help_fits_a_terminal() -> None:
    assert max(len(line) for line in overview().splitlines()) <= 100


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_is_printed_at_once(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("Usage: keeprate COMMAND")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("keeprate 0.")


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help_and_takes_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    page = capsys.readouterr().out
    assert "--json" in page
    assert max(len(line) for line in page.splitlines()) <= 80


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--json", "models"], ["models", "--json"]),
        (
            ["--home", "here", "-q", "attempts", "--unknown"],
            ["attempts", "--unknown", "--home", "here", "-q"],
        ),
        (["--as-of=2026-04-15", "route"], ["route", "--as-of=2026-04-15"]),
        (["--json", "generate", "--", "--json"], ["generate", "--json", "--", "--json"]),
        (["models", "--json"], ["models", "--json"]),
    ],
)
def test_options_of_every_command_may_stand_before_it(given: list[str], meant: list[str]) -> None:
    assert globals_last(given) == meant


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (["genrate"], "command", "genrate"),
        (["generate", "two", "words"], "arguments", "words"),
        (["generate", "x", "--colour", "red"], "--colour", "--colour"),
        (["generate", "x", "--size"], "size", None),
        (["whence"], "file", None),
        (["models", "show"], "model", None),
        (["budget", "remove"], "budget_id", None),
    ],
)
def test_what_the_parser_refuses_is_one_document_with_field_and_remedy(
    arguments: list[str], field: str, value: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 2
    captured = capsys.readouterr()
    error = json.loads(captured.out)["error"]
    assert error["code"] == "invalid_request"
    assert (error["field"], error["value"]) == (field, value)
    assert error["remedy"]
    assert captured.err == ""


def test_without_json_a_refusal_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["genrate"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert (
        captured.err
        == "error: there is no command 'genrate'\n  field: command = 'genrate'\n  try: keeprate generate\n"
    )


def test_loading_the_parser_loads_no_command() -> None:
    assert set(application().resolved_commands()) >= {command.name for command in COMMANDS}


def test_an_interruption_has_the_shell_s_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_given: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("keeprate.cli.parsing.run", stopped)
    assert main(["attempts", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "interrupted"

"""The parser: the table of commands as cyclopts sees it, and its complaints in our words."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from cyclopts import App, CycloptsError, MissingArgumentError, Parameter, UnknownCommandError
from cyclopts.exceptions import UnknownOptionError, UnusedCliTokensError

from keeprate.cli import failures
from keeprate.cli.commands import COMMANDS, SENTENCE
from keeprate.domain.errors import InvalidRequest, KeeprateError

# Options of every command that may also stand before it; True where a value follows.
_GLOBAL_OPTIONS: Final = {
    "--json": False,
    "--quiet": False,
    "-q": False,
    "--verbose": False,
    "-v": False,
    "--home": True,
    "--as-of": True,
    "--workspace": True,
}


def application() -> App:
    """Return the parser with its table. A command's module is loaded when it is called."""
    app = App(
        name="keeprate",
        help=SENTENCE,
        version_flags=(),
        default_parameter=Parameter(negative=(), show_default=False),
        help_format="plaintext",
    )
    for command in COMMANDS:
        app.command(f"keeprate.cli.{command.place}", name=command.name, group=command.group)
    return app


def run(given: Sequence[str]) -> int:
    """Parse and run one command, and return its exit code.

    Raises:
        KeeprateError: What the command, or the parser, refused.
    """
    try:
        code = application()(
            globals_last(given), exit_on_error=False, print_error=False, result_action="return_value"
        )
    except CycloptsError as fault:
        raise usage_error(fault) from fault
    return code if isinstance(code, int) else failures.OK


def globals_last(given: Sequence[str]) -> list[str]:
    """Move options that stand before the command behind it, where each command takes them."""
    leading = 0
    while leading < len(given) and given[leading].partition("=")[0] in _GLOBAL_OPTIONS:
        takes_value = _GLOBAL_OPTIONS[given[leading].partition("=")[0]] and "=" not in given[leading]
        leading += 2 if takes_value else 1
    rest = given[leading:]
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *given[:leading], *rest[end:]]


def usage_error(fault: CycloptsError) -> KeeprateError:
    """Return what the parser found wrong, in the same form as every other failure."""
    command = " ".join(["keeprate", *(fault.command_chain or ())])
    ask_help = f"see: {command} --help"
    match fault:
        case UnknownCommandError():
            return _unknown_command(fault, ask_help)
        case UnusedCliTokensError():
            word = (fault.unused_tokens or [""])[0]
            return InvalidRequest(
                f"{word!r} is one word too many",
                field="arguments",
                value=word,
                remedy=f"put a prompt of several words in quotes; {ask_help}"
                if _takes_prompt(fault)
                else ask_help,
            )
        case UnknownOptionError():
            option = fault.token.keyword or fault.token.value
            return InvalidRequest(
                f"{command} has no option {option}", field=option, value=option, remedy=ask_help
            )
        case MissingArgumentError():
            name = _name(fault)
            return InvalidRequest(f"{name} is missing", field=name, remedy=ask_help)
        case _:
            return InvalidRequest(_sentence(fault), field=_name(fault), value=_value(fault), remedy=ask_help)


def _takes_prompt(fault: CycloptsError) -> bool:
    return tuple(fault.command_chain or ())[:1] in {("generate",), ("edit",), ("route",)}


def _unknown_command(fault: UnknownCommandError, ask_help: str) -> KeeprateError:
    word = (fault.unused_tokens or [""])[0]
    near = get_close_matches(word, [command.name for command in COMMANDS], n=1)
    return InvalidRequest(
        f"there is no command {word!r}",
        field="command",
        value=word,
        remedy=f"keeprate {near[0]}" if near else ask_help,
    )


def _name(fault: CycloptsError) -> str:
    """Return the field's name as it stands in JSON: `cleanup_minutes` for --cleanup-minutes."""
    argument = fault.argument
    return "arguments" if argument is None else argument.name.removeprefix("--").replace("-", "_").lower()


def _value(fault: CycloptsError) -> str | None:
    token = getattr(fault, "token", None)
    return token.value if token is not None else None


def _sentence(fault: CycloptsError) -> str:
    return " ".join(str(fault).split())

"""`keeprate completion`: print completions for bash, zsh or fish."""

import sys
from typing import Final

from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import print_document
from keeprate.cli.parsing import application
from keeprate.domain.errors import InvalidValue

SHELLS: Final = ("bash", "zsh", "fish")


def completion(shell: str, /, *, everywhere: Everywhere = EVERYWHERE) -> int:
    """Print completions. For bash: eval "$(keeprate completion bash)".

    Parameters
    ----------
    shell
        bash, zsh or fish.
    """
    if shell not in SHELLS:
        raise InvalidValue(
            f"no completions for {shell!r}",
            field="shell",
            value=shell,
            remedy="use one of: " + ", ".join(SHELLS),
        )
    script = application().generate_completion(shell=shell)
    if everywhere.json:
        print_document({"shell": shell, "script": script})
    else:
        sys.stdout.write(script if script.endswith("\n") else script + "\n")
    return 0

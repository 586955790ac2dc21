"""How often a trust check repeats itself, and where its figures go.

`make test` runs every check at its quick count; `make trust` sets `KEEPRATE_TRUST=full` and collects
what the checks measured, so one test serves both and the scoreboard never holds a figure nobody ran.
"""

import json
import os
from pathlib import Path


def full() -> bool:
    """Return whether this run is the long one that fills the scoreboard."""
    return os.environ.get("KEEPRATE_TRUST") == "full"


def count(name: str, quick: int, full: int) -> int:
    """Return how many repetitions the check called `name` makes in this run.

    `KEEPRATE_TRUST_COUNT_<NAME>` overrides both, to look into one check without waiting for it.
    """
    asked = os.environ.get(f"KEEPRATE_TRUST_COUNT_{name.upper().replace('-', '_')}")
    if asked is not None:
        return int(asked)
    return full if os.environ.get("KEEPRATE_TRUST") == "full" else quick


def record(figure: str, value: object, target: str, *, met: bool) -> None:
    """Append one measured figure for the scoreboard; without `KEEPRATE_TRUST_RECORD` do nothing."""
    destination = os.environ.get("KEEPRATE_TRUST_RECORD")
    if not destination:
        return
    row = {"figure": figure, "value": value, "target": target, "met": met}
    line = json.dumps(row, default=str, ensure_ascii=False) + "\n"
    # One short write in append mode, so parallel workers do not interleave their lines.
    with Path(destination).open("a", encoding="utf-8") as rows:
        rows.write(line)

"""The emulator's own tables: models, prices, pixel grids, invented flaw rates."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any


def table(name: str) -> Mapping[str, Any]:
    """Return one table of this folder, parsed."""
    return tomllib.loads(
        resources.files("keeprate_emulator.facts").joinpath(f"{name}.toml").read_text("utf-8")
    )

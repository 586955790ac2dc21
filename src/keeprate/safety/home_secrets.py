"""A secret of the home's own: drawn once, kept in a file that only its owner reads, never shown."""

import secrets
from pathlib import Path
from typing import Final

from keeprate.safety.paths import Folder
from keeprate.safety.secrets import Secret

_BYTES: Final = 32


def home_secret(home: Path, name: str) -> Secret:
    """Return the secret called `name`, drawn with the first call. Blocks.

    Raises:
        StorageError: The disk refused.
    """
    with Folder.at(home) as folder:
        # Whoever comes second reads what the first wrote, in whatever process.
        kept = folder.read(name)
        if kept is None:
            folder.write_once(name, secrets.token_hex(_BYTES).encode())
            kept = folder.read(name) or b""
    return Secret(kept.decode("ascii"))

"""The page beside a kept file: its whole story as JSON, readable without Keeprate."""

from dataclasses import replace
from typing import Final

import msgspec

from keeprate.domain.provenance import Provenance

SIDECAR_VERSION: Final = 1
SUFFIX: Final = ".json"


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the file.

    `file` is the kept file's name, `sha256` its hash as written; `provenance.image_sha256` is the hash
    of the bytes as the upstream sent them.
    """

    file: str
    sha256: str
    provenance: Provenance
    keeprate_sidecar: int = SIDECAR_VERSION


def written(sidecar: Sidecar) -> bytes:
    """Return the page as indented JSON with a last line break."""
    return msgspec.json.format(msgspec.json.encode(sidecar), indent=2) + b"\n"


def parsed(text: bytes) -> Sidecar | None:
    """Return the sidecar that `text` is; None for any other text, and for versions newer than ours."""
    try:
        found = msgspec.json.decode(text, type=Sidecar)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if found.keeprate_sidecar <= SIDECAR_VERSION else None


def without_prompt(provenance: Provenance) -> Provenance:
    """Return the story with the prompt's hash alone, for owners who keep their prompts to themselves."""
    return replace(provenance, prompt=None)

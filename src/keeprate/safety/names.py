"""Names of files that come from outside: made into slugs, or checked and refused."""

import hashlib
import re
import unicodedata
from typing import Final

from keeprate.domain.errors import InvalidValue

LONGEST_NAME: Final = 255  # bytes, the limit of every common file system
LONGEST_SLUG: Final = 80

# Device names on Windows, with or without an extension (Microsoft, "Naming Files, Paths, and Namespaces").
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}
)
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_UNFIT: Final = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return a name of at most 80 letters a–z, digits and hyphens that stands for `text`.

    Different texts may share a slug; `folder_name` keeps them apart.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    found = _UNFIT.sub("-", plain).strip("-")[:LONGEST_SLUG].strip("-")
    if not found:
        return "x"
    return f"x-{found}" if found in _DEVICES else found


def folder_name(text: str) -> str:
    """Return `text` itself where it is a slug, else its slug with a mark that no other text has."""
    found = slug(text)
    if found == text:
        return found
    return (
        f"{found[: LONGEST_SLUG - 17]}-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:16]}"
    )


def checked_name(name: str, *, field: str) -> str:
    """Return `name` if it can be one file's name on every system.

    Raises:
        InvalidValue: It is empty, a path, reserved, too long, or holds what a name cannot hold.
    """
    why = _fault(name)
    if why is None:
        return name
    raise InvalidValue(
        f"{field} {name!r} cannot be a file name: {why}",
        field=field,
        value=name,
        remedy="use letters, digits, dots and hyphens, at most 255 bytes",
    )


def _fault(name: str) -> str | None:
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    # A name that becomes another under compatibility folding ("․․／") must pass in both shapes.
    for shape in (name, unicodedata.normalize("NFKC", name)):
        if shape.strip(". ") == "":
            return "it names no file"
        if found := _FORBIDDEN.search(shape):
            return f"it holds {found[0]!r}"
        if shape[-1] in ". ":
            return "it ends in a dot or a space"
        if shape.split(".")[0].rstrip().casefold() in _DEVICES:
            return "the name is reserved on Windows"
    return f"it takes {size} bytes" if size > LONGEST_NAME else None


class NameSet:
    """The names already given within one folder; twins that differ by case or form are refused."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def claim(self, name: str, *, field: str) -> str:
        """Return `name`, now taken.

        Raises:
            InvalidValue: It cannot be a file name, or a file system may take it for an earlier one.
        """
        checked_name(name, field=field)
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
        twin = self._taken.get(folded)
        if twin is not None:
            raise InvalidValue(
                f"{field} {name!r} would overwrite {twin!r}",
                field=field,
                value=name,
                remedy="give each file a name that differs by more than case",
            )
        self._taken[folded] = name
        return name

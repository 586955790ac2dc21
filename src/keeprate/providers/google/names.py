"""Names as they may stand in a URL path: whatever else comes, it is refused before it is sent."""

import re

from keeprate.domain.errors import ConfigError

# A "#", "?", "/" or "%" here would send the call, and the key with it, to another resource.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")


def path_name(text: str, *, field: str) -> str:
    """Return `text` if it can stand in a path as it is.

    Raises:
        ConfigError: It holds a character that no model, project or location has.
    """
    if _NAME.match(text) is None or ".." in text:
        raise ConfigError(
            f"{field} {text!r} cannot stand in an address",
            field=field,
            value=text,
            remedy="use letters, digits, dots, dashes and underscores only",
        )
    return text


def path_of(text: str) -> str:
    """Return a path of several names if each can stand in it as it is.

    Raises:
        ConfigError: One holds a character that no name has.
    """
    return "/".join([path_name(name, field="path") for name in text.split("/")])

"""Keys that do not show themselves: not in a log line, a traceback, a repr, a pickle or a JSON document."""

import hmac
from collections.abc import Mapping
from typing import Final, Never

HIDDEN: Final = "••••"

# Compared without case and hyphens, so that every spelling a proxy or SDK uses is met.
_SECRET_HEADERS: Final = frozenset(
    {
        "authorization",
        "proxyauthorization",
        "xgoogapikey",
        "xapikey",
        "apikey",
        "cookie",
        "setcookie",
        "xgoogiamauthorizationtoken",
    }
)


class Secret:
    """A key or token. Only `reveal` gives it out, at the one place that sends it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep `text` to itself."""
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself, to be put on the wire and nowhere else."""
        return self._text

    def equals(self, other: str) -> bool:
        """Return whether `other` is the secret, in a time that does not tell how much of it fits."""
        return hmac.compare_digest(self._text.encode(), other.encode())

    def __bool__(self) -> bool:
        """Return whether there is one."""
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        """Return whether `other` is an equal secret; a plain text never is."""
        return isinstance(other, Secret) and self.equals(other._text)

    def __hash__(self) -> int:
        """Return one hash for all, since a hash of the text could be compared to a list of keys."""
        return hash(Secret)

    def __repr__(self) -> str:
        """Return dots, of one length for all secrets."""
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        """Return dots."""
        return HIDDEN

    def __format__(self, format_spec: str) -> str:
        """Return dots."""
        return HIDDEN

    def __reduce__(self) -> Never:
        """Refuse to be pickled or copied into another process.

        Raises:
            TypeError: Always.
        """
        raise TypeError("a secret is not serialised")


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers fit to be shown: what carries a credential is dots."""
    return {name: HIDDEN if _is_secret(name) else value for name, value in headers.items()}


def _is_secret(header: str) -> bool:
    return header.lower().replace("-", "").replace("_", "") in _SECRET_HEADERS

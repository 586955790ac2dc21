"""What opens an upstream. A secret never shows in a repr, a log line or an error."""

from dataclasses import dataclass, field

from keeprate.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key sent in the `x-goog-api-key` header."""

    value: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be sent as one header line.

        Raises:
            ConfigError: Empty, or holding a blank or a character outside ASCII. The key is not shown.
        """
        if not self.value or not self.value.isascii() or not self.value.isprintable() or " " in self.value:
            raise ConfigError(
                "the API key is empty or holds characters that no key has",
                field="api_key",
                remedy="set GEMINI_API_KEY to the key alone, without quotes, blanks or line ends",
            )


@dataclass(frozen=True, slots=True)
class GoogleDefault:
    """Application Default Credentials, found by `google-auth` the moment a call needs them."""


Credential = ApiKey | GoogleDefault

"""How many tokens a text takes, estimated from its length in UTF-8 bytes alone.

Google puts a token at about four characters (https://ai.google.dev/gemini-api/docs/tokens, read
2026-11-21). The worst case needs no trust in that: a tokenizer that falls back to bytes never makes
more tokens than there are bytes. Limits are checked at three bytes a token, dearer than prose
(four characters) and just right for scripts that write a word in one three-byte sign.
"""

from typing import Final, NamedTuple

TYPICAL_BYTES: Final = 4
CAUTIOUS_BYTES: Final = 3
SPARSE_BYTES: Final = 16  # long, common words in a script of many-byte signs; for the low side only
TURN_TOKENS: Final = 16  # what the wire may wrap around a turn; in the worst case only


class PromptTokens(NamedTuple):
    """The band for one prompt. A tuple, since one is made for every decision."""

    low: int
    expected: int
    worst: int


def prompt_tokens(byte_count: int) -> PromptTokens:
    """Return the tokens a text of `byte_count` UTF-8 bytes takes."""
    return PromptTokens(byte_count // SPARSE_BYTES, -(-byte_count // TYPICAL_BYTES), byte_count + TURN_TOKENS)


def cautious_tokens(byte_count: int) -> int:
    """Return the count held against a model's token limit."""
    return -(-byte_count // CAUTIOUS_BYTES)

"""Chance that repeats: the same request, the same time round, under the same seed, meets the same luck.

Keyed on the request and on how often it came before, not on arrival order, so that concurrent callers do not
disturb each other's dice.
"""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Luck:
    """The dice of one call."""

    key: str

    def dice(self, purpose: str) -> random.Random:
        """Return the dice for one purpose; asking again gives the same throws."""
        return random.Random(f"{self.key}:{purpose}")


class LuckBook:
    """Counts how often each request came."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._seen: Counter[str] = Counter()

    def next(self, request_hash: str) -> Luck:
        """Return the dice for the next time this request comes."""
        self._seen[request_hash] += 1
        return Luck(f"{self._seed}:{request_hash}:{self._seen[request_hash]}")

    def clear(self) -> None:
        """Start counting again."""
        self._seen.clear()


def request_hash(model: str, body: bytes) -> str:
    """Return a short fingerprint of what was asked."""
    return hashlib.sha256(model.encode() + b"\0" + body).hexdigest()[:24]

"""Notices a stolen key: suddenly used from an address never seen with it, and twenty times as often.

Pure: the time is handed in, in seconds that only go forward. Each process watches what it sees itself, so
an alarm needs no agreement; what it leads to, a suspended key, is in the ledger and holds for all.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

# How many times the usual rate, and how many requests a minute at least, are no accident.
TIMES_USUAL: Final = 20
LEAST_A_MINUTE: Final = 20
MINUTE_S: Final = 60.0
# An address is new for so long after its first request; before that a key must have had a life to compare with.
NEW_FOR_S: Final = 600.0
MEMORY_MINUTES: Final = 60
MOST_KEYS: Final = 4096
MOST_ADDRESSES: Final = 256


@dataclass(slots=True, kw_only=True)
class _Life:
    """What is remembered of a key: requests by minute, when it was first seen from where, and the newest."""

    began: float
    minutes: dict[int, int] = field(default_factory=dict[int, int])
    addresses: "OrderedDict[str, float]" = field(default_factory=OrderedDict[str, float])
    strangers: "deque[float]" = field(default_factory=deque[float])


class Velocity:
    """Watches how keys are used."""

    def __init__(self) -> None:
        """Have seen nothing yet."""
        self._lives: OrderedDict[str, _Life] = OrderedDict()

    def saw(self, key: str, address: str, now: float) -> str | None:
        """Count a request of `key` from `address`; return why it is alarming, or None."""
        life = self._lives.setdefault(key, _Life(began=now))
        self._lives.move_to_end(key)
        while len(self._lives) > MOST_KEYS:
            self._lives.popitem(last=False)
        if not self._is_stranger(life, address, now):
            minute = int(now // MINUTE_S)
            life.minutes[minute] = life.minutes.get(minute, 0) + 1
            life.minutes = {at: seen for at, seen in life.minutes.items() if at > minute - MEMORY_MINUTES}
            return None
        life.strangers.append(now)
        while life.strangers[0] <= now - MINUTE_S:
            life.strangers.popleft()
        usual = self.usual_rate(key, now)
        if len(life.strangers) < max(LEAST_A_MINUTE, TIMES_USUAL * usual):
            return None
        return (
            f"{len(life.strangers)} requests within a minute from addresses it was never used from "
            f"(the last is {address}); {usual:.1f} a minute were usual"
        )

    def usual_rate(self, key: str, now: float) -> float:
        """Return the requests a minute from known addresses, over the last hour or the key's life."""
        life = self._lives.get(key)
        if life is None:
            return 0.0
        lived = min(MEMORY_MINUTES, max(1.0, (now - life.began) / MINUTE_S))
        return sum(life.minutes.values()) / lived

    def _is_stranger(self, life: _Life, address: str, now: float) -> bool:
        first = life.addresses.get(address)
        if first is None:
            # Where a key is used in its first minutes is where it lives.
            first = now if now - life.began >= NEW_FOR_S else now - NEW_FOR_S
            life.addresses[address] = first
            while len(life.addresses) > MOST_ADDRESSES:
                life.addresses.popitem(last=False)
        return now - first < NEW_FOR_S

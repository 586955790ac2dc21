"""One of several processes that spend from one key: `python -m tests.cap_worker HOME DATABASE_URL EMULATOR_URL`.

Prints `ready`. Then, for each line {"key", "seed", "count", "at_once"} on standard input, asks for that many pictures of
mixed prices and answers with one line: how many came, how many were refused for the cap, what else
happened, and when the last attempt was let through.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

from keeprate.bootstrap import House, open_house
from keeprate.domain.errors import BudgetExceeded, KeeprateError, SpendingStopped
from keeprate.domain.scopes import Role, Scope
from keeprate.settings import read_settings
from keeprate.workflows.generate import generate
from keeprate.workflows.options import Options

# From $0.03 to $0.24 each.
WISHES = (
    Options(size="1K"),
    Options(size="2K"),
    Options(size="4K"),
    Options(model="gemini-3-pro-image", size="1K"),
    Options(model="gemini-3-pro-image", size="2K"),
    Options(model="gemini-3-pro-image", size="4K"),
)


class Trial:
    def __init__(self, house: House, key: str, seed: int) -> None:
        self.house = house
        self.scope = Scope(workspace="default", key=key, roles=frozenset({Role.BUYER}))
        self.draw = random.Random(seed)
        self.seen: Counter[str] = Counter()
        self.last_sent = 0.0

    async def one(self) -> None:
        wish = self.draw.choice(WISHES)
        try:
            result = await generate(self.house.means, self.scope, "a lamp", wish)
        except BudgetExceeded:
            self.seen["refused"] += 1
        except SpendingStopped:
            self.seen["stopped"] += 1
        except KeeprateError as error:
            self.seen[f"error: {error.code}: {error.message}"] += 1
        else:
            self.seen[str(result.outcome.kind)] += 1
            sent = [row.sent_at.timestamp() for row in result.attempts if row.sent_at is not None]
            self.last_sent = max([self.last_sent, *sent])

    async def run(self, count: int, at_once: int) -> dict[str, object]:
        began, left = time.monotonic(), count

        async def caller() -> None:
            nonlocal left
            while left > 0 and not self.seen["stopped"]:
                left -= 1
                await self.one()

        await asyncio.gather(*(caller() for _ in range(at_once)))
        took = round(time.monotonic() - began, 3)
        return {"seen": self.seen, "last_sent": self.last_sent, "seconds": took}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def serve(home: Path, database: str, emulator: str) -> None:
    environ = {
        "KEEPRATE_DATABASE_URL": database,
        "KEEPRATE_EMULATOR_URL": emulator,
        "KEEPRATE_DAY_CAP_USD": "100000",
    }
    settings = read_settings(environ, cwd=home, home=home)
    os.chdir(home)  # where the pictures are kept
    async with open_house(settings, confirm=None, progress=lambda _: None) as house:
        say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            trial = Trial(house, asked["key"], asked["seed"])
            say(json.dumps(await trial.run(asked["count"], asked["at_once"])))


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))

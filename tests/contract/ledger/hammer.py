"""A process that buys without pause in a home it shares: `python -m tests.contract.ledger.hammer URL HOME N [FAILPOINT]`.

It runs for N seconds (or until it is killed), says what it saw on its last line, and recovers what dead
owners left as it goes.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from keeprate.database.engine import open_database
from keeprate.domain.errors import BudgetExceeded, Conflict, KeeprateError
from keeprate.domain.outcomes import AttemptState
from keeprate.ledger.ledger import SqlLedger, open_ledger
from keeprate.safety.failpoints import arm
from tests.ledger_ground import CENT, NOON, SCOPE, failed, new_attempt, settlement, unknown

CALLERS = 12


async def buy(ledger: SqlLedger, name: str, draw: random.Random) -> str:
    new = new_attempt(name, owner=ledger.owner, hold=draw.randrange(2, 24) * CENT, prompt="a red boat " * 30)
    try:
        await ledger.intend(new)
    except BudgetExceeded:
        return "refused"
    if draw.random() < 0.1:
        await ledger.free(new.id, failed(), NOON)
        return "freed"
    await ledger.sent(new.id, NOON)
    if draw.random() < 0.1:
        await ledger.mark_unknown(new.id, unknown(), NOON)
        bill = draw.choice([None, new.hold])
        await ledger.reconcile(SCOPE, new.id, billed=bill, by="ana", at=NOON)
        return "unknown"
    end = settlement(draw.randrange(new.hold + 1))
    await ledger.settle(new.id, replace(end, image_sha256s=("a" * 64,)))
    return "bought"


async def recover(ledger: SqlLedger) -> int:
    found = 0
    for row in await ledger.orphans():
        try:
            await ledger.adopt(row)
        except Conflict:
            continue  # another process was first
        found += 1
        if row.state is AttemptState.INTENT:
            await ledger.free(row.id, failed("LEFT_BEHIND"), NOON)
        else:
            await ledger.mark_unknown(row.id, unknown("LEFT_BEHIND"), NOON)
    return found


async def hammer(ledger: SqlLedger, seconds: float) -> Counter[str]:
    seen: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    draw = random.Random(ledger.owner)

    async def caller(number: int) -> None:
        done = 0
        while time.monotonic() < ends:
            try:
                seen[await buy(ledger, f"{ledger.owner}-{number}-{done}", draw)] += 1
            except KeeprateError as error:
                seen[f"error: {type(error).__name__}: {error}"] += 1
            done += 1

    async def reader() -> None:
        while time.monotonic() < ends:
            await ledger.attempts(SCOPE, unknown_only=False, limit=20, intent=None)
            await ledger.standings(SCOPE, simulated=False, at=NOON)
            seen["recovered"] += await recover(ledger)
            seen["read"] += 1
            await asyncio.sleep(0.05)

    await asyncio.gather(reader(), *(caller(number) for number in range(CALLERS)))
    return seen


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    url, home, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    arm(sys.argv[4] if len(sys.argv) > 4 else "")
    database = open_database(url)
    ledger = open_ledger(database, home=home)
    say("open")
    seen = asyncio.run(hammer(ledger, seconds))
    ledger.close()
    database.close()
    say(json.dumps(seen))


if __name__ == "__main__":
    main()

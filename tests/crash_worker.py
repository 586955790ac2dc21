"""A run that gets killed: buys a list of items, each under an intent of its own, and keeps the files.

`python -m tests.crash_worker HOME URL OUT COUNT` prints `ready` when the home is open and recovered, and
`done` when every item has ended. Run again after a kill, it takes up where the books say it stands.

Items are of several kinds, so that every place of the money path is passed: what the upstream does to a
prompt with "busy" or "lost" in it is the business of the ground.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from keeprate.domain.budgets import Window
from keeprate.domain.errors import KeeprateError, Throttled
from keeprate.domain.money import usd
from keeprate.domain.outcomes import AttemptState
from keeprate.domain.verdicts import VerdictKind
from keeprate.library.front import Keeprate
from keeprate.settings import read_settings
from keeprate.testing.answers import png
from keeprate.testing.clocks import ImpatientClock
from keeprate.workflows.intents import is_free
from keeprate.workflows.options import Options
from keeprate.workflows.results import Result

# Ten kills with this many under way must leave some of fifty items to finish.
AT_ONCE = 4
LOST = "lost"


def kind_of(number: int) -> str:
    """Return what is special about an item: three of five are plain."""
    return {2: "busy", 3: LOST, 4: "edit"}.get(number % 10, "plain")


@dataclass(frozen=True, slots=True)
class Run:
    keeprate: Keeprate
    out: Path
    gate: asyncio.Semaphore

    async def item(self, number: int) -> str | None:
        async with self.gate:
            try:
                await self.bought(number)
            except KeeprateError as error:
                return f"item {number}: {error.code}: {error.message}"
        return None

    async def bought(self, number: int) -> None:
        kind = kind_of(number)
        options = Options(
            intent=f"item-{number}",
            output=self.out / f"item-{number}.png",
            overwrite=True,
            references=(png(64, 64),) if kind == "edit" else (),
        )
        result = await self.asked_until_served(f"{kind} item {number}", options)
        row = result.attempts[-1]
        if result.images and number % 10 == 1:
            await self.keeprate.verdict(row.id, VerdictKind.ACCEPTED)
        if kind == LOST and row.state is AttemptState.UNKNOWN:
            # A person looked at the bill: it is there.
            await self.keeprate.accounts.reconcile(row.id, billed=row.new.hold)

    async def asked_until_served(self, prompt: str, options: Options) -> Result:
        """Ask again where nothing was bought: the upstream was busy, or is not to be asked just now."""
        while True:
            try:
                result = await self.keeprate.generate(prompt, options=options)
            except Throttled:
                continue
            if not all(is_free(row) for row in result.attempts):
                return result


async def run(home: Path, url: str, out: Path, count: int) -> int:
    environ = {
        "KEEPRATE_EMULATOR_URL": url,
        "KEEPRATE_DAY_CAP_USD": "1000",
        "KEEPRATE_FAILPOINT": os.environ.get("WORKER_FAILPOINT", ""),
    }
    settings = read_settings(environ, cwd=home.parent, home=home)
    async with Keeprate(settings=settings, clock=ImpatientClock()) as keeprate:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await keeprate.accounts.set_budget(Window.MONTH, usd("5000"))
        this = Run(keeprate, out, asyncio.Semaphore(AT_ONCE))
        faults = [fault for fault in await asyncio.gather(*map(this.item, range(count))) if fault]
    for fault in faults:
        sys.stderr.write(fault + "\n")
    sys.stdout.write("done\n")
    return 1 if faults else 0


if __name__ == "__main__":
    _, home_, url_, out_, count_ = sys.argv
    sys.exit(asyncio.run(run(Path(home_), url_, Path(out_), int(count_))))

"""A run that gets killed: buys a list of items, each under an intent of its own, and keeps the files.

`python -m tests.crash_worker HOME URL OUT COUNT` prints `ready` when the home is open and recovered, and
`done` when every item has ended. Run again after a kill, it takes up where the books say it stands.
"""

import asyncio
import os
import sys
from pathlib import Path

from keeprate.domain.errors import KeeprateError
from keeprate.library.front import Keeprate
from keeprate.settings import read_settings
from keeprate.workflows.options import Options

# Ten kills with this many under way must leave some of fifty items to finish.
AT_ONCE = 4


async def run(home: Path, url: str, out: Path, count: int) -> int:
    environ = {
        "KEEPRATE_EMULATOR_URL": url,
        "KEEPRATE_DAY_CAP_USD": "1000",
        "KEEPRATE_FAILPOINT": os.environ.get("WORKER_FAILPOINT", ""),
    }
    settings = read_settings(environ, cwd=home.parent, home=home)
    gate = asyncio.Semaphore(AT_ONCE)
    async with Keeprate(settings=settings) as keeprate:
        sys.stdout.write("ready\n")
        sys.stdout.flush()

        async def one(number: int) -> str | None:
            options = Options(intent=f"item-{number}", output=out / f"item-{number}.png", overwrite=True)
            async with gate:
                try:
                    await keeprate.generate(f"item {number}", options=options)
                except KeeprateError as error:
                    return f"item {number}: {error.code}: {error.message}"
            return None

        faults = [fault for fault in await asyncio.gather(*map(one, range(count))) if fault]
    for fault in faults:
        sys.stderr.write(fault + "\n")
    sys.stdout.write("done\n")
    return 1 if faults else 0


if __name__ == "__main__":
    _, home_, url_, out_, count_ = sys.argv
    sys.exit(asyncio.run(run(Path(home_), url_, Path(out_), int(count_))))

"""One process that answers requests, and may die of it: `python -m tests.claims_worker HOME URL KEY [FAILPOINT]`.

It asks once for one picture, under the idempotency key KEY or, where that is "-", without one, prints how
the answer came about, and does not wait for the client to take it.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

import msgspec

from keeprate.bootstrap import House, open_house
from keeprate.domain.outcomes import OutcomeKind
from keeprate.domain.scopes import Scope
from keeprate.settings import read_settings
from keeprate.workflows.asking import Asking, fingerprint
from keeprate.workflows.claims import Claimed
from keeprate.workflows.generate import generate
from keeprate.workflows.kept_answers import Bought, ImagePiece, KeptAnswer, Piece
from keeprate.workflows.options import Options

PROMPT = "a lamp"


def asking_of(key: str | None, *, prompt: str = PROMPT, workspace: str = "default", **more: object) -> Asking:
    return Asking(
        scope=Scope(workspace=workspace, key="app"),
        fingerprint=fingerprint("POST", "/v1/images/generations", prompt.encode().hex(), {}),
        idempotency_key=key,
        **more,  # type: ignore[arg-type]
    )


async def ask(house: House, asking: Asking, *, prompt: str = PROMPT) -> Claimed:
    """Answer a request as a dialect does."""

    async def buy(intent: str) -> Bought:
        result = await generate(house.means, asking.scope, prompt, Options(intent=intent))
        pieces: list[Piece] = [b'{"data":[']
        for image in result.images:
            pieces += [b'{"b64_json":"', ImagePiece(sha256=image.sha256), b'"}']
        told = {"outcome": str(result.outcome.kind), "reason": result.outcome.raw_reason}
        pieces += [b'],"keeprate":', msgspec.json.encode(told), b"}"]
        is_known = result.outcome.kind is not OutcomeKind.UNKNOWN
        return Bought(answer=KeptAnswer(status=200, pieces=tuple(pieces)), settled=is_known)

    return await house.claims.answer(asking, buy)


async def main(home: Path, url: str, key: str, failpoint: str) -> None:
    environ = {"KEEPRATE_EMULATOR_URL": url, "KEEPRATE_DAY_CAP_USD": "1000", "KEEPRATE_FAILPOINT": failpoint}
    settings = read_settings(environ, cwd=home.parent, home=home)
    os.chdir(home.parent)
    async with open_house(settings, confirm=None, progress=lambda _: None) as house:
        claimed = await ask(house, asking_of(None if key == "-" else key))
        sys.stdout.write(json.dumps({"how": claimed.how, "settled": claimed.settled}) + "\n")


if __name__ == "__main__":
    given = [*sys.argv[1:], ""][:4]
    asyncio.run(main(Path(given[0]), *given[1:]))

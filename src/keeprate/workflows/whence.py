"""Where a file came from: prompt, model, price, verdicts and lineage, from the ledger."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from keeprate.catalogue.cards import PriceRow
from keeprate.domain.attempts import Attempt
from keeprate.domain.errors import NotFound
from keeprate.domain.requests import ImageRequest
from keeprate.domain.scopes import Scope
from keeprate.domain.verdicts import Verdict
from keeprate.workflows.kept import FileTrace
from keeprate.workflows.means import Means

# How a file is known where only its own word leads to an attempt.
STORY: Final = "story"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A file's row in the ledger, and what hangs on it.

    `how` is "bytes" where the file's own hash is on record, "untouched" where it is once the story
    Keeprate put in is taken out, "pixels" where it shows the very pixels in another format, "story" where
    only the file's own word leads to the row.
    `file_sha256` is the file's own hash, `image_sha256` that of the image as it was bought.
    `others` are further attempts that returned the same bytes. `lineage` is the chain of attempts
    whose conversation this one continues, the nearest first.
    """

    path: Path
    file_sha256: str
    image_sha256: str
    how: str
    attempt: Attempt
    request: ImageRequest
    price: PriceRow | None
    verdicts: tuple[Verdict, ...]
    lineage: tuple[Attempt, ...]
    others: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """Return whether the bytes are those that were bought; otherwise the file only says so."""
        return self.how != STORY


async def whence(means: Means, scope: Scope, path: Path) -> Origin:
    """Return where the file at `path` came from.

    Raises:
        NotFound: This workspace bought no such image.
        UnreadableReference: There is no such file, or it is no image.
    """
    trace = await means.keeper.trace(path)
    how, sha256, rows = await _found(means, scope, path, trace)
    if not rows:
        raise NotFound(
            f"{path} was not bought in workspace {scope.workspace!r}",
            field="file",
            value=str(path),
            remedy="name a file that Keeprate wrote, in the home and workspace that bought it",
        )
    row = rows[0]
    request = msgspec.json.decode(row.new.request_json, type=ImageRequest)
    return Origin(
        path=path,
        file_sha256=trace.sha256,
        image_sha256=sha256,
        how=how,
        attempt=row,
        request=request,
        price=await _price(means, scope, row),
        verdicts=tuple(await means.till.ledger.verdicts(scope, row.id)),
        lineage=await _lineage(means, scope, request),
        others=tuple(other.id for other in rows[1:]),
    )


async def _found(
    means: Means, scope: Scope, path: Path, trace: FileTrace
) -> tuple[str, str, tuple[Attempt, ...]]:
    ledger = means.till.ledger
    for how, sha256 in (("bytes", trace.sha256), ("untouched", trace.untouched_sha256)):
        rows = tuple(await ledger.attempts_of_image(scope, sha256))
        if rows:
            return how, sha256, rows
    if trace.attempt_id is None:
        return STORY, trace.sha256, ()
    try:
        row = await ledger.attempt(scope, trace.attempt_id)
    except NotFound:
        return STORY, trace.sha256, ()
    for sha256 in row.image_sha256s:
        # A JPEG that was written out as a PNG has other bytes, and the pixels that were bought.
        if await means.keeper.shows(path, await means.till.assets.read(scope.workspace, sha256)):
            return "pixels", sha256, (row,)
    return STORY, next(iter(row.image_sha256s), trace.sha256), (row,)


async def _price(means: Means, scope: Scope, row: Attempt) -> PriceRow | None:
    """Return the price as it stood when money was booked by it, whatever the facts say today."""
    charged = None if row.charge is None else row.charge.price_id
    kept = await means.till.ledger.price_used(scope, charged or row.new.price_id)
    return None if kept is None else msgspec.json.decode(kept, type=PriceRow)


async def _lineage(means: Means, scope: Scope, request: ImageRequest) -> tuple[Attempt, ...]:
    chain: list[Attempt] = []
    while request.continues is not None:
        row = await means.till.ledger.attempt(scope, request.continues)
        chain.append(row)
        request = msgspec.json.decode(row.new.request_json, type=ImageRequest)
    return tuple(chain)

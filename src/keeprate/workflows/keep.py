"""From the store to a person's folder: every kept file carries its story."""

import hashlib
from dataclasses import replace
from pathlib import Path

from keeprate.domain.attempts import Attempt
from keeprate.domain.errors import InvalidValue, StorageError
from keeprate.domain.money import display
from keeprate.domain.provenance import Provenance, ProvenanceVerdict
from keeprate.domain.requests import ImageRequest
from keeprate.domain.scopes import Scope
from keeprate.domain.verdicts import Verdict
from keeprate.workflows.means import Means
from keeprate.workflows.options import Options
from keeprate.workflows.ports import StoredImage
from keeprate.workflows.results import Result


async def keep(means: Means, scope: Scope, result: Result, options: Options) -> Result:
    """Write the images of `result` where the caller wants them; without a wish they stay in the store."""
    if options.output is None or not result.images:
        return replace(result, files=tuple(image.path for image in result.images))
    means.progress("keeping the file")
    files: list[Path] = []
    notices: list[str] = []
    for place, image in enumerate(result.images, start=1):
        row = _row_of(result, image)
        target = _target(options.output, place, len(result.images))
        try:
            verdicts = await means.till.ledger.verdicts(scope, row.id)
            kept = await means.keeper.keep(
                image,
                target,
                story(result, row, image, verdicts=tuple(verdicts)),
                overwrite=options.overwrite,
                prompt_in_file=options.prompt_in_file,
            )
        except (InvalidValue, StorageError) as fault:
            # It is bought: an error here would hide the purchase, and where the picture is.
            files.append(image.path)
            notices.append(f"the copy failed: {fault.message}; the image is at {image.path}")
            continue
        files.append(kept.path)
        notices.extend(kept.notices)
    return replace(result, files=tuple(files), notices=(*result.notices, *dict.fromkeys(notices)))


async def check_places(means: Means, request: ImageRequest, options: Options) -> None:
    """Refuse, before anything is bought, places the files could not be written to.

    With an intent of the caller's the same files may be there already, from the first time.
    """
    if options.output is None:
        return
    for place in range(1, request.variants + 1):
        target = _target(options.output, place, request.variants)
        await means.keeper.check(target, overwrite=options.overwrite or options.intent is not None)


def _row_of(result: Result, image: StoredImage) -> Attempt:
    return next(row for row in reversed(result.attempts) if image.sha256 in row.image_sha256s)


def _target(output: Path, place: int, count: int) -> Path:
    if count == 1 or output.is_dir():
        return output
    return output.with_name(f"{output.stem}-{place}{output.suffix}")


def story(result: Result, row: Attempt, image: StoredImage, *, verdicts: tuple[Verdict, ...]) -> Provenance:
    """Return what the file of `image` will say of itself."""
    new = row.new
    charge = row.charge
    return Provenance(
        attempt_id=row.id,
        workspace=new.key.workspace,
        image_sha256=image.sha256,
        mime=image.mime,
        width=image.width,
        height=image.height,
        prompt=new.prompt,
        prompt_sha256=hashlib.sha256(new.prompt.encode()).hexdigest(),
        purpose=str(new.purpose),
        model=str(new.route.model),
        served_model=None if charge is None else charge.served_model,
        route=str(new.route),
        upstream=new.route.upstream,
        surface=str(new.surface),
        size=str(new.route.size),
        lane=str(new.lane),
        price_id=new.price_id if charge is None else charge.price_id,
        quote_low_usd=display(new.quote_low),
        quote_expected_usd=display(new.quote_expected),
        quote_worst_usd=display(new.hold),
        charge_usd=None if charge is None else display(charge.amount),
        charge_basis=None if charge is None else str(charge.basis),
        outcome=str(row.state),
        simulated=new.simulated,
        created_at=new.created_at,
        settled_at=row.settled_at,
        reason=result.decision.reason,
        references=tuple(reference.sha256 for reference in result.request.references),
        continues=result.request.continues,
        retries=row.follows,
        verdicts=tuple(_verdict(verdict) for verdict in verdicts),
    )


def _verdict(verdict: Verdict) -> ProvenanceVerdict:
    return ProvenanceVerdict(
        kind=str(verdict.kind),
        reason=verdict.reason,
        cleanup_minutes=verdict.cleanup_minutes,
        judge=verdict.judge,
        judged_at=verdict.judged_at,
    )

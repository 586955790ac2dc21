"""`keeprate whence`: tell where a file comes from."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from keeprate.cli.drawing import SIMULATED
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Facts, Screen, money
from keeprate.cli.running import run
from keeprate.cli.verdict import verdict_as_json
from keeprate.domain.money import display
from keeprate.library.front import Keeprate
from keeprate.workflows.whence import Origin


def whence(file: Path, /, *, everywhere: Everywhere = EVERYWHERE) -> int:
    """Tell where a file comes from: prompt, model, price, verdict and what it was made from.

    Parameters
    ----------
    file
        A kept image, renamed or copied as you like: it is known by its content.
    """

    async def work(keeprate: Keeprate, screen: Screen) -> int:
        origin = await keeprate.whence(file)
        screen.answer(origin_as_json(origin), origin_drawn(origin))
        return 0

    return run(everywhere, work)


def origin_drawn(origin: Origin) -> RenderableType:
    """Return what is known of a file, as lines."""
    row, price = origin.attempt, origin.price
    route = row.new.route
    rows: list[tuple[str, str | Text]] = [] if origin.proven else list(_unproven(origin))
    rows += [
        ("prompt", row.new.prompt),
        ("model", f"{route.model}  {route.size}, {row.new.lane}, by {route.upstream}"),
    ]
    if row.charge is not None:
        rows.append(("price", f"{money(row.charge.amount)}, by {row.charge.basis}"))
    if price is not None:
        said = price.provenance
        rows.append(("price list", f"{said.source}, in force since {said.valid_from}, read {said.seen_on}"))
    rows += [
        ("bought", f"{row.new.created_at:%Y-%m-%d %H:%M} UTC for {row.new.purpose}"),
        ("attempt", row.id),
        ("verdict", _verdict_text(origin)),
    ]
    rows += [("made from", f"reference {one.sha256[:12]}…") for one in origin.request.references]
    rows += [("goes on", f"{earlier.id}: {earlier.new.prompt}") for earlier in origin.lineage]
    if row.new.simulated:
        rows.append(("note", SIMULATED))
    return Facts(*rows)


def origin_as_json(origin: Origin) -> Mapping[str, object]:
    """Return what is known of a file as plain values."""
    row, price = origin.attempt, origin.price
    return {
        "file": str(origin.path),
        "sha256": origin.image_sha256,
        "file_sha256": origin.file_sha256,
        "proven": origin.proven,
        "known_by": origin.how,
        "attempt_id": row.id,
        "prompt": row.new.prompt,
        "purpose": str(row.new.purpose),
        "model": str(row.new.route.model),
        "model_version": row.model_version,
        "size": str(row.new.route.size),
        "surface": str(row.new.surface),
        "upstream": row.new.route.upstream,
        "lane": str(row.new.lane),
        "price_usd": None if row.charge is None else display(row.charge.amount),
        "price_basis": None if row.charge is None else str(row.charge.basis),
        "price_id": row.new.price_id if row.charge is None else row.charge.price_id,
        "price_source": None if price is None else price.provenance.source,
        "price_valid_from": None if price is None else price.provenance.valid_from,
        "price_seen_on": None if price is None else price.provenance.seen_on,
        "bought_at": row.new.created_at,
        "simulated": row.new.simulated,
        "verdict": str(origin.verdicts[-1].kind) if origin.verdicts else None,
        "verdicts": [verdict_as_json(given) for given in origin.verdicts],
        "references": [one.sha256 for one in origin.request.references],
        "lineage": [{"attempt_id": one.id, "prompt": one.new.prompt} for one in origin.lineage],
        "other_attempts": list(origin.others),
    }


def _unproven(origin: Origin) -> Iterator[tuple[str, str | Text]]:
    """Say first that all below is what the file claims: its story can be copied into any picture."""
    claim = "the file's own word, not proven: its pixels are not those that were bought"
    yield "claims", Text(claim, style="bold yellow")
    yield "this file", f"sha256 {origin.file_sha256}"
    yield "original", f"sha256 {origin.image_sha256}"


def _verdict_text(origin: Origin) -> str:
    if not origin.verdicts:
        return "none yet"
    latest = origin.verdicts[-1]
    return str(latest.kind) + (f": {latest.reason}" if latest.reason else "")

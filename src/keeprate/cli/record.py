"""`keeprate models record`: what is known of a connection, and what nobody has found out."""

from collections.abc import Iterator
from datetime import date

from rich.console import RenderableType
from rich.text import Text

from keeprate.catalogue.route_records import RouteRecord
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Facts, Screen
from keeprate.cli.shelf import shelf_for


def record(upstream: str | None = None, /, *, everywhere: Everywhere = EVERYWHERE) -> int:
    """Show what is known of a connection before it is relied on, and what nobody has found out.

    Parameters
    ----------
    upstream
        The name of a connection. Otherwise your first one.
    """
    shelf = shelf_for(everywhere)
    found = shelf.book.record(shelf.upstream(upstream), shelf.day)
    Screen(everywhere).answer(_record_as_json(found, shelf.day), *_record_drawn(found))
    return 0


def _record_drawn(found: RouteRecord) -> Iterator[RenderableType]:
    yield Text(f"{found.upstream}  ({found.surface})", style="bold")
    yield Facts(
        ("models", ", ".join(found.models)),
        *(
            (name.replace("_", " "), Text("unknown", style="yellow") if known is None else known.says)
            for name, known in found.entries
        ),
    )
    if found.unknown:
        yield "\nWhat you find out goes into keeprate.toml, under this upstream, as its `record` table."


def _record_as_json(found: RouteRecord, day: date) -> dict[str, object]:
    return {
        "as_of": day,
        "upstream": found.upstream,
        "surface": str(found.surface),
        "models": list(found.models),
        "record": {
            name: None
            if known is None
            else {
                "says": known.says,
                "source": known.provenance.source,
                "seen_on": known.provenance.seen_on,
                "confidence": str(known.provenance.confidence),
            }
            for name, known in found.entries
        },
        "unknown": list(found.unknown),
    }

"""Pages of a listing. A next token is given only where another entry exists: the vendor's client trips over an empty page."""

from collections.abc import Mapping, Sequence

from keeprate_emulator.refusals import invalid


def page_of(entries: Sequence[object], query: Mapping[str, str], *, name: str) -> dict[str, object]:
    """Return the page that `pageSize` and `pageToken` ask for, under `name`.

    Raises:
        Refusal: 400 for a token or size that is no number.
    """
    size, token = query.get("pageSize") or "50", query.get("pageToken") or "0"
    if not size.isdigit() or not token.isdigit():
        raise invalid("Invalid page size or page token.")
    first = int(token)
    last = first + max(1, int(size))
    page: dict[str, object] = {name: list(entries[first:last])} if entries else {}
    if last < len(entries):
        page["nextPageToken"] = str(last)
    return page

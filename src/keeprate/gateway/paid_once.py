"""A purchase whose client may leave, and an answer played back: what dialects that answer at the end share."""

import asyncio
from collections.abc import AsyncIterator

from keeprate.gateway.exchange import Answer, ClientLeft, End, Pairs, Request
from keeprate.gateway.marks import PREFIX
from keeprate.workflows.asking import Asking
from keeprate.workflows.claim_runs import Buy
from keeprate.workflows.claims import Claimed, Claims, How

_COST = f"{PREFIX}cost-usd"


async def claimed(claims: Claims, request: Request, asking: Asking, buy: Buy) -> Claimed:
    """Return the answer that exists, or what `buy` brings. The purchase goes on if the client leaves.

    Raises:
        ClientLeft: The client has gone; the next who asks the same gets the answer.
        KeeprateError: What `buy` raises.
    """
    opened = await claims.open(asking)
    if isinstance(opened, Claimed):
        return opened
    purchase = claims.begin(opened, buy)
    gone = asyncio.create_task(request.gone(), name="client-watch")
    try:
        await asyncio.wait({purchase, gone}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        await asyncio.shield(opened.left())
        raise
    finally:
        gone.cancel()
    if not purchase.done():
        await opened.left()
        raise ClientLeft
    return purchase.result()


def played(found: Claimed, body: bytes | AsyncIterator[bytes], *, content_type: str) -> Answer:
    """Return the answer of a claim: told again, it cost nothing now, and says where it comes from."""

    async def delivered(end: End) -> None:
        await (found.served() if end is End.SERVED else found.left())

    return Answer(
        status=found.answer.status,
        headers=_headers(found),
        content_type=content_type,
        body=body,
        delivered=delivered,
    )


def _headers(found: Claimed) -> Pairs:
    kept = found.answer.headers
    if found.how is How.BOUGHT:
        return kept
    again = [(name, value) for name, value in kept if name != _COST]
    return [
        *again,
        (_COST, "0"),
        ("idempotent-replayed", "true"),
        (f"{PREFIX}claimed", str(found.how)),
    ]

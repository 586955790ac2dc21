"""A relayed answer kept for whoever asks again, and what an answer says of itself."""

import asyncio
from typing import Final

import pybase64

from keeprate.domain.errors import KeeprateError, Refused
from keeprate.domain.outcomes import AttemptState
from keeprate.gateway.exchange import ClientLeft, End, Pairs, Request
from keeprate.gateway.gemini.passing import downward
from keeprate.gateway.identity import Caller
from keeprate.gateway.marks import PREFIX, Marks, header_text
from keeprate.workflows.asking import Asking, fingerprint
from keeprate.workflows.claim_runs import Turn
from keeprate.workflows.envelopes import Envelope, Wanted
from keeprate.workflows.kept_answers import Bought, ImagePiece, KeptAnswer, Piece
from keeprate.workflows.ports import StoredImage
from keeprate.workflows.relay import Relayed
from keeprate.workflows.reply_shapes import ReplyShape
from keeprate.workflows.tee import Landed, Tee

_JSON_TYPE: Final = "application/json; charset=UTF-8"
_EVENTS: Final = frozenset({ReplyShape.EVENTS, ReplyShape.INTERACTION_EVENTS})


class Keeping:
    """Sees to it that a turn to buy is finished or failed, once, in the paid call's own time."""

    def __init__(self, turn: Turn) -> None:
        """Answer for `turn`."""
        self._turn = turn
        self._is_over = False

    async def brought(self, relayed: Relayed, tee: Tee) -> None:
        """Keep an answer that is stored and booked; one that nobody can be sure of is not kept."""
        if self._ends() and relayed.paid is not None and tee.landed is not None:
            pieces = pieces_of(tee.landed)
            settled = relayed.paid.attempt.state is not AttemptState.UNKNOWN and pieces is not None
            headers = tuple(headers_of(relayed))
            answer = KeptAnswer(status=relayed.status, headers=headers, pieces=pieces or ())
            await self._turn.finish(Bought(answer=answer, settled=settled))

    async def broke_off(self, fault: KeeprateError) -> None:
        """Note that an answer broke off after its beginning had gone out."""
        await self.failed(fault)

    async def failed(self, fault: KeeprateError) -> None:
        """Note that there is no answer."""
        if self._ends():
            await self._turn.failed(fault)

    async def refused(self, relayed: Relayed) -> None:
        """Note an upstream's refusal: what it surely did not charge for may be asked for anew."""
        paid = relayed.paid
        if paid is None or paid.failure is None or not self._ends():
            return
        if paid.attempt.state is AttemptState.UNKNOWN:
            await self._turn.finish(Bought(answer=KeptAnswer(status=relayed.status), settled=False))
        else:
            await self._turn.failed(Refused(str(paid.failure.outcome), remedy="mend the request, or wait"))

    def _ends(self) -> bool:
        was_over, self._is_over = self._is_over, True
        return not was_over


def pieces_of(landed: Landed) -> tuple[Piece, ...] | None:
    """Return an answer in pieces: its text, and its images by hash. None where one could not be stored."""
    pieces: list[Piece] = []
    at = 0
    for draft in landed.spooled.drafts:
        stored = landed.images.get(draft.stand_in)
        if not isinstance(stored, StoredImage):
            return None
        words = pybase64.b64encode(draft.stand_in)
        found = landed.text.index(words, at)
        pieces += [landed.text[at:found], ImagePiece(sha256=stored.sha256)]
        at = found + len(words)
    pieces.append(landed.text[at:])
    return tuple(piece for piece in pieces if piece)


def asking_for(request: Request, caller: Caller, envelope: Envelope, wanted: Wanted) -> Asking:
    """Return the request as claims see it: what was asked, of which model, with which hints."""
    hints = {name: value for name, value in request.headers.pairs if name.startswith(PREFIX)}
    tries = request.headers.get("x-stainless-retry-count") or "0"
    path = f"{envelope.verb}/{envelope.model}?{envelope.errand.query}"
    terms = caller.terms
    flight = (wanted.hints or hints).get("single_flight", hints.get(f"{PREFIX}single-flight"))
    return Asking(
        scope=caller.scope,
        fingerprint=fingerprint("POST", path, envelope.body_sha256, hints),
        idempotency_key=request.headers.get("idempotency-key"),
        is_resend=tries.isdecimal() and tries.strip("0") != "",
        single_flight=terms.single_flight if flight is None else flight in {True, "true", "1"},
    )


async def while_there(request: Request, turn: Turn, relaying: "asyncio.Task[Relayed]") -> Relayed:
    """Return what is passed on; the purchase goes on if the client leaves, and is there for who asks again.

    Raises:
        ClientLeft: The client has gone.
        KeeprateError: Nothing is passed on.
    """
    gone = asyncio.create_task(request.gone(), name="client-watch")
    try:
        await asyncio.wait({relaying, gone}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        relaying.add_done_callback(_leave)
        await asyncio.shield(turn.left())
        raise
    finally:
        gone.cancel()
    if not relaying.done():
        relaying.add_done_callback(_leave)
        await turn.left()
        raise ClientLeft
    return relaying.result()


async def delivered(turn: Turn, relayed: Relayed, end: End) -> None:
    """Note whether the client had the last byte."""
    relayed.leave()
    await (turn.served() if end is End.SERVED else turn.left())


def content_type_of(wanted: Wanted) -> str:
    """Return what a kept answer's body is."""
    return "text/event-stream" if wanted.shape in _EVENTS else _JSON_TYPE


def _leave(relaying: "asyncio.Task[Relayed]") -> None:
    if not relaying.cancelled() and relaying.exception() is None:
        relaying.result().leave()


def marks_of_relayed(relayed: Relayed) -> Pairs:
    """Return what an answer says of itself; its cost where it came whole."""
    paid, new = relayed.paid, relayed.tried.new
    charge = None if paid is None else paid.attempt.charge
    marks = Marks(
        attempt_id=new.id,
        route=new.route,
        reason=relayed.through.decision.reason,
        quote=new.quote_expected,
        outcome=relayed.outcome,
        cost=None if charge is None else charge.amount,
        simulated=new.simulated,
    )
    told = [*marks.headers()]
    if relayed.tried.added:
        told.append((f"{PREFIX}added", ", ".join(relayed.tried.added)))
    if relayed.through.notices:
        told.append((f"{PREFIX}notice", header_text("; ".join(relayed.through.notices))))
    return told


def headers_of(relayed: Relayed) -> Pairs:
    """Return all header fields of an answer but those of its body."""
    return (*downward(relayed.headers), *marks_of_relayed(relayed))

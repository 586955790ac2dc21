"""Attempts as the database keeps them, both ways."""

from msgspec.json import decode, encode
from sqlalchemy import Row

from keeprate.domain.attempts import Attempt, AttemptKey, NewAttempt
from keeprate.domain.charges import Charge, ChargeBasis, Usage
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.outcomes import AttemptState, Outcome, OutcomeKind
from keeprate.domain.purposes import Lane, Purpose, Thinking
from keeprate.domain.routes import ModelId, Route, Surface
from keeprate.ledger.books import Entry, Line
from keeprate.ledger.moments import micros, moment

Cell = str | int | bool | None
Cells = dict[str, Cell]
AnyRow = Row[*tuple[object, ...]]

NO_OUTCOME: Cells = dict.fromkeys(("outcome_kind", "raw_reason", "message", "said"))
NO_CHARGE: Cells = dict.fromkeys(
    (
        *("charge", "charge_basis", "usage_json", "served_model"),
        *("served_lane", "charge_price_id", "charge_certain"),
    )
)

CHANGING = (
    *("owner", "state", "held", *NO_OUTCOME, *NO_CHARGE, "overrun", "sent_us", "settled_us"),
    *("reply_sha256", "image_sha256s", "model_version", "response_id", "reconciled_by"),
)


def attempt_row(line: Line) -> Cells:
    """Return the row of a new attempt."""
    new = line.attempt.new
    return {
        "workspace_id": new.key.workspace,
        "id": new.id,
        "intent": new.key.intent,
        "step": new.key.step,
        "attempt_no": new.key.attempt_no,
        "follows": new.follows,
        "api_key": new.api_key,
        "upstream": new.route.upstream,
        "model": new.route.model,
        "size": new.route.size.value,
        "thinking": new.route.thinking.value,
        "surface": new.surface,
        "lane": new.lane.value,
        "purpose": new.purpose.value,
        "simulated": new.simulated,
        "payload_sha256": new.payload_sha256,
        "quote_low": new.quote_low,
        "quote_expected": new.quote_expected,
        "hold": new.hold,
        "price_id": new.price_id,
        "created_us": micros(new.created_at),
        "booked_us": line.booked_us,
        **changing_cells(line.attempt),
    }


def changing_cells(attempt: Attempt) -> Cells:
    """Return what may differ from one state of an attempt to the next."""
    return {
        "owner": attempt.new.owner,
        "state": attempt.state.value,
        "held": attempt.held,
        **_outcome_cells(attempt.outcome),
        **_charge_cells(attempt.charge),
        "overrun": attempt.overrun,
        "sent_us": None if attempt.sent_at is None else micros(attempt.sent_at),
        "settled_us": None if attempt.settled_at is None else micros(attempt.settled_at),
        "reply_sha256": attempt.reply_sha256,
        "image_sha256s": " ".join(attempt.image_sha256s),
        "model_version": attempt.model_version,
        "response_id": attempt.response_id,
        "reconciled_by": attempt.reconciled_by,
    }


def _outcome_cells(outcome: Outcome | None) -> Cells:
    if outcome is None:
        return NO_OUTCOME
    return {
        "outcome_kind": outcome.kind.value,
        "raw_reason": outcome.raw_reason,
        "message": outcome.message,
        "said": outcome.text,
    }


def _charge_cells(charge: Charge | None) -> Cells:
    if charge is None:
        return NO_CHARGE
    return {
        "charge": charge.amount,
        "charge_basis": charge.basis.value,
        "usage_json": None if charge.usage is None else encode(charge.usage).decode(),
        "served_model": charge.served_model,
        "served_lane": charge.lane.value,
        "charge_price_id": charge.price_id,
        "charge_certain": charge.certain,
    }


def text_row(line: Line) -> Cells:
    """Return the long texts of a new attempt."""
    new = line.attempt.new
    return {
        "workspace_id": new.key.workspace,
        "attempt_id": new.id,
        "prompt": new.prompt,
        "request_json": new.request_json,
        "decision_json": new.decision_json,
    }


def image_rows(line: Line) -> list[Cells]:
    """Return a row for each image the attempt returned."""
    return [
        {
            "workspace_id": line.book.workspace,
            "sha256": sha256,
            "attempt_id": line.attempt.id,
            "position": position,
        }
        for position, sha256 in enumerate(line.attempt.image_sha256s)
    ]


def entry_row(entry: Entry) -> Cells:
    """Return the row of a move of money."""
    new = entry.line.attempt.new
    return {
        "workspace_id": new.key.workspace,
        "attempt_id": new.id,
        "entry_no": entry.entry_no,
        "kind": entry.kind.value,
        "simulated": new.simulated,
        "api_key": new.api_key,
        "booked_us": entry.line.booked_us,
        "at_us": entry.at_us,
        "available": entry.available,
        "held": entry.held,
        "spent": entry.spent,
    }


def line_of(row: AnyRow) -> Line:
    """Return the attempt a row (joined with its texts) holds."""
    return Line(attempt=attempt_of(row), booked_us=row.booked_us)


def attempt_of(row: AnyRow) -> Attempt:
    """Return the attempt a row (joined with its texts) holds, as it was written."""
    return Attempt(
        new=_new(row),
        state=AttemptState(row.state),
        held=NanoUSD(row.held),
        outcome=_outcome(row),
        charge=_charge(row),
        overrun=NanoUSD(row.overrun),
        sent_at=None if row.sent_us is None else moment(row.sent_us),
        settled_at=None if row.settled_us is None else moment(row.settled_us),
        reply_sha256=row.reply_sha256,
        image_sha256s=tuple(row.image_sha256s.split()),
        model_version=row.model_version,
        response_id=row.response_id,
        reconciled_by=row.reconciled_by,
    )


def _new(row: AnyRow) -> NewAttempt:
    return NewAttempt(
        id=row.id,
        key=AttemptKey(
            workspace=row.workspace_id, intent=row.intent, step=row.step, attempt_no=row.attempt_no
        ),
        api_key=row.api_key,
        owner=row.owner,
        route=Route(
            upstream=row.upstream,
            model=ModelId(row.model),
            size=Size(row.size),
            thinking=Thinking(row.thinking),
        ),
        surface=Surface(row.surface),
        lane=Lane(row.lane),
        purpose=Purpose(row.purpose),
        simulated=row.simulated,
        prompt=row.prompt or "",
        request_json=row.request_json or "",
        decision_json=row.decision_json or "",
        payload_sha256=row.payload_sha256,
        quote_low=NanoUSD(row.quote_low),
        quote_expected=NanoUSD(row.quote_expected),
        hold=NanoUSD(row.hold),
        price_id=row.price_id,
        created_at=moment(row.created_us),
        follows=row.follows,
    )


def _outcome(row: AnyRow) -> Outcome | None:
    if row.outcome_kind is None:
        return None
    kind = OutcomeKind(row.outcome_kind)
    return Outcome(kind=kind, raw_reason=row.raw_reason, message=row.message, text=row.said)


def _charge(row: AnyRow) -> Charge | None:
    if row.charge is None:
        return None
    usage = None if row.usage_json is None else decode(row.usage_json, type=Usage)
    return Charge(
        amount=NanoUSD(row.charge),
        basis=ChargeBasis(row.charge_basis),
        usage=usage,
        served_model=row.served_model,
        lane=Lane(row.served_lane),
        price_id=row.charge_price_id,
        certain=row.charge_certain,
    )

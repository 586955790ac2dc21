"""From the ledger's values to what the API says of them."""

from typing import cast

import msgspec
from pydantic import JsonValue

from keeprate.domain.attempts import Attempt
from keeprate.domain.budgets import Standing
from keeprate.domain.money import NanoUSD, display
from keeprate.domain.verdicts import Verdict
from keeprate.gateway.api import told
from keeprate.ledger.keys import KeyRecord, key_as_json
from keeprate.ledger.report import ReportRow
from keeprate.routing.explanations import as_json as decision_as_json
from keeprate.workflows.ports import StoredImage
from keeprate.workflows.results import Result, attempt_as_json

Document = dict[str, JsonValue]
IMAGES = "/api/images"


def document(json_text: str | bytes) -> Document:
    """Return a JSON object we wrote ourselves."""
    return cast("Document", msgspec.json.decode(json_text))


def attempt(row: Attempt) -> told.AttemptTold:
    """Return a row of the ledger."""
    return told.AttemptTold.model_validate(attempt_as_json(row))


def whole_attempt(row: Attempt) -> told.AttemptAnswer:
    """Return a row with what was asked and decided."""
    return told.AttemptAnswer.model_validate(
        {
            **attempt_as_json(row),
            "key": row.new.api_key,
            "request": document(row.new.request_json),
            "decision": document(row.new.decision_json),
            "payload_sha256": row.new.payload_sha256,
            "reply_sha256": row.reply_sha256,
        }
    )


def image(stored: StoredImage) -> told.ImageTold:
    """Return an image and where its bytes are."""
    return told.ImageTold(
        sha256=stored.sha256,
        url=f"{IMAGES}/{stored.sha256}",
        mime=stored.mime,
        width=stored.width,
        height=stored.height,
        bytes=stored.bytes_count,
    )


def result(bought: Result) -> told.ResultAnswer:
    """Return a finished purchase."""
    told_of = bought.as_json()
    decision = cast("Document", dict(decision_as_json(bought.decision)))
    return told.ResultAnswer(
        outcome=str(bought.outcome.kind),
        reason=bought.decision.reason,
        text=bought.outcome.text,
        charge_usd=display(bought.charge),
        held_usd=display(bought.held),
        quote=told.QuoteTold.model_validate(decision["quote"]),
        model=str(told_of["model"]),
        upstream=bought.decision.chosen.route.upstream,
        attempt_id=cast("str | None", told_of["attempt_id"]),
        images=[image(one) for one in bought.images],
        attempts=[attempt(row) for row in bought.attempts],
        decision=decision,
        simulated=bought.simulated,
        partial=bought.is_partial,
        notices=list(bought.notices),
    )


def verdict(given: Verdict) -> told.VerdictTold:
    """Return a judgement."""
    return told.VerdictTold(
        attempt_id=given.attempt_id,
        image=given.image_sha256,
        kind=given.kind.value,
        reason=given.reason,
        cleanup_minutes=given.cleanup_minutes,
        judge=given.judge,
        judged_at=given.judged_at.isoformat(),
    )


def budget(standing: Standing) -> told.BudgetTold:
    """Return a cap and where it stands."""
    cap = standing.budget
    return told.BudgetTold(
        id=cap.id,
        key=cap.key,
        window=str(cap.window),
        limit_usd=display(cap.limit),
        spent_usd=display(standing.spent),
        held_usd=display(standing.held),
        remaining_usd=display(standing.remaining),
        used_percent=standing.used_percent,
        resets_at=None if standing.resets_at is None else standing.resets_at.isoformat(),
        simulated=cap.simulated,
    )


def key(record: KeyRecord) -> told.KeyTold:
    """Return what may be told of a key."""
    return told.KeyTold.model_validate(key_as_json(record))


def report_row(row: ReportRow) -> told.ReportRowTold:
    """Return a group of a report."""
    return told.ReportRowTold(
        purpose=None if row.purpose is None else str(row.purpose),
        route=None if row.route is None else str(row.route),
        day=None if row.day is None else row.day.isoformat(),
        outcome=None if row.outcome is None else str(row.outcome),
        attempts=row.attempts,
        images=row.images,
        accepted=row.accepted,
        rejected=row.rejected,
        spent_usd=display(row.spent),
        held_usd=display(row.held),
        overrun_usd=display(row.overrun),
        cleanup_minutes=row.cleanup_minutes,
        cleanup_usd=display(row.cleanup),
        cost_per_accepted_usd=_maybe(row.cost_per_accepted),
    )


def _maybe(amount: NanoUSD | None) -> str | None:
    return None if amount is None else display(amount)

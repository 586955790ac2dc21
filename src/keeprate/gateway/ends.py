"""A purchase that brought no image, as an error: an answer without an image is never an empty success."""

from keeprate.domain.errors import KeeprateError, NoImage, UpstreamError, UpstreamUnknown
from keeprate.domain.money import display
from keeprate.domain.outcomes import OutcomeKind
from keeprate.workflows.results import Result, remedy_for

_KINDS: dict[OutcomeKind, type[KeeprateError]] = {
    OutcomeKind.UNKNOWN: UpstreamUnknown,
    OutcomeKind.FAILED: UpstreamError,
}


def without_image(result: Result) -> KeeprateError:
    """Return what to tell whoever asked for the images that `result` does not have."""
    outcome = result.outcome
    last = result.attempts[-1].id if result.attempts else None
    return _KINDS.get(outcome.kind, NoImage)(
        f"no image came: {outcome}",
        field="outcome",
        value=str(outcome.kind),
        remedy=remedy_for(outcome, result.attempts),
        facts={
            "outcome": str(outcome.kind),
            "raw_reason": outcome.raw_reason,
            "text": outcome.text,
            "attempt_id": last,
            "charge_usd": display(result.charge),
            "held_usd": display(result.held),
        },
    )

"""What a person is told to do after a failure fits who said no, and why."""

from pathlib import Path

import msgspec
import pytest

from keeprate.domain.outcomes import FailureClass, Outcome, OutcomeKind
from keeprate.providers.google.refusals import refusal
from keeprate.workflows.results import remedy_for

RECORDED = sorted((Path(__file__).parents[3] / "contract" / "refusals").glob("*.json"))


def told(status: int, code: str, message: str) -> str:
    body = msgspec.json.encode({"error": {"code": status, "status": code, "message": message}})
    return remedy_for(refusal(status, {}, body).outcome, ())


@pytest.mark.parametrize(
    ("status", "code", "message", "remedy"),
    [
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "key"),
        (401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", "key"),
        (403, "PERMISSION_DENIED", "The caller does not have permission", "key"),
        (402, "", "Payment Required", "pay the upstream"),
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0, model: x", "pay the upstream"),
        (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", "pay the upstream"),
        (429, "RESOURCE_EXHAUSTED", "Check your plan and billing details.", "later"),
        (404, "NOT_FOUND", "models/x is not found", "another model"),
        (400, "INVALID_ARGUMENT", "Request contains an invalid argument.", "change what the reason names"),
        (503, "UNAVAILABLE", "The model is overloaded.", "later"),
        (308, "", "moved", "base_url"),
    ],
)
def test_a_refusal_comes_with_what_helps_against_it(
    status: int, code: str, message: str, remedy: str
) -> None:
    assert remedy in told(status, code, message)


@pytest.mark.parametrize(
    "reason", ["cannot_connect", "connect_timeout", "name_not_found", "certificate", "tls"]
)
def test_an_upstream_out_of_reach_is_a_matter_of_its_address(reason: str) -> None:
    outcome = Outcome(kind=OutcomeKind.FAILED, raw_reason=reason)
    assert "base_url" in remedy_for(outcome, ())


def test_what_nobody_foresaw_is_left_to_the_reason() -> None:
    outcome = Outcome(kind=OutcomeKind.FAILED, raw_reason="TEAPOT")
    assert "read the reason" in remedy_for(outcome, ())


@pytest.mark.parametrize("sample", RECORDED, ids=lambda path: path.stem)
def test_no_recorded_refusal_is_answered_with_a_shrug(sample: Path) -> None:
    recorded = msgspec.json.decode(sample.read_bytes())["reply"]
    body = recorded.get("body")
    content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
    failure = refusal(recorded["status"], recorded.get("headers", {}), content)
    if failure.failure is not FailureClass.UNKNOWN:
        assert "read the reason" not in remedy_for(failure.outcome, ())

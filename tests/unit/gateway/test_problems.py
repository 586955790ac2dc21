"""Every error in the shape of each dialect, and advice that never leads to paying twice."""

import json

import pytest

from keeprate.domain import errors
from keeprate.domain.errors import BudgetExceeded, InvalidValue, KeeprateError, RateLimited, Throttled
from keeprate.gateway.dispatch import Dialect
from keeprate.gateway.problems import no_such_path, plain, refusal, unexpected, wrong_method

MISFIT = InvalidValue("size 3K is not known", field="size", value="3K", remedy="use 1K")
FULL = BudgetExceeded(
    "the cap is full",
    field="budget",
    value="day-cap",
    remedy="raise it",
    facts={"limit_usd": "5", "remaining_usd": "0.01", "resets_at": "2026-11-22T00:00:00+00:00"},
)


def answered(error: KeeprateError, dialect: Dialect) -> tuple[int, dict[str, str], dict[str, object]]:
    answer = refusal(error, dialect, request_id="req_1")
    assert isinstance(answer.body, bytes)
    return answer.status, dict(answer.headers), json.loads(answer.body)


def test_openai_reads_message_type_param_and_code() -> None:
    status, _, body = answered(MISFIT, Dialect.OPENAI)
    assert status == 400
    assert body == {
        "error": {
            "message": "size 3K is not known (use 1K)",
            "type": "invalid_request_error",
            "param": "size",
            "code": "invalid_value",
        }
    }


@pytest.mark.parametrize("dialect", [Dialect.GEMINI, Dialect.VERTEX])
def test_google_reads_code_status_and_details(dialect: Dialect) -> None:
    status, _, body = answered(FULL, dialect)
    assert status == 402
    error = body["error"]
    assert isinstance(error, dict)
    assert (error["code"], error["status"]) == (402, "RESOURCE_EXHAUSTED")
    (info,) = error["details"]
    assert info["reason"] == "BUDGET_EXCEEDED"
    assert info["metadata"]["remaining_usd"] == "0.01"


@pytest.mark.parametrize("dialect", [Dialect.API, Dialect.OPS])
def test_our_own_routes_answer_with_a_problem(dialect: Dialect) -> None:
    answer = refusal(MISFIT, dialect, request_id="req_1")
    assert answer.content_type == "application/problem+json"
    body = answered(MISFIT, dialect)[2]
    assert body["type"] == "urn:keeprate:problem:invalid_value"
    assert (body["title"], body["status"], body["field"]) == ("Bad Request", 400, "size")


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_full_cap_says_limit_rest_reset_and_not_to_retry(dialect: Dialect) -> None:
    status, headers, _ = answered(FULL, dialect)
    assert status == 402
    assert headers["x-keeprate-limit-usd"] == "5"
    assert headers["x-keeprate-remaining-usd"] == "0.01"
    assert headers["x-keeprate-reset"].startswith("2026-11-22")
    assert headers["x-should-retry"] == "false"


def _every_error() -> list[type[KeeprateError]]:
    own = {errors.Throttled, errors.TooBusy, errors.RateLimited, errors.Overloaded}
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, KeeprateError) and kind not in own
    ]


def test_a_client_is_told_to_send_again_only_where_nothing_was_sent() -> None:
    for kind in _every_error():
        headers = answered(kind("no"), Dialect.OPENAI)[1]
        assert headers["x-should-retry"] == ("true" if kind is errors.Unreachable else "false"), kind


@pytest.mark.parametrize(
    ("error", "after", "again"),
    [
        (RateLimited("slow down", retry_after_s=0.2), "1", "true"),
        (Throttled("quota", retry_after_s=12.4, remedy=None), "13", "true"),
        (Throttled("per day", retry_after_s=None, remedy=None), None, "false"),
    ],
)
def test_a_wait_that_helps_is_told_in_whole_seconds(
    error: KeeprateError, after: str | None, again: str
) -> None:
    headers = answered(error, Dialect.GEMINI)[1]
    assert (headers.get("retry-after"), headers["x-should-retry"]) == (after, again)


def test_a_wrong_method_names_the_right_ones_and_a_fault_tells_nothing() -> None:
    assert answered(wrong_method("PUT", ("GET", "POST")), Dialect.API)[1]["allow"] == "GET, POST"
    assert answered(no_such_path("/x"), Dialect.API)[0] == 404
    assert answered(unexpected(), Dialect.API)[2]["code"] == "internal_fault"
    assert answered(errors.Unauthenticated("no"), Dialect.API)[1]["www-authenticate"] == "Bearer"


def test_words_of_others_become_json_whatever_they_are() -> None:
    odd = {"a": "\ud800", 1: (1 << 70, -5, 2.5, float("nan"), None, True, object)}
    told = json.loads(json.dumps(plain(odd)))
    assert told["a"] == "?"
    assert told["1"][:3] == [str(1 << 70), -5, 2.5]

"""Error answers on demand: Google's bodies with their details, and those of a proxy in between.

Shapes from quota errors quoted in google-gemini/gemini-cli issues 8437 and 13112 and googleapis/js-genai issue 1322
(2025-09 to 2025-11). The identifier of the spend window is the emulator's own: no body of that cause was found.
"""

from collections.abc import Mapping

from keeprate_emulator.faults import Fault
from keeprate_emulator.refusals import Refusal

_TYPE = "type.googleapis.com/google.rpc."
_HELP: Mapping[str, object] = {
    "@type": _TYPE + "Help",
    "links": [
        {
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }
    ],
}
_METRIC = "generativelanguage.googleapis.com/"
_QUOTA: Mapping[str, tuple[str, str, str]] = {
    "limit_zero": (_METRIC + "generate_content_free_tier_requests", "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "0"),
    "per_minute": (_METRIC + "generate_requests_per_model", "GenerateRequestsPerMinutePerProjectPerModel", "20"),
    "per_day": (_METRIC + "generate_requests_per_model_per_day", "GenerateRequestsPerDayPerProjectPerModel", "250"),
    "spend_window": (_METRIC + "spend", "SpendPer10MinutesPerProject", "10"),
}  # fmt: skip
_MESSAGES: Mapping[int, str] = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials.",
    402: "Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing.",
    403: "Permission denied on resource project.",
    404: "Requested entity was not found.",
    408: "The request timed out.",
    429: "Resource has been exhausted (e.g. check quota).",
    500: "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
    503: "The model is overloaded. Please try again later.",
    504: "Deadline expired before operation could complete.",
}


def refusal_for(fault: Fault, model_id: str) -> Refusal:
    """Return the error of an `error` or `stream_error` fault."""
    if fault.cause == "failed_precondition":
        message = "User location is not supported for the API use without a billing account linked."
        return Refusal(400, fault.message or message, status="FAILED_PRECONDITION")
    if fault.cause == "api_key_invalid":
        return Refusal(400, "API key not valid. Please pass a valid API key.", details=(_BAD_KEY,))
    if fault.code == 429 and fault.cause:
        return _over_quota(fault, model_id)
    details = (_retry_info(fault.retry_after_s),) if fault.retry_after_s else ()
    message = fault.message or _MESSAGES.get(fault.code, "The request failed.")
    return Refusal(fault.code, message, details=details)


def proxy_page(code: int) -> bytes:
    """Return what a proxy in front of the API says: no JSON, and no word about billing."""
    title = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable"}.get(code, f"{code} Error")
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


_BAD_KEY: Mapping[str, object] = {
    "@type": _TYPE + "ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
    "metadata": {"service": "generativelanguage.googleapis.com"},
}


def _over_quota(fault: Fault, model_id: str) -> Refusal:
    metric, quota_id, limit = _QUOTA[fault.cause]
    violation = {
        "quotaMetric": metric,
        "quotaId": quota_id,
        "quotaDimensions": {"location": "global", "model": model_id},
        "quotaValue": limit,
    }
    wait = fault.retry_after_s or {"per_minute": 39, "limit_zero": 39}.get(fault.cause, 0)
    details: list[Mapping[str, object]] = [
        {"@type": _TYPE + "QuotaFailure", "violations": [violation]},
        _HELP,
    ]
    if wait:
        details.append(_retry_info(wait))
    message = (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n"
        f"* Quota exceeded for metric: {metric}, limit: {limit}, model: {model_id}"
    )
    if wait:
        message += f"\nPlease retry in {wait}s."
    return Refusal(429, fault.message or message, details=tuple(details))


def _retry_info(seconds: int) -> Mapping[str, object]:
    return {"@type": _TYPE + "RetryInfo", "retryDelay": f"{seconds}s"}

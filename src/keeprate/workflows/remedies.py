"""What to do after an attempt that failed: it depends on who said no, and why.

Upstreams speak in Google's canonical codes (https://google.aip.dev/193) or in bare HTTP statuses; what we
saw ourselves, and which of its causes a 429 has, are words of ours.
"""

from typing import Final

from keeprate.domain.outcomes import Outcome

_ADD_MONEY: Final = (
    "pay the upstream: its account has no credit or no billing; waiting does not help, another upstream may"
)
_MEND_KEY: Final = (
    "check the upstream's key with `keeprate doctor`: it must be valid, unrestricted and of a project that may "
    "use this model"
)
_MEND_ADDRESS: Final = "check base_url of the upstream, and this machine's network, with `keeprate doctor`"
_MEND_REQUEST: Final = "change what the reason names: the same request is refused again"
_OTHER_MODEL: Final = "pin another model with --model: this one does not answer there; see: keeprate models"
_WAIT: Final = "try again later, or buy elsewhere with --upstream or --model"
_ANYTHING: Final = "read the reason; try again later, or pin another model with --model"

# A key that is none is told as a bad argument, so the sentence is read before the code.
_BY_SENTENCE: Final = (
    (("api key not valid", "api key expired", "api_key_invalid", "api key was reported"), _MEND_KEY),
    (("prepay", "credits are depleted", "billing account", "enable billing"), _ADD_MONEY),
)
# Parts of a reason, the narrow ones first: "RESOURCE_EXHAUSTED (per_day)".
_BY_REASON: Final = (
    (("no_billing", "prepay_empty", "http_402"), _ADD_MONEY),
    (("per_day",), "wait until the upstream's day is over, or buy elsewhere with --upstream or --model"),
    (("UNAUTHENTICATED", "PERMISSION_DENIED", "http_401", "http_403"), _MEND_KEY),
    (("NOT_FOUND", "http_404"), _OTHER_MODEL),
    (("name_not_found", "certificate", "tls", "bad_address"), _MEND_ADDRESS),
    (("cannot_connect", "connect_timeout"), f"{_MEND_ADDRESS}; then try again"),
    (("FAILED_PRECONDITION",), "see that the upstream serves your country and that billing is on there"),
    (
        ("INVALID_ARGUMENT", "OUT_OF_RANGE", "http_400", "http_413", "http_414", "http_415", "http_422"),
        _MEND_REQUEST,
    ),
    (
        ("http_30",),
        "point base_url of the upstream at where it has moved to; nothing is followed there unasked",
    ),
    (("RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL", "DEADLINE", "ABORTED", "http_5", "429"), _WAIT),
    (("UNREADABLE_IMAGE",), "it is paid for, and its bytes stay in the spool of the home; buy it again"),
    (("NOT_ATTEMPTED",), "run the same command again; nothing was bought"),
)


def after_failure(outcome: Outcome) -> str:
    """Return what to do after a failed attempt, by the upstream's reason and sentence."""
    said, reason = (outcome.message or "").lower(), outcome.raw_reason or ""
    for words, remedy in _BY_SENTENCE:
        if any(word in said for word in words):
            return remedy
    for words, remedy in _BY_REASON:
        if any(word in reason for word in words):
            return remedy
    return _ANYTHING

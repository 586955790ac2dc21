"""Every error Keeprate raises on purpose, split by what the caller should do next.

KeeprateError
  InvalidRequest          mend the request; nothing was sent
    InvalidValue            a field holds something it cannot hold
    UnreadableReference     a reference image cannot be opened, is a bomb, or is no image
    UnknownModel            no such model id; a near one may be suggested
    ModelRetired            the model's day has passed; the successor is named
    NotFound                no such attempt, key, budget or file in this workspace
    NotAllowedHere          the path is right and the method is not
    TooLarge                the body is larger than may be sent
  AccessError             who asks may not; nothing was sent
    Unauthenticated         no key, or none that is valid
    Forbidden               the key's terms do not allow it
  TooBusy                 come back after `retry_after_s`; nothing was sent
    RateLimited             the key asks more often than its terms allow
    Overloaded              this machine has its hands full, or is stopping
  RoutingError
    NoEligibleRoute         every route failed a hard need; `rejections` say why
  CatalogueError          a bad or missing fact
    NoPriceOnDate           no price had started by that day
  BudgetExceeded          a cap refused the hold; nothing was sent
  SpendingStopped         a brake is on (kill switch, overrun, unwritable ledger); nothing was sent
  ConfirmationNeeded      a first real purchase wants a yes; nothing was sent
  Conflict                the state does not allow it (already reconciled, same intent for another request)
    IdempotencyMismatch     the idempotency key was used for another request
    UnderWay                another process is buying the same thing; wait for it
  UpstreamError           the upstream said no, or said nothing
    Refused                 final: bad request, key or permission; nothing was charged
    Throttled               a quota; retry after `retry_after_s` where it is not None
    Unreachable             nothing was sent; safe to try again
    UpstreamUnknown         it may have been paid: the attempt is `unknown`, its money stays held
      DeadlinePassed          the caller's time is over; the call goes on and its answer can be claimed
  NoImage                 an answer without an image: `outcome` tells text_only, empty or blocked
  StorageError            a disk or database refused; what was bought is in the spool
  ConfigError             keeprate.toml, the environment or the home is wrong
  InternalFault           a fault of Keeprate's own; the log tells it under the request's id
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

_NOTHING: Mapping[str, object] = MappingProxyType({})


class KeeprateError(Exception):
    """The root: a message for people, and the same facts as data."""

    code: ClassVar[str] = "keeprate_error"
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        value: object = None,
        remedy: str | None = None,
        facts: Mapping[str, object] = _NOTHING,
    ) -> None:
        """Keep what went wrong, where (`field`, `value`), what to do (`remedy`) and further facts."""
        super().__init__(message)
        self.message = message
        self.field = field
        self.value = value
        self.remedy = remedy
        self.facts = facts


class InvalidRequest(KeeprateError):
    code = "invalid_request"
    http_status = 400
    exit_code = 2


class InvalidValue(InvalidRequest):
    code = "invalid_value"


class UnreadableReference(InvalidRequest):
    code = "unreadable_reference"
    http_status = 422


class UnknownModel(InvalidRequest):
    code = "unknown_model"
    http_status = 404


class ModelRetired(InvalidRequest):
    code = "model_retired"
    http_status = 410


class NotFound(InvalidRequest):
    code = "not_found"
    http_status = 404


class NotAllowedHere(InvalidRequest):
    code = "method_not_allowed"
    http_status = 405


class TooLarge(InvalidRequest):
    code = "too_large"
    http_status = 413


class AccessError(KeeprateError):
    code = "access_error"
    http_status = 403
    exit_code = 2


class Unauthenticated(AccessError):
    code = "unauthenticated"
    http_status = 401


class Forbidden(AccessError):
    code = "forbidden"


class TooBusy(KeeprateError):
    """Nothing was sent; `retry_after_s` is a wait in seconds that makes sense."""

    code = "too_busy"
    http_status = 503
    exit_code = 5

    def __init__(self, message: str, *, retry_after_s: float, remedy: str | None = None) -> None:
        """Keep the wait."""
        super().__init__(message, remedy=remedy, facts={"retry_after_s": retry_after_s})
        self.retry_after_s = retry_after_s


class RateLimited(TooBusy):
    code = "rate_limited"
    http_status = 429


class Overloaded(TooBusy):
    code = "overloaded"


class RoutingError(KeeprateError):
    code = "routing_error"
    http_status = 422
    exit_code = 2


class NoEligibleRoute(RoutingError):
    """No route may serve the request. `facts["rejections"]` maps each route to its reason."""

    code = "no_eligible_route"


class CatalogueError(KeeprateError):
    code = "catalogue_error"
    exit_code = 2


class NoPriceOnDate(CatalogueError):
    code = "no_price_on_date"
    http_status = 422


class BudgetExceeded(KeeprateError):
    """A cap refused the hold. `facts`: budget, limit_usd, remaining_usd, wanted_usd, resets_at."""

    code = "budget_exceeded"
    http_status = 402
    exit_code = 4


class SpendingStopped(KeeprateError):
    code = "spending_stopped"
    http_status = 503
    exit_code = 4


class ConfirmationNeeded(KeeprateError):
    code = "confirmation_needed"
    http_status = 428
    exit_code = 2


class Conflict(KeeprateError):
    code = "conflict"
    http_status = 409
    exit_code = 2


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"


class UnderWay(Conflict):
    code = "under_way"


class UpstreamError(KeeprateError):
    code = "upstream_error"
    http_status = 502
    exit_code = 5


class Refused(UpstreamError):
    code = "upstream_refused"


class Throttled(UpstreamError):
    """The upstream's quota. `retry_after_s` is None where waiting does not help."""

    code = "upstream_throttled"
    http_status = 429

    def __init__(self, message: str, *, retry_after_s: float | None, remedy: str | None) -> None:
        """Keep the wait the upstream asked for, in seconds."""
        super().__init__(message, remedy=remedy, facts={"retry_after_s": retry_after_s})
        self.retry_after_s = retry_after_s


class Unreachable(UpstreamError):
    code = "upstream_unreachable"
    http_status = 503


class UpstreamUnknown(UpstreamError):
    code = "outcome_unknown"
    http_status = 504
    exit_code = 7


class DeadlinePassed(UpstreamUnknown):
    code = "deadline_passed"


class NoImage(KeeprateError):
    """The upstream answered without an image. `facts`: outcome, raw_reason, attempt_id, charge_usd."""

    code = "no_image"
    http_status = 422
    exit_code = 6


class StorageError(KeeprateError):
    code = "storage_error"
    http_status = 507
    exit_code = 1


class ConfigError(KeeprateError):
    code = "config_error"
    exit_code = 2


class InternalFault(KeeprateError):
    code = "internal_fault"

"""What a key may do: grants, an end, models, sizes, a rate, and the defaults it brings along."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keeprate.domain.budgets import Window
from keeprate.domain.geometry import Size
from keeprate.domain.money import NanoUSD
from keeprate.domain.purposes import Purpose
from keeprate.domain.scopes import Role


class Grant(StrEnum):
    """What a key is good for. ADMIN is good for everything, keys and caps included."""

    GENERATE = "generate"
    EDIT = "edit"
    READ = "read"
    REVIEW = "review"
    ADMIN = "admin"


# What an application that makes images needs; looking at the whole workspace is not part of it.
BUYING = frozenset({Grant.GENERATE, Grant.EDIT})
_ROLES = {
    Grant.GENERATE: Role.BUYER,
    Grant.EDIT: Role.BUYER,
    Grant.READ: Role.READER,
    Grant.REVIEW: Role.REVIEWER,
    Grant.ADMIN: Role.OWNER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A model, or a line of models, that is there for some purposes only."""

    model: str
    purposes: frozenset[Purpose]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """A limit on money within a window."""

    limit: NanoUSD
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """The terms of a key; the defaults are those of a key made with nothing but a name.

    `models` holds ids and lines ("pro"), empty means all. `reserved` narrows some of them to
    purposes. `largest_size` None means any. `per_minute` counts requests. `policy` and `purpose` stand
    in where a request names none. `user_cap` caps each end user that requests name. `cache` and
    `single_flight` say that equal requests may share an answer.
    """

    grants: frozenset[Grant] = BUYING
    expires_at: datetime | None = None
    models: frozenset[str] = frozenset()
    reserved: tuple[Reserved, ...] = ()
    largest_size: Size | None = None
    per_minute: int | None = None
    policy: str | None = None
    purpose: Purpose | None = None
    plan: str | None = None
    user_cap: Cap | None = None
    cache: bool = False
    single_flight: bool = False

    @property
    def roles(self) -> frozenset[Role]:
        """Return the roles that the grants amount to."""
        return frozenset(_ROLES[grant] for grant in self.grants)

    def allows(self, grant: Grant) -> bool:
        """Return whether the terms hold `grant`."""
        return grant in self.grants or Grant.ADMIN in self.grants

    def serves(self, model: str, line: str, purpose: Purpose) -> bool:
        """Return whether a model of a line may be bought for `purpose`."""
        names = {model, line}
        if self.models and not names & self.models:
            return False
        return all(purpose in rule.purposes for rule in self.reserved if rule.model in names)


OWNER_TERMS = KeyTerms(grants=frozenset(Grant))
PLAIN_TERMS = KeyTerms()

"""Plans, and how the words a key is asked for in become its terms: the same on the command line and over HTTP."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Final

import msgspec

from keeprate.catalogue.book import Book
from keeprate.catalogue.names import resolve
from keeprate.domain.budgets import Window
from keeprate.domain.errors import ConfigError, InvalidValue, UnknownModel
from keeprate.domain.geometry import Size
from keeprate.domain.money import usd
from keeprate.domain.purposes import Purpose, word
from keeprate.domain.terms import Cap, Grant, KeyTerms, Reserved
from keeprate.routing.policies import policy_named
from keeprate.workflows.options import seconds

SHIPPED: Final = "plans.toml"
MOST_PER_MINUTE: Final = 100_000
FARTHEST_END: Final = timedelta(days=36_500)


class Plan(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A `[plan.NAME]` table: what a key on it is made with, where nobody says otherwise.

    `reserved` maps a model or line to the purposes it is there for. Money is US dollars as text.
    """

    scopes: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    reserved: dict[str, tuple[str, ...]] = {}
    largest_size: str | None = None
    per_minute: int | None = None
    policy: str | None = None
    purpose: str | None = None
    cap: str | None = None
    per: str | None = None
    user_cap: str | None = None
    user_per: str | None = None
    cache: bool | None = None
    single_flight: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsAsked:
    """The terms of a new key as typed. None leaves them to the plan, and without one to the defaults.

    `expires` is a span such as "90d", or a day such as "2027-01-31", at whose end the key ends.
    """

    plan: str | None = None
    scopes: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    expires: str | None = None
    largest_size: str | None = None
    per_minute: int | None = None
    policy: str | None = None
    purpose: str | None = None
    cap: str | None = None
    per: str | None = None
    user_cap: str | None = None
    user_per: str | None = None
    cache: bool | None = None
    single_flight: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What a key is made with: its terms, and the cap of its own if it has one."""

    terms: KeyTerms
    cap: Cap | None


def plans_in(texts: Iterable[tuple[str, str]]) -> Mapping[str, Plan]:
    """Return the shipped plans with those of the owner's files (name, text; the strongest last) over them.

    Raises:
        ConfigError: A plan that does not fit; names file and plan.
    """
    shipped = (files("keeprate.workflows") / SHIPPED).read_text("utf-8")
    found: dict[str, Plan] = {}
    for file, text in ((SHIPPED, shipped), *texts):
        for name, table in _tables(file, text).items():
            try:
                found[name] = msgspec.convert(table, Plan)
            except msgspec.ValidationError as fault:
                raise ConfigError(
                    f"{file}: [plan.{name}] {fault}",
                    field=f"plan.{name}",
                    remedy="a plan takes " + ", ".join(Plan.__struct_fields__),
                ) from fault
    return found


def agreed(asked: TermsAsked, plans: Mapping[str, Plan], *, book: Book, now: datetime) -> Agreed:
    """Return what a key asked for in these words is made with.

    Raises:
        InvalidValue: A word that is not known, or does not fit.
    """
    plan = _plan_named(asked.plan, plans)
    merged = replace(asked, **_left_open(asked, plan))
    known = Names(book, now.date())
    terms = KeyTerms(
        expires_at=None if merged.expires is None else _end(merged.expires, now),
        models=frozenset(known.checked(name) for name in merged.models or ()),
        reserved=tuple(_reserved(known, name, meant) for name, meant in sorted(plan.reserved.items())),
        largest_size=None if merged.largest_size is None else _size(merged.largest_size),
        per_minute=None if merged.per_minute is None else _rate(merged.per_minute),
        policy=None if merged.policy is None else policy_named(merged.policy).name,
        purpose=None if merged.purpose is None else word(Purpose, merged.purpose, field="purpose"),
        plan=merged.plan,
        user_cap=_cap(merged.user_cap, merged.user_per, field="user_cap"),
        cache=bool(merged.cache),
        single_flight=bool(merged.single_flight),
    )
    if merged.scopes is not None:
        terms = replace(terms, grants=_grants(merged.scopes))
    return Agreed(terms=terms, cap=_cap(merged.cap, merged.per, field="cap"))


class Names:
    """The names a key's models may be given by: ids, market names and lines of models."""

    def __init__(self, book: Book, day: date) -> None:
        """Look names up as of `day`."""
        self._book = book
        self._day = day
        self._lines = {card.line for surface in book.surfaces for card in book.known(surface, day)}

    def checked(self, name: str) -> str:
        """Return the line, or the id of the model, that `name` means.

        Raises:
            InvalidValue: It means neither.
        """
        if name in self._lines:
            return name
        for surface in self._book.surfaces:
            try:
                return str(resolve(self._book, name, surface, self._day).model)
            except UnknownModel:
                continue
        raise InvalidValue(
            f"{name!r} is no model and no line of models",
            field="models",
            value=name,
            remedy="use an id from `keeprate models`, or one of: " + ", ".join(sorted(self._lines)),
        )


def _tables(file: str, text: str) -> Mapping[str, object]:
    try:
        return msgspec.convert(tomllib.loads(text).get("plan", {}), dict[str, object])
    except msgspec.ValidationError as fault:
        raise ConfigError(f"{file}: [plan] {fault}", field="plan") from fault


def _plan_named(name: str | None, plans: Mapping[str, Plan]) -> Plan:
    if name is None:
        return Plan()
    if name not in plans:
        raise InvalidValue(
            f"there is no plan {name!r}",
            field="plan",
            value=name,
            remedy="use one of: " + ", ".join(sorted(plans)),
        )
    return plans[name]


def _left_open(asked: TermsAsked, plan: Plan) -> dict[str, object]:
    names = {one.name for one in fields(asked)} & set(Plan.__struct_fields__)
    return {name: getattr(plan, name) for name in names if getattr(asked, name) is None}


def _reserved(known: Names, name: str, meant: tuple[str, ...]) -> Reserved:
    return Reserved(
        model=known.checked(name),
        purposes=frozenset(word(Purpose, one, field="reserved") for one in meant),
    )


def _grants(scopes: tuple[str, ...]) -> frozenset[Grant]:
    if not scopes:
        raise InvalidValue(
            "a key without a scope is good for nothing",
            field="scopes",
            remedy="use some of: " + ", ".join(Grant),
        )
    return frozenset(word(Grant, one, field="scopes") for one in scopes)


def _size(text: str) -> Size:
    return word(Size, text.upper(), field="largest_size")


def _rate(per_minute: int) -> int:
    if not 1 <= per_minute <= MOST_PER_MINUTE:
        raise InvalidValue(
            f"per_minute must be 1 to {MOST_PER_MINUTE}", field="per_minute", value=per_minute,
            remedy="leave it out for no limit",
        )  # fmt: skip
    return per_minute


def _cap(limit: str | None, per: str | None, *, field: str) -> Cap | None:
    if limit is None:
        return None
    return Cap(limit=usd(limit, field=field), window=word(Window, per or "day", field="per"))


def _end(text: str, now: datetime) -> datetime:
    """Return the moment a key ends: `text` is a span from now, or the last day it is good for."""
    try:
        end = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        span = min(seconds(text, field="expires"), int(FARTHEST_END.total_seconds()))
        end = now + timedelta(seconds=span)
    if end <= now:
        raise InvalidValue(
            f"expires {text!r} has passed", field="expires", value=text, remedy="write 90d, or a day to come"
        )
    return end

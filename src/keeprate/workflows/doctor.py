"""What is wrong with an installation, from facts somebody else gathered. Pure: it touches nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from keeprate.domain.money import NanoUSD, display

DYING_WITHIN: Final = timedelta(days=45)
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
# A release whose facts are older than this is itself a finding, whatever the clock says.
OLDEST_FACTS: Final = timedelta(days=3 * 365)
LEAST_FREE_BYTES: Final = 512 * 1024 * 1024
_MEBIBYTE: Final = 1024 * 1024


class Severity(StrEnum):
    """`problem` stops or endangers work, `warning` will bite later, `fine` is as it should be."""

    PROBLEM = "problem"
    WARNING = "warning"
    FINE = "fine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at: what it is, and what to do about it where it is not fine."""

    check: str
    severity: Severity
    sentence: str
    remedy: str | None = None
    field: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeHealth:
    """The folder everything is kept in. `fault` says why it cannot be written, None if it can."""

    path: str
    exists: bool
    fault: str | None
    free_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrakeHealth:
    """A brake that is on: nothing is bought in `workspace`, or nothing simulated."""

    workspace: str
    reason: str
    simulated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseHealth:
    """The ledger's database. `fault` and `remedy` are what opening it said; `sqlite` its version."""

    kind: str
    sqlite: str | None
    sqlite_is_safe: bool
    fault: str | None = None
    remedy: str | None = None
    latest_row_at: datetime | None = None
    brakes: tuple[BrakeHealth, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamHealth:
    """A connection as configured. `key_flaw` is what is wrong with its credential by the looks of it."""

    name: str
    surface: str
    simulated: bool
    credential_from: str | None
    has_credential: bool
    key_flaw: str | None
    unknown_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHealth:
    """A model that is named in the configuration (`named_in`) or that could be routed to.

    Costs are one image at the smallest size both models offer, from the catalogue of the day.
    """

    model: str
    surface: str
    named_in: tuple[str, ...]
    known: bool
    shutdown_on: date | None
    successor: str | None = None
    cost: NanoUSD | None = None
    successor_cost: NanoUSD | None = None
    size: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingHealth:
    """A setting that is not as built in, and where its value came from. `value` None is not for showing."""

    name: str
    value: str | None
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All facts an examination rests on. `facts_seen_on` is the newest day a source was read."""

    now: datetime
    day: date
    facts_seen_on: date
    home: HomeHealth
    database: DatabaseHealth
    upstreams: tuple[UpstreamHealth, ...]
    models: tuple[ModelHealth, ...]
    settings: tuple[SettingHealth, ...] = ()


def examine(health: Health) -> tuple[Finding, ...]:
    """Return what was found, the gravest first; each check says at least that all is fine."""
    findings = (
        *_clock(health),
        *_home(health.home),
        *_database(health.database),
        *_brakes(health.database.brakes),
        *_credentials(health.upstreams),
        *_models(health),
        *_records(health.upstreams),
        *_settings(health.settings),
    )
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def key_flaw(key: str) -> str | None:
    """Return what is wrong with an API key by its looks, or None. The key itself is never shown."""
    if key != key.strip():
        return "has blanks around it"
    if key[:1] in {'"', "'"}:
        return "has quotes around it"
    if any(word in key.lower() for word in ("your", "xxx", "changeme", "example", "placeholder", "<")):
        return "looks like a placeholder from an example"
    if any(character.isspace() for character in key):
        return "has blanks in it"
    return None


def _clock(health: Health) -> Iterator[Finding]:
    """A clock that runs behind dates money into closed windows and asks for the wrong day's prices."""
    check = "clock"
    set_it = "set the system clock (timedatectl set-ntp true, or the system's settings)"
    latest = health.database.latest_row_at
    now = f"{health.now:%Y-%m-%d %H:%M} UTC"
    if health.now.date() < health.facts_seen_on:
        sentence = (
            f"the clock says {now}, before the facts of this release were read ({health.facts_seen_on})"
        )
    elif latest is not None and health.now + CLOCK_TOLERANCE < latest:
        sentence = f"the clock says {now}, before the newest row of the ledger ({latest:%Y-%m-%d %H:%M} UTC)"
    elif health.now.date() - health.facts_seen_on > OLDEST_FACTS:
        yield Finding(
            check=check,
            severity=Severity.WARNING,
            sentence=f"the clock says {now}, years after the facts were read ({health.facts_seen_on})",
            remedy=f"{set_it}; if it is right, install a newer release: these prices are old",
        )
        return
    else:
        yield _fine(check, f"{now}, after the newest fact and the newest row")
        return
    yield Finding(check=check, severity=Severity.PROBLEM, sentence=sentence, remedy=set_it)


def _home(home: HomeHealth) -> Iterator[Finding]:
    check = "home"
    if home.fault is not None:
        yield Finding(
            check=check,
            severity=Severity.PROBLEM,
            sentence=f"{home.path} cannot be written: {home.fault}",
            field="home",
            value=home.path,
            remedy="give yourself the right to write there, or name another folder in KEEPRATE_HOME",
        )
    elif home.free_bytes is not None and home.free_bytes < LEAST_FREE_BYTES:
        yield Finding(
            check=check,
            severity=Severity.WARNING,
            sentence=f"{home.path} has {home.free_bytes // _MEBIBYTE} MiB left; buying stops when it is full",
            field="home",
            value=home.path,
            remedy="free some space, or move the home to a larger disk",
        )
    else:
        yield _fine(check, home.path if home.exists else f"{home.path} will be made at first use")


def _database(database: DatabaseHealth) -> Iterator[Finding]:
    check = "database"
    if database.fault is not None:
        yield Finding(check=check, severity=Severity.PROBLEM, sentence=database.fault, remedy=database.remedy)
    elif database.sqlite is not None and not database.sqlite_is_safe:
        yield Finding(
            check=check,
            severity=Severity.WARNING,
            sentence=f"SQLite {database.sqlite} can lose a commit in its fast journal, so the slow one is used",
            field="sqlite_version",
            value=database.sqlite,
            remedy="install the wheel that brings a sound one: pip install pysqlite3",
        )
    else:
        version = f" {database.sqlite}" if database.sqlite else ""
        yield _fine(check, f"{database.kind}{version}")


def _brakes(brakes: tuple[BrakeHealth, ...]) -> Iterator[Finding]:
    for brake in brakes:
        what = "nothing simulated is bought" if brake.simulated else "nothing is bought"
        yield Finding(
            check="brake",
            severity=Severity.PROBLEM,
            sentence=f"{what} in workspace {brake.workspace!r}: {brake.reason}",
            field="workspace",
            value=brake.workspace,
            remedy="see why (keeprate attempts), then: keeprate budget resume"
            + ("" if brake.workspace == "default" else f" --workspace {brake.workspace}"),
        )
    if not brakes:
        yield _fine("brake", "none is on")


def _settings(settings: tuple[SettingHealth, ...]) -> Iterator[Finding]:
    said = [
        f"{one.name}{'' if one.value is None else f' = {one.value}'}, from {one.origin}" for one in settings
    ]
    yield _fine("settings", "; ".join(said) or "all as built in")


def _credentials(upstreams: tuple[UpstreamHealth, ...]) -> Iterator[Finding]:
    check = "credentials"
    real = [upstream for upstream in upstreams if not upstream.simulated]
    if not real:
        yield Finding(
            check=check,
            severity=Severity.WARNING,
            sentence="there is no key, so images come from the stand-in and are marked simulated",
            field="GEMINI_API_KEY",
            remedy="put a key of Google AI Studio in GEMINI_API_KEY or in .env; or stay: nothing is spent",
        )
    for upstream in real:
        yield _credential(check, upstream)


def _credential(check: str, upstream: UpstreamHealth) -> Finding:
    place = upstream.credential_from or "no place"
    if not upstream.has_credential:
        return Finding(
            check=check,
            severity=Severity.PROBLEM,
            sentence=f"{upstream.name} has no credential ({place} is empty)",
            field=upstream.credential_from,
            remedy=f"set {place}, or take the upstream out of keeprate.toml",
        )
    if upstream.key_flaw is not None:
        return Finding(
            check=check,
            severity=Severity.PROBLEM,
            sentence=f"the key of {upstream.name}, from {place}, {upstream.key_flaw}",
            field=upstream.credential_from,
            remedy=f"put the bare key in {place}",
        )
    return _fine(check, f"{upstream.name} has a credential from {place}")


def _models(health: Health) -> Iterator[Finding]:
    check = "models"
    told = False
    for model in health.models:
        finding = _model(check, model, health.day)
        if finding is not None:
            told = True
            yield finding
    if not told:
        yield _fine(check, f"none dies within {DYING_WITHIN.days} days of {health.day}")


def _model(check: str, model: ModelHealth, day: date) -> Finding | None:
    places = ", ".join(model.named_in)
    if not model.known:
        sentence = f"{model.model}, named in {places}, is no model of the catalogue"
        remedy = f"put {model.successor} there" if model.successor else "see: keeprate models"
    elif model.shutdown_on is None or model.shutdown_on - day > DYING_WITHIN:
        return None
    elif model.shutdown_on <= day:
        if not model.named_in:
            return None
        sentence = (
            f"{model.model}, named in {places}, has been gone from {model.surface} since {model.shutdown_on}"
        )
        remedy = _replacement(model)
    else:
        left = (model.shutdown_on - day).days
        where = f", named in {places}," if places else ""
        sentence = f"{model.model}{where} dies on {model.surface} on {model.shutdown_on}, in {left} days"
        remedy = _replacement(model)
        return Finding(
            check=check,
            severity=Severity.WARNING,
            sentence=sentence,
            remedy=remedy,
            field="model",
            value=model.model,
        )
    return Finding(
        check=check,
        severity=Severity.PROBLEM,
        sentence=sentence,
        remedy=remedy,
        field="model",
        value=model.model,
    )


def _replacement(model: ModelHealth) -> str:
    if model.successor is None:
        return "no successor is named; choose one: keeprate models"
    if model.cost is None or model.successor_cost is None:
        return f"move to {model.successor}"
    return (
        f"move to {model.successor}: ${display(model.successor_cost)} an image at {model.size} "
        f"instead of ${display(model.cost)}"
    )


def _records(upstreams: tuple[UpstreamHealth, ...]) -> Iterator[Finding]:
    check = "route record"
    for upstream in upstreams:
        if upstream.unknown_fields:
            yield Finding(
                check=check,
                severity=Severity.WARNING,
                sentence=f"of {upstream.name} it is not known: {', '.join(upstream.unknown_fields)}",
                field=upstream.unknown_fields[0],
                remedy=f"find out, and write it under the upstream in keeprate.toml; "
                f"see: keeprate models record {upstream.name}",
            )
        else:
            yield _fine(check, f"{upstream.name} is recorded in full")


def _fine(check: str, sentence: str) -> Finding:
    return Finding(check=check, severity=Severity.FINE, sentence=sentence)

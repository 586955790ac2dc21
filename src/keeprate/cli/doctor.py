"""`keeprate doctor`: find what is wrong, and say what to do."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from keeprate.bootstrap import read_book, upstreams_of
from keeprate.catalogue.book import Book
from keeprate.cli.failures import OK, PARTIAL, clean
from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Screen, table
from keeprate.cli.running import settings_for
from keeprate.domain.errors import CatalogueError, ConfigError
from keeprate.domain.routes import GEMINI_API, Upstream
from keeprate.settings import Settings, UpstreamSettings
from keeprate.workflows import checkup
from keeprate.workflows.doctor import (
    Finding,
    Health,
    SettingHealth,
    Severity,
    UpstreamHealth,
    examine,
    key_flaw,
)

_MARKS = {
    Severity.PROBLEM: Text("problem", style="bold red"),
    Severity.WARNING: Text("warning", style="yellow"),
    Severity.FINE: Text("fine", style="green"),
}


# An address may hold a password.
_UNSHOWN: Final = frozenset({"database_url"})
_FIELDS: Final = {"policy": "default_policy", "yes": "assume_yes"}


def doctor(*, everywhere: Everywhere = EVERYWHERE) -> int:
    """Find what is wrong, and say what to do. Changes nothing, calls nobody.

    Exits with 0 when nothing is worse than a warning, with 3 when there is a problem.
    """
    screen = Screen(everywhere)
    try:
        findings = examine(_health(settings_for(everywhere)))
    except (ConfigError, CatalogueError) as fault:
        findings = (_unreadable(fault),)
    problems = sum(finding.severity is Severity.PROBLEM for finding in findings)
    screen.answer(
        {"ok": problems == 0, "findings": [_as_json(finding) for finding in findings]},
        _drawn(findings),
        "" if problems else "\nNothing stands in the way.",
    )
    return PARTIAL if problems else OK


def _health(settings: Settings) -> Health:
    now = datetime.now(UTC)
    today = settings.as_of or now.date()
    book = read_book(settings)
    home = checkup.home_health(settings.home)
    upstreams = upstreams_of(settings)
    surfaces = frozenset(one.surface for one in upstreams)
    return Health(
        now=now,
        day=today,
        # Of our own facts only: an owner may write down today what begins next year.
        facts_seen_on=checkup.newest_fact(read_book(replace(settings, overlay=()))),
        home=home,
        database=checkup.database_health(settings.database_url, home),
        upstreams=tuple(_upstream(one, _unknown_fields(book, one, today)) for one in upstreams),
        models=checkup.models_health(book, today, surfaces, checkup.named_models(settings.overlay)),
        settings=tuple(_setting(settings, name, origin) for name, origin in settings.origins.items()),
    )


def _setting(settings: Settings, name: str, origin: str) -> SettingHealth:
    if name in _UNSHOWN:
        return SettingHealth(name=name, value=None, origin=origin)
    value = getattr(settings, _FIELDS.get(name, name))
    return SettingHealth(name=name, value=str(value), origin=origin)


def _unreadable(fault: ConfigError | CatalogueError) -> Finding:
    """Return the one finding there is where the configuration itself cannot be read."""
    return Finding(
        check="config",
        severity=Severity.PROBLEM,
        sentence=fault.message,
        remedy=fault.remedy,
        field=fault.field,
        value=None if fault.value is None else str(fault.value),
    )


def _unknown_fields(book: Book, one: UpstreamSettings, day: date) -> tuple[str, ...]:
    upstream = Upstream(name=one.name, surface=one.surface, base_url=one.base_url, simulated=one.simulated)
    return book.record(upstream, day).unknown


def _upstream(one: UpstreamSettings, unknown_fields: tuple[str, ...]) -> UpstreamHealth:
    # Google's default credentials are found by its own library when the first call is made.
    has_credential = one.credential is not None or one.surface != GEMINI_API
    return UpstreamHealth(
        name=one.name,
        surface=one.surface,
        simulated=one.simulated,
        credential_from=one.credential_from,
        has_credential=has_credential,
        key_flaw=None if one.credential is None or one.simulated else key_flaw(one.credential.reveal()),
        unknown_fields=unknown_fields,
    )


def _drawn(findings: tuple[Finding, ...]) -> RenderableType:
    drawn = table("", "check", "finding")
    for finding in findings:
        text = Text(clean(finding.sentence))
        if finding.remedy:
            text.append(f"\n→ {finding.remedy}", style="bold" if finding.severity is Severity.PROBLEM else "")
        drawn.add_row(_MARKS[finding.severity], finding.check, text)
    return drawn


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "check": finding.check,
        "severity": str(finding.severity),
        "message": finding.sentence,
        "field": finding.field,
        "value": finding.value,
        "remedy": finding.remedy,
    }

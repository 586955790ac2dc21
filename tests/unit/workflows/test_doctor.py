"""The doctor's judgement, on made-up facts."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from keeprate.domain.money import usd
from keeprate.workflows.doctor import (
    DatabaseHealth,
    Finding,
    Health,
    HomeHealth,
    ModelHealth,
    Severity,
    UpstreamHealth,
    examine,
    key_flaw,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = NOW.date()

REAL = UpstreamHealth(
    name="gemini-api",
    surface="gemini-api",
    simulated=False,
    credential_from="GEMINI_API_KEY",
    has_credential=True,
    key_flaw=None,
    unknown_fields=(),
)
SOUND = Health(
    now=NOW,
    day=TODAY,
    facts_seen_on=date(2026, 11, 20),
    home=HomeHealth(path="/data/keeprate", exists=True, fault=None, free_bytes=10**12),
    database=DatabaseHealth(kind="SQLite", sqlite="3.51.3", sqlite_is_safe=True),
    upstreams=(REAL,),
    models=(),
)


def _model(**changes: object) -> ModelHealth:
    known = ModelHealth(
        model="old-image",
        surface="gemini-api",
        named_in=("keeprate.toml (settings.model)",),
        known=True,
        shutdown_on=None,
        successor="new-image",
        cost=usd("0.039"),
        successor_cost=usd("0.0336"),
        size="1K",
    )
    return replace(known, **changes)


def _only(findings: tuple[Finding, ...], check: str) -> Finding:
    (found,) = [finding for finding in findings if finding.check == check]
    return found


def test_a_sound_installation_is_fine_in_every_respect() -> None:
    findings = examine(SOUND)
    assert {finding.severity for finding in findings} == {Severity.FINE}
    assert {finding.check for finding in findings} == {
        "clock",
        "home",
        "database",
        "credentials",
        "models",
        "route record",
        "brake",
        "settings",
    }


def test_everything_that_is_not_fine_says_what_to_do() -> None:
    sick = replace(
        SOUND,
        now=NOW - timedelta(days=400),
        home=replace(SOUND.home, fault="Permission denied"),
        database=replace(SOUND.database, sqlite_is_safe=False),
        upstreams=(replace(REAL, has_credential=False, unknown_fields=("quota", "region")),),
        models=(_model(shutdown_on=TODAY), _model(known=False, successor=None)),
    )
    findings = examine(sick)
    assert [
        finding for finding in findings if finding.severity is not Severity.FINE and not finding.remedy
    ] == []
    assert len([finding for finding in findings if finding.severity is not Severity.FINE]) == 7


def test_the_gravest_comes_first() -> None:
    findings = examine(replace(SOUND, upstreams=(), home=replace(SOUND.home, fault="Read-only file system")))
    assert [finding.severity for finding in findings] == sorted(
        (finding.severity for finding in findings), key=list(Severity).index
    )
    assert findings[0].check == "home"


def test_no_key_is_a_warning_because_the_stand_in_serves() -> None:
    found = _only(examine(replace(SOUND, upstreams=())), "credentials")
    assert found.severity is Severity.WARNING
    assert "simulated" in found.sentence
    assert found.field == "GEMINI_API_KEY"


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (replace(SOUND, now=datetime(2025, 1, 1, tzinfo=UTC)), "before the facts"),
        (
            replace(SOUND, database=replace(SOUND.database, latest_row_at=NOW + timedelta(hours=1))),
            "before the newest row",
        ),
    ],
)
def test_a_clock_that_runs_behind_is_a_problem(health: Health, word: str) -> None:
    found = _only(examine(health), "clock")
    assert found.severity is Severity.PROBLEM
    assert word in found.sentence


def test_a_clock_years_ahead_of_the_facts_is_doubted() -> None:
    found = _only(examine(replace(SOUND, now=datetime(2031, 1, 1, tzinfo=UTC))), "clock")
    assert found.severity is Severity.WARNING


def test_a_row_written_a_moment_ahead_is_no_wrong_clock() -> None:
    near = replace(SOUND.database, latest_row_at=NOW + timedelta(minutes=4))
    assert _only(examine(replace(SOUND, database=near)), "clock").severity is Severity.FINE


def test_an_unsafe_sqlite_is_named_with_its_version() -> None:
    found = _only(
        examine(replace(SOUND, database=replace(SOUND.database, sqlite="3.40.1", sqlite_is_safe=False))),
        "database",
    )
    assert found.severity is Severity.WARNING
    assert "3.40.1" in found.sentence


def test_a_nearly_full_disk_is_a_warning() -> None:
    found = _only(examine(replace(SOUND, home=replace(SOUND.home, free_bytes=10**8))), "home")
    assert found.severity is Severity.WARNING
    assert "95 MiB" in found.sentence


@pytest.mark.parametrize(
    ("days", "severity"),
    [(-1, Severity.PROBLEM), (0, Severity.PROBLEM), (1, Severity.WARNING), (45, Severity.WARNING)],
)
def test_a_model_that_dies_within_45_days_comes_with_its_costed_successor(
    days: int, severity: Severity
) -> None:
    found = _only(
        examine(replace(SOUND, models=(_model(shutdown_on=TODAY + timedelta(days=days)),))), "models"
    )
    assert found.severity is severity
    assert found.remedy == "move to new-image: $0.0336 an image at 1K instead of $0.039"


def test_a_model_that_dies_later_is_fine() -> None:
    later = _model(shutdown_on=TODAY + timedelta(days=46))
    assert _only(examine(replace(SOUND, models=(later,))), "models").severity is Severity.FINE


def test_a_dead_model_that_nothing_names_is_no_finding() -> None:
    dead = _model(shutdown_on=TODAY, named_in=())
    assert _only(examine(replace(SOUND, models=(dead,))), "models").severity is Severity.FINE


def test_unknown_fields_of_a_route_record_are_listed() -> None:
    found = _only(
        examine(replace(SOUND, upstreams=(replace(REAL, unknown_fields=("quota", "region")),))),
        "route record",
    )
    assert "quota, region" in found.sentence
    assert "keeprate models record gemini-api" in (found.remedy or "")


@pytest.mark.parametrize(
    ("key", "flaw"),
    [
        ("AIzaSyD-not-a-real-one-0123456789abcdef", None),
        (" AIzaSy0123", "has blanks around it"),
        ('"AIzaSy0123"', "has quotes around it"),
        ("YOUR_API_KEY", "looks like a placeholder from an example"),
        ("AIza Sy0123", "has blanks in it"),
    ],
)
def test_a_key_is_judged_by_its_looks_without_being_shown(key: str, flaw: str | None) -> None:
    assert key_flaw(key) == flaw

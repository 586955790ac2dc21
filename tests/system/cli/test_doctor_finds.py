"""What the doctor finds in an installation, each thing with what to do about it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keeprate.cli import doctor as doctor_module
from keeprate.database import drivers, locks
from tests.system.cli.conftest import Ran, Shell


def _found(ran: Ran, check: str) -> dict[str, Any]:
    (found,) = [one for one in ran.document["findings"] if one["check"] == check]
    return found


def _home() -> Path:
    return Path(os.environ["KEEPRATE_HOME"])


def test_no_key(shell: Shell) -> None:
    ran = shell("doctor", "--json")
    found = _found(ran, "credentials")
    assert (ran.code, found["severity"]) == (0, "warning")
    assert "GEMINI_API_KEY" in found["remedy"]


def test_a_key_is_fine_and_never_shown(real_shell: Shell) -> None:
    ran = real_shell("doctor", "--json")
    assert _found(ran, "credentials")["severity"] == "fine"
    assert "a-key-of-the-tests" not in ran.out


def test_a_key_with_quotes_around_it(real_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", '"AIza-something"')
    ran = real_shell("doctor", "--json")
    assert (ran.code, _found(ran, "credentials")["severity"]) == (3, "problem")
    assert "AIza" not in ran.out


def test_a_clock_before_the_facts(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    _set_clock(monkeypatch, datetime(2025, 1, 1, tzinfo=UTC))
    ran = shell("doctor", "--as-of", "2026-11-21", "--json")
    assert (ran.code, _found(ran, "clock")["severity"]) == (3, "problem")
    assert "2025-01-01" in _found(ran, "clock")["message"]


def test_a_clock_before_the_newest_row_of_the_ledger(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell("generate", "a lamp", "--json")
    assert _found(shell("doctor", "--json"), "clock")["severity"] == "fine"
    now = datetime.now(UTC)
    _set_clock(monkeypatch, now - timedelta(hours=1))
    assert "newest row" in _found(shell("doctor", "--json"), "clock")["message"]


def test_an_unsafe_sqlite(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "WAL_SAFE_FROM", (99, 0, 0))
    ran = shell("doctor", "--json")
    assert (ran.code, _found(ran, "database")["severity"]) == (0, "warning")
    assert "pysqlite3" in _found(ran, "database")["remedy"]


def test_a_home_that_cannot_be_written(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    for home in (file, file / "below", Path("/proc/keeprate")):
        ran = shell("doctor", "--home", str(home), "--json")
        assert (ran.code, _found(ran, "home")["severity"]) == (3, "problem"), home
        assert "KEEPRATE_HOME" in _found(ran, "home")["remedy"]


def test_looking_makes_no_home(shell: Shell) -> None:
    shell("doctor")
    assert not _home().exists()


def test_a_torn_database(shell: Shell) -> None:
    _home().mkdir()
    (_home() / "keeprate.sqlite3").write_bytes(b"this is no database" * 100)
    ran = shell("doctor", "--json")
    assert (ran.code, _found(ran, "database")["severity"]) == (3, "problem")


def test_a_home_on_a_network_disk(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("36 35 98:0 / / rw,relatime - nfs4 server:/home rw\n")
    monkeypatch.setattr(locks, "MOUNTS", mounts)
    ran = shell("doctor", "--json")
    assert (ran.code, _found(ran, "database")["severity"]) == (3, "problem")
    assert "network file system" in _found(ran, "database")["message"]
    assert "local disk" in _found(ran, "database")["remedy"]


def test_an_upstream_without_its_credential(shell: Shell) -> None:
    Path("keeprate.toml").write_text(
        '[[upstream]]\nname = "shop"\nsurface = "gemini-api"\nbase_url = "https://shop.example"\n'
        'credential_env = "SHOP_KEY"\n'
    )
    ran = shell("doctor", "--json")
    assert (ran.code, _found(ran, "credentials")["severity"]) == (3, "problem")
    assert "SHOP_KEY" in _found(ran, "credentials")["remedy"]


def test_a_dead_model_in_the_configuration_with_its_costed_successor(shell: Shell) -> None:
    Path("keeprate.toml").write_text('[policy]\nmodel = "gemini-2.5-flash-image"\n')
    ran = shell("doctor", "--as-of", "2026-11-21", "--json")
    found = _found(ran, "models")
    assert (ran.code, found["severity"]) == (3, "problem")
    assert "keeprate.toml (policy.model)" in found["message"]
    assert found["remedy"].startswith("move to gemini-3.1-flash-lite-image: $0.0336 an image at 1K")


def test_a_model_that_does_not_exist_in_the_configuration(shell: Shell) -> None:
    Path("keeprate.toml").write_text('[policy]\nmodel = "gemini-3-pro"\n')
    found = _found(shell("doctor", "--as-of", "2026-11-21", "--json"), "models")
    assert found["remedy"] == "put gemini-3-pro-image there"


def test_models_that_die_within_45_days_with_what_the_successor_costs(shell: Shell) -> None:
    ran = shell("doctor", "--as-of", "2026-10-20", "--json")
    found = _found(ran, "models")
    assert (ran.code, found["severity"]) == (0, "warning")
    assert "2026-10-29, in 9 days" in found["message"]
    assert found["remedy"].startswith("move to gemini-nano-banana-2.1: $")


def test_unknown_fields_of_the_route_record(shell: Shell) -> None:
    found = _found(shell("doctor", "--json"), "route record")
    assert found["severity"] == "warning"
    assert "data_terms" in found["message"]
    assert "keeprate models record emulator" in found["remedy"]


def test_a_configuration_that_cannot_be_read(shell: Shell) -> None:
    Path("keeprate.toml").write_text("this is no TOML\n")
    ran = shell("doctor", "--json")
    assert ran.code == 3
    assert _found(ran, "config")["remedy"]


def test_a_person_sees_what_to_do_first(shell: Shell) -> None:
    told = shell("doctor").out
    assert "warning" in told
    assert "→ " in told
    assert told.endswith("Nothing stands in the way.\n")


def _set_clock(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return now

    monkeypatch.setattr(doctor_module, "datetime", Stopped)


def test_a_brake_that_is_on(shell: Shell) -> None:
    shell("budget", "stop", "--reason", "the bill looks odd")
    ran = shell("doctor", "--json")
    found = [one for one in ran.document["findings"] if one["check"] == "brake"]
    assert (ran.code, {one["severity"] for one in found}) == (3, {"problem"})
    assert "the bill looks odd" in found[0]["message"]
    assert "keeprate budget resume" in found[0]["remedy"]
    assert "Nothing stands in the way" not in shell("doctor").out
    shell("budget", "resume")
    assert shell("doctor", "--json").code == 0


def test_where_each_setting_came_from(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _found(shell("doctor", "--json"), "settings")["message"] == "all as built in"
    Path("keeprate.toml").write_text('[settings]\nday_cap_usd = 7.5\npolicy = "cheapest"\n')
    monkeypatch.setenv("KEEPRATE_POLICY", "flash-first")
    monkeypatch.setenv("KEEPRATE_DATABASE_URL", "sqlite:///with-a-secret.sqlite3")
    said = _found(shell("doctor", "--json"), "settings")["message"]
    assert "policy = flash-first, from KEEPRATE_POLICY" in said
    assert "day_cap_usd = 7.5, from " in said
    assert "secret" not in said


def test_a_row_of_the_owners_from_the_future_blames_no_clock(shell: Shell) -> None:
    Path("keeprate.toml").write_text(
        '[[price]]\nmodel = "gemini-3-pro-image"\nsurface = "gemini-api"\nupstream = "emulator"\n'
        'per_image = { 1K = "0.1" }\nsource = "contract"\nvalid_from = 2027-06-01\n'
    )
    found = _found(shell("doctor", "--as-of", "2027-12-10", "--json"), "clock")
    assert found["severity"] == "fine"

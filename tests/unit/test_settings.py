"""What Keeprate is told: files as people write them, and values that do not fit."""

from datetime import date
from pathlib import Path

import pytest

from keeprate.domain.errors import ConfigError
from keeprate.settings import Settings, read_settings


def _told(folder: Path, toml: str | bytes = "", environ: dict[str, str] | None = None) -> Settings:
    (folder / "keeprate.toml").write_bytes(toml if isinstance(toml, bytes) else toml.encode())
    return read_settings(environ or {}, cwd=folder, home=folder / "home")


def test_values_may_be_written_as_toml_has_them(tmp_path: Path) -> None:
    told = _told(tmp_path, "[settings]\nas_of = 2026-04-15\nday_cap_usd = 5.1\nyes = true\n")
    assert told.as_of == date(2026, 4, 15)
    assert told.day_cap_usd == "5.1"
    assert told.assume_yes


def test_values_may_be_written_as_text(tmp_path: Path) -> None:
    told = _told(tmp_path, '[settings]\nas_of = "2026-04-15"\nday_cap_usd = "5.10"\nyes = "no"\n')
    assert (told.as_of, told.day_cap_usd, told.assume_yes) == (date(2026, 4, 15), "5.10", False)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('as_of = "tomorrow"', "as_of"),
        ("as_of = 2026-04-15T10:00:00", "as_of"),
        ("day_cap_usd = -1", "day_cap_usd"),
        ('day_cap_usd = "five"', "day_cap_usd"),
        ("day_cap_usd = nan", "day_cap_usd"),
        ('cleanup_rate_usd_per_hour = "€30"', "cleanup_rate_usd_per_hour"),
        ('yes = "perhaps"', "yes"),
        ("policy = []", "policy"),
        ("colour = 1", "colour"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_place_and_what_to_write(
    tmp_path: Path, line: str, field: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        _told(tmp_path, f"[settings]\n{line}\n")
    assert refused.value.field == field
    assert refused.value.value is not None
    assert refused.value.remedy
    assert str(tmp_path / "keeprate.toml") in refused.value.message


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="KEEPRATE_DAY_CAP_USD: day_cap_usd 'x'"):
        _told(tmp_path, environ={"KEEPRATE_DAY_CAP_USD": "x"})


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfKEEPRATE_WORKSPACE=shop\n")
    told = _told(tmp_path, b'\xef\xbb\xbf[settings]\npolicy = "cheapest"\n')
    assert (told.default_policy, told.workspace) == ("cheapest", "shop")


@pytest.mark.parametrize("name", ["keeprate.toml", ".env"])
def test_a_file_of_another_encoding_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes("policy".encode("utf-16"))
    with pytest.raises(ConfigError, match="UTF-8") as refused:
        read_settings({}, cwd=tmp_path, home=tmp_path / "home")
    assert refused.value.field == str(tmp_path / name)
    assert "UTF-16" in (refused.value.remedy or "")


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "keeprate.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        read_settings({}, cwd=tmp_path, home=tmp_path / "home")


def test_a_virtual_environment_called_dot_env_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert _told(tmp_path).workspace == "default"


def test_settings_that_are_no_table_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a table"):
        _told(tmp_path, "settings = 3\n")

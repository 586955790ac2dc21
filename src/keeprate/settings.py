"""Files and environment, read once, into one frozen value.

Order, the later wins: built-in defaults, `keeprate.toml` in the home, `keeprate.toml` in the folder
one stands in, `.env` there, the environment, what a front door passes.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Final, Literal, cast

import msgspec
import platformdirs
from dotenv import dotenv_values

from keeprate.domain.errors import ConfigError, InvalidValue
from keeprate.domain.money import usd
from keeprate.domain.routes import GEMINI_API, VERTEX, Surface
from keeprate.safety.secrets import Secret

CONFIG_NAME = "keeprate.toml"
GEMINI_BASE_URL = "https://generativelanguage.googleapis.com"
# Environment names are those of Google's SDK, with its precedence: GOOGLE_API_KEY wins.
KEY_NAMES = ("GOOGLE_API_KEY", "GEMINI_API_KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSettings:
    """A connection as configured. `credential` None means Google's default credentials (Vertex).

    `size_field` is "imageConfig", the form verified live, or "responseFormat", the newer one.
    `credential_from` names where the credential was read; it is shown, the credential never is.
    `spend_window` is what may be spent there in any ten minutes: dollars as text, or "tier-1" to "tier-3".
    """

    name: str
    surface: Surface
    base_url: str
    simulated: bool
    credential: Secret | None
    credential_from: str | None
    project: str | None = None
    location: str | None = None
    size_field: str = "imageConfig"
    spend_window: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that Keeprate was told. `upstreams` empty means: start the emulator.

    `overlay` is the text of every keeprate.toml read, for the catalogue's owner facts, with paths.
    `origins` tells for each setting where its value came from.
    """

    home: Path
    database_url: str
    workspace: str
    upstreams: tuple[UpstreamSettings, ...]
    default_policy: str
    day_cap_usd: str
    as_of: date | None
    assume_yes: bool
    cleanup_rate_usd_per_hour: str
    failpoint: str | None
    overlay: tuple[tuple[str, str], ...]
    origins: Mapping[str, str]

    def simulated_only(self) -> "Settings":
        """Return these settings with no way to spend: the emulator is the only upstream."""
        return replace(self, upstreams=(), origins={**self.origins, "upstreams": "simulation asked"})


@dataclass(frozen=True, slots=True)
class _Read:
    """Values with where each came from."""

    values: Mapping[str, str]
    origins: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        return self.values.get(name, default)

    def money(self, name: str, default: str) -> str:
        """Return an amount of US dollars as text that is one."""
        text = self.text(name, default)
        try:
            usd(text, field=name)
        except InvalidValue as fault:
            raise self.misfit(name, "is not an amount in US dollars", fault.remedy) from fault
        return text

    def yes(self, name: str) -> bool:
        """Return whether a setting that is yes or no says yes."""
        text = self.text(name, "no")
        if text.lower() not in {*_YES, *_NO}:
            raise self.misfit(name, "is neither yes nor no", "write true or false")
        return text.lower() in _YES

    def day(self, name: str) -> date | None:
        """Return a day of the calendar, or None where none is set."""
        text = self.values.get(name)
        try:
            return None if text is None else date.fromisoformat(text)
        except ValueError:
            raise self.misfit(name, "is not a day", "write it like 2026-11-21") from None

    def misfit(self, name: str, what: str, remedy: str | None) -> ConfigError:
        """Return what to raise where a value does not fit: it names its place, too."""
        value = self.values[name]
        return ConfigError(
            f"{self.origins[name]}: {name} {value!r} {what}", field=name, value=value, remedy=remedy
        )


def read_settings(
    environ: Mapping[str, str],
    *,
    cwd: Path,
    home: Path | None = None,
    as_of: date | None = None,
    workspace: str | None = None,
) -> Settings:
    """Read files and environment into one value. Nothing else in the package reads either.

    Raises:
        ConfigError: A file that is no TOML, or a value that does not fit; names the file and field.
    """
    surroundings = {**_dotenv(cwd), **environ}
    place = home or Path(surroundings.get("KEEPRATE_HOME") or _platform_home())
    files = tuple(path for path in _config_paths(place, cwd) if path.exists())
    texts = tuple((str(path), _text_of(path)) for path in files)
    documents = tuple((path, _parsed(path, text)) for path, text in texts)
    read = _merged(documents, surroundings)
    return Settings(
        home=place,
        database_url=read.text("database_url", f"sqlite:///{place / 'keeprate.sqlite3'}"),
        workspace=workspace or read.text("workspace", "default"),
        upstreams=(*_configured(documents, surroundings), *_ambient(surroundings)),
        default_policy=read.text("policy", "flash-first"),
        day_cap_usd=read.money("day_cap_usd", "5"),
        as_of=as_of or read.day("as_of"),
        assume_yes=read.yes("yes"),
        cleanup_rate_usd_per_hour=read.money("cleanup_rate_usd_per_hour", "30"),
        failpoint=surroundings.get("KEEPRATE_FAILPOINT"),
        overlay=texts,
        origins=read.origins,
    )


_NAMES = (
    "database_url",
    "workspace",
    "policy",
    "day_cap_usd",
    "as_of",
    "yes",
    "cleanup_rate_usd_per_hour",
)
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})


def _merged(
    documents: tuple[tuple[str, Mapping[str, object]], ...], surroundings: Mapping[str, str]
) -> _Read:
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for path, document in documents:
        for name, value in _settings_table(path, document).items():
            values[name], origins[name] = str(value), path
    for name in _NAMES:
        variable = f"KEEPRATE_{name.upper()}"
        if surroundings.get(variable):
            values[name], origins[name] = surroundings[variable], variable
    return _Read(values, origins)


def _settings_table(path: str, document: Mapping[str, object]) -> Mapping[str, object]:
    found = document.get("settings", {})
    if not isinstance(found, dict):
        raise ConfigError(
            f"{path}: settings is not a table",
            field="settings",
            value=found,
            remedy="write [settings], and each setting below it on a line of its own",
        )
    table = cast("dict[str, object]", found)
    strange = sorted(set(table) - set(_NAMES))
    if strange:
        raise ConfigError(
            f"{path}: setting {strange[0]!r} is not known",
            field=strange[0],
            value=table[strange[0]],
            remedy="use one of: " + ", ".join(_NAMES),
        )
    for name, value in table.items():
        if not isinstance(value, str | int | Decimal | date):
            raise ConfigError(
                f"{path}: {name} is not a single value",
                field=name,
                value=str(value),
                remedy=f'write {name} = "…"',
            )
    return table


def _platform_home() -> str:
    return platformdirs.user_data_dir("keeprate", appauthor=False)


def _config_paths(home: Path, cwd: Path) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((home / CONFIG_NAME, cwd / CONFIG_NAME)))


def _dotenv(cwd: Path) -> dict[str, str]:
    path = cwd / ".env"
    # A folder of that name is somebody's virtual environment.
    if not path.is_file():
        return {}
    values = dotenv_values(stream=StringIO(_text_of(path)))
    return {name: value for name, value in values.items() if value is not None}


def _text_of(path: Path) -> str:
    """Return the text of a file a person wrote; a byte order mark is no part of it."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise ConfigError(
            f"{path} is not text in UTF-8 (its byte {fault.start + 1} is not)",
            field=str(path),
            remedy="save it as UTF-8; some editors write UTF-16",
        ) from fault
    except OSError as fault:
        raise ConfigError(
            f"{path} cannot be read: {fault.strerror}",
            field=str(path),
            remedy="it must be a file that you may read; move what stands in its place away",
        ) from fault


def _parsed(path: str, text: str) -> Mapping[str, object]:
    try:
        # Decimal, not float: a cap of 5.1 is 5.1.
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as fault:
        raise ConfigError(
            f"{path} is not valid TOML: {fault}", field=path, remedy="mend the line it names"
        ) from fault


def _ambient(surroundings: Mapping[str, str]) -> tuple[UpstreamSettings, ...]:
    """Return the upstreams that the environment alone sets up, as Google's SDK reads it."""
    found: list[UpstreamSettings] = []
    emulator = surroundings.get("KEEPRATE_EMULATOR_URL")
    if emulator:
        found.append(
            UpstreamSettings(
                name="emulator",
                surface=GEMINI_API,
                base_url=emulator.rstrip("/"),
                simulated=True,
                credential=Secret("simulated"),
                credential_from="KEEPRATE_EMULATOR_URL",
            )
        )
    key_name = next((name for name in KEY_NAMES if surroundings.get(name)), None)
    if key_name is not None and not emulator:
        found.append(
            UpstreamSettings(
                name="gemini-api",
                surface=GEMINI_API,
                base_url=surroundings.get("GOOGLE_GEMINI_BASE_URL", GEMINI_BASE_URL).rstrip("/"),
                simulated=False,
                credential=Secret(surroundings[key_name]),
                credential_from=key_name,
            )
        )
    if _wants_vertex(surroundings) and not emulator:
        location = surroundings.get("GOOGLE_CLOUD_LOCATION", "global")
        found.append(
            UpstreamSettings(
                name="vertex",
                surface=VERTEX,
                base_url=surroundings.get("GOOGLE_VERTEX_BASE_URL", _vertex_url(location)),
                simulated=False,
                credential=None,
                credential_from="Google default credentials",
                project=surroundings["GOOGLE_CLOUD_PROJECT"],
                location=location,
            )
        )
    return tuple(found)


def _wants_vertex(surroundings: Mapping[str, str]) -> bool:
    asked = surroundings.get("GOOGLE_GENAI_USE_VERTEXAI", "").lower() in {"1", "true"}
    return asked and bool(surroundings.get("GOOGLE_CLOUD_PROJECT"))


def _vertex_url(location: str) -> str:
    host = "aiplatform" if location == "global" else f"{location}-aiplatform"
    return f"https://{host}.googleapis.com"


class _UpstreamRow(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An [[upstream]] table of keeprate.toml; `record` is read by the catalogue."""

    name: str
    surface: str
    base_url: str
    simulated: bool = False
    credential_env: str | None = None
    project: str | None = None
    location: str | None = None
    size_field: Literal["imageConfig", "responseFormat"] = "imageConfig"
    spend_window: str | None = None
    record: dict[str, object] = {}


def _configured(
    documents: tuple[tuple[str, Mapping[str, object]], ...], surroundings: Mapping[str, str]
) -> tuple[UpstreamSettings, ...]:
    found: dict[str, UpstreamSettings] = {}
    for path, table in documents:
        try:
            rows = msgspec.convert(table.get("upstream", ()), tuple[_UpstreamRow, ...])
        except msgspec.ValidationError as fault:
            raise ConfigError(
                f"{path}: [[upstream]] {fault}",
                field="upstream",
                remedy="an upstream takes " + ", ".join(_UpstreamRow.__struct_fields__),
            ) from fault
        found.update((row.name, _upstream(row, surroundings)) for row in rows)
    return tuple(found.values())


def _upstream(row: _UpstreamRow, surroundings: Mapping[str, str]) -> UpstreamSettings:
    credential = surroundings.get(row.credential_env) if row.credential_env else None
    if credential is None and row.simulated:
        credential = "simulated"
    return UpstreamSettings(
        name=row.name,
        surface=Surface(row.surface),
        base_url=row.base_url.rstrip("/"),
        simulated=row.simulated,
        credential=Secret(credential) if credential else None,
        credential_from=row.credential_env,
        project=row.project,
        location=row.location,
        size_field=row.size_field,
        spend_window=row.spend_window,
    )


def process_settings(
    *, home: Path | None = None, as_of: date | None = None, workspace: str | None = None
) -> Settings:
    """Return the settings of this process: the one place that looks at its environment and folder.

    Raises:
        ConfigError: As `read_settings`.
    """
    return read_settings(os.environ, cwd=Path.cwd(), home=home, as_of=as_of, workspace=workspace)

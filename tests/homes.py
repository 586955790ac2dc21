"""Open homes for tests: a library on a given upstream, with nothing read from the machine."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from keeprate.library.front import Keeprate
from keeprate.settings import Settings, read_settings
from keeprate.testing.clocks import ImpatientClock


def settings_at(
    home: Path,
    url: str | None = None,
    extra: Mapping[str, str] | None = None,
    *,
    day: date | None = None,
) -> Settings:
    """Return the settings of a home whose upstream is simulated, at `url` or embedded."""
    environ = {} if url is None else {"KEEPRATE_EMULATOR_URL": url}
    return read_settings(
        {"KEEPRATE_DAY_CAP_USD": "1000", **environ, **(extra or {})}, cwd=home.parent, home=home, as_of=day
    )


def keeprate_at(home: Path, url: str | None = None, *, day: date | None = None) -> Keeprate:
    """Return a library that does not wait between tries."""
    return Keeprate(settings=settings_at(home, url, day=day), clock=ImpatientClock())

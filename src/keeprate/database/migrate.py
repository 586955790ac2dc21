"""Brings a database to the newest schema, inside the transaction it is handed."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from keeprate.domain.errors import ConfigError

HERE = Path(__file__).parent


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's settings for our folder: nothing is read from the working directory."""
    settings = Config()
    # `env.py` lies beside this file: in the folder of the migrations it would be read as one of them.
    settings.set_main_option("script_location", str(HERE).replace("%", "%%"))
    settings.set_main_option("version_locations", str(HERE / "migrations").replace("%", "%%"))
    settings.set_main_option("path_separator", "newline")
    settings.attributes["connection"] = connection
    return settings


def newest() -> str | None:
    """Return the revision the migrations lead to."""
    return ScriptDirectory.from_config(config()).get_current_head()


def upgrade(connection: Connection, revision: str | None) -> None:
    """Run the migrations after `revision` (None: all of them).

    Raises:
        ConfigError: The database was written by a newer Keeprate.
    """
    try:
        command.upgrade(config(connection), "head")
    except CommandError as error:
        raise ConfigError(
            f"the database is of schema {revision}, which this release does not know",
            field="database_url",
            value=revision,
            remedy="use the newer Keeprate that wrote it",
        ) from error

"""Schema versions: upgrade, and the refusal of old code to touch a newer schema. Alembic does the work."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from plugin.domain.errors import ConfigError
from plugin.faults import point

_LOCK = 0x43726F7373  # any number of our own: two upgrades at once wait for each other


def upgrade(url: str) -> str:
    """Bring the database at `url` to this code's schema and return its version. Safe to repeat, to interrupt and to run twice at once.

    Raises:
        ConfigError: the schema is newer than this code.
    """
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _refuse_newer(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            point("migrate.before_commit")
        return head()
    finally:
        engine.dispose()


def require_current(connection: Connection) -> None:
    """Refuse to work on a schema that is not this code's.

    Raises:
        ConfigError: it is older (run `crossdesk db upgrade`) or newer (this code is old).
    """
    _refuse_newer(connection)
    found = current(connection)
    if found != head():
        raise ConfigError(
            f"The database has schema {found or 'none'}, this version of Crossdesk needs {head()}. "
            "Nothing was touched. Run `crossdesk db upgrade`, then start again."
        )


def current(connection: Connection) -> str | None:
    """The schema version of the database, None when it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The schema version of this code."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "there is at least one migration"
    return revision


def _refuse_newer(connection: Connection) -> None:
    found = current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigError(
            f"The database has schema {found}, which is newer than this version of Crossdesk knows ({head()}). "
            "Nothing was touched. Install the newer version of Crossdesk, or restore a backup made by this one."
        )


def _config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config

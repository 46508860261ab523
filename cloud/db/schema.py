"""Brings a central database to this version's tables, from nothing or from any older version.

The steps are in migrations/versions; the way back is a backup. All steps of one start are one transaction, and only
one instance at a time makes them.
"""

from __future__ import annotations

import sys
import tempfile

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, inspect, text

from cloud.db import (  # noqa: F401 - their tables are made too
    asset_models,
    content_models,
    people_models,
    update_models,
    visit_models,
)
from cloud.db.reading_models import Reading
from cloud.db.version import STEPS
from edge.errors import ConfigError

LOCK = 0x6F757470_6D696772  # any number, of this alone
TABLE = Reading.__tablename__


def upgrade(connection: Connection) -> None:
    """Within `connection`'s transaction. Raises ConfigError for a newer version's database, or somebody else's."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = _config(connection)
    at = MigrationContext.configure(connection).get_current_heads()
    steps = ScriptDirectory.from_config(config)
    if at == tuple(steps.get_heads()):
        return
    _require_known(steps, at)
    if not at and inspect(connection).has_table(TABLE):
        raise ConfigError(
            "The database has tables already that this version did not make.",
            hint="Give the centre a database of its own.",
        )
    command.upgrade(config, "head")


def lacking(connection: Connection) -> int:
    """How many steps the database is behind this version. Raises ConfigError for a newer version's."""
    steps = ScriptDirectory.from_config(_config(connection))
    at = MigrationContext.configure(connection).get_current_heads()
    _require_known(steps, at)
    return len(list(steps.iterate_revisions("heads", at or "base")))


def draft(connection: Connection, number: str, name: str) -> None:
    """Write the step that is missing between the database and the models into migrations/versions."""
    command.revision(_config(connection), name.replace("_", " "), autogenerate=True, rev_id=number)


def ours(_thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    """Whether Alembic is to compare it with the models: the months of readings, and what lies in them, are not."""
    return not (kind == "table" and (name or "").startswith(f"{TABLE}_"))


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _require_known(steps: ScriptDirectory, at: tuple[str, ...]) -> None:
    for revision in at:
        try:
            steps.get_revision(revision)
        except CommandError as error:
            raise ConfigError(
                f"The central database is of a newer version of Outpost (schema {revision}).",
                hint="Install that version here too, or restore a backup made before it.",
            ) from error


def _draft_next(name: str) -> None:
    """Draft the step behind all there are, by comparing what they make with the models."""
    number = len(list((STEPS / "versions").glob("[0-9]*.py"))) + 1
    with (
        tempfile.TemporaryDirectory() as folder,
        create_engine(f"sqlite:///{folder}/draft.db").begin() as connection,
    ):
        upgrade(connection)
        draft(connection, f"{number:04}", name)


if __name__ == "__main__":
    _draft_next(sys.argv[1])

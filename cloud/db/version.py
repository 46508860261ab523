"""Whether a central database has this version's tables, asked without the tool that makes them.

Alembic takes as long to load as most of the centre, and there is something for it to do once a version.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

STEPS = Path(__file__).with_name("migrations")
_MADE = text("SELECT version_num FROM alembic_version")  # the number of the last step


def is_newest(connection: Connection) -> bool:
    """Whether every step of this version has been made, and no other."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    made = connection.execute(_MADE).scalars().all()
    return list(made) == [max(step.name.partition("_")[0] for step in (STEPS / "versions").glob("[0-9]*.py"))]

"""What Alembic runs for each command: over the connection it was given, in that connection's transaction."""

from __future__ import annotations

from alembic import context

from cloud.db.models import Base
from cloud.db.schema import ours  # which knows all models

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=ours,
)
context.run_migrations()

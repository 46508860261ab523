"""What was lost of a site's readings is found without looking through all its facts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """To this version, on both engines."""
    gaps = sa.text("kind = 'gap'")
    op.create_index(
        "ix_facts_gaps",
        "facts",
        ["tenant_id", "site_id", "at_us"],
        unique=False,
        sqlite_where=gaps,
        postgresql_where=gaps,
    )

"""A command is found by its id alone, and those of a site, a device, a kind or somebody in the order they came."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """To this version, on both engines."""
    for columns in (["id"], ["site_id", "number"], ["device", "number"], ["kind", "number"], ["actor", "number"]):
        name = "_".join(["ix_commands_tenant_id", *columns])
        op.create_index(op.f(name), "commands", ["tenant_id", *columns], unique=False)

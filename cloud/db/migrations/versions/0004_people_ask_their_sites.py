"""What people with an older system's app ask of their sites on its way, and which hubs know them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this version, on both engines."""
    op.add_column("people", sa.Column("preferences", sa.Text(), server_default="{}", nullable=False))
    op.create_table(
        "acquaintances",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("applied", sa.Boolean(), nullable=False),
        sa.Column("told_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "person_id", name=op.f("pk_acquaintances")),
    )
    op.create_table(
        "visits",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("expires_us", BIG, nullable=False),
        sa.Column("handed_us", BIG, nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "id", name=op.f("pk_visits")),
    )
    op.create_index(op.f("ix_visits_expires_us"), "visits", ["expires_us"], unique=False)

"""Assets: their states over time, what is due of them, and what people said of their stops."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this version, on both engines."""
    op.create_table(
        "asset_bands",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset", BIG, autoincrement=False, nullable=False),
        sa.Column("at_us", BIG, autoincrement=False, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("raw", sa.SmallInteger(), nullable=False),
        sa.Column("past", sa.SmallInteger(), nullable=False),
        sa.Column("began_us", BIG, nullable=False),
        sa.Column("stopped_us", BIG, nullable=False),
        sa.Column("run_us", BIG, nullable=False),
        sa.Column("stop_us", BIG, nullable=False),
        sa.Column("planned_us", BIG, nullable=False),
        sa.Column("stops", sa.Integer(), nullable=False),
        sa.Column("short_stops", sa.Integer(), nullable=False),
        sa.Column("ended_stops", sa.Integer(), nullable=False),
        sa.Column("anew", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "asset", "at_us", name=op.f("pk_asset_bands")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_asset_bands_begins",
        "asset_bands",
        ["tenant_id", "at_us", "site_id", "asset"],
        unique=False,
        sqlite_where=sa.text("began_us = at_us"),
        postgresql_where=sa.text("began_us = at_us"),
    )
    op.create_index(
        "ix_asset_bands_ends",
        "asset_bands",
        ["tenant_id", "site_id", "asset", "at_us", "began_us", "stopped_us", "state", "anew"],
        unique=False,
        sqlite_where=sa.text("began_us > 0 AND (state = 1 OR anew)"),
        postgresql_where=sa.text("began_us > 0 AND (state = 1 OR anew)"),
    )
    op.create_index(
        "ix_asset_bands_longest",
        "asset_bands",
        ["tenant_id", "site_id", "asset", "stopped_us", "at_us", "began_us", "state", "anew"],
        unique=False,
        sqlite_where=sa.text("began_us > 0 AND (state = 1 OR anew)"),
        postgresql_where=sa.text("began_us > 0 AND (state = 1 OR anew)"),
    )
    op.create_table(
        "asset_explanations",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("from_us", BIG, nullable=False),
        sa.Column("to_us", BIG, nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("mono_ms", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reason_name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("said_us", BIG, nullable=False),
        sa.Column("said_quality", sa.Text(), nullable=False),
        sa.Column("said_boot_id", sa.Text(), nullable=False),
        sa.Column("said_mono_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "number", name=op.f("pk_asset_explanations")),
    )
    op.create_index(
        op.f("ix_asset_explanations_tenant_id_site_id_asset_to_us"),
        "asset_explanations",
        ["tenant_id", "site_id", "asset", "to_us"],
        unique=False,
    )
    op.create_table(
        "asset_marks",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("upto_us", BIG, nullable=False),
        sa.Column("evidence_us", BIG, nullable=False),
        sa.Column("raw", sa.SmallInteger(), nullable=False),
        sa.Column("alive_s", sa.Float(precision=53), nullable=True),
        sa.Column("look_us", BIG, nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "asset", name=op.f("pk_asset_marks")),
    )
    op.create_index(op.f("ix_asset_marks_look_us"), "asset_marks", ["look_us"], unique=False)
    op.create_index(op.f("ix_asset_marks_tenant_id_number"), "asset_marks", ["tenant_id", "number"], unique=True)
    op.create_table(
        "assets_due",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("from_us", BIG, nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "device", name=op.f("pk_assets_due")),
    )
    op.add_column("streams", sa.Column("watched", BIG, server_default="0", nullable=False))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE asset_numbers")

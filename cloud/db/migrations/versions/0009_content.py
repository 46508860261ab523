"""Content of all sites: documents and their versions, what was sent to which site, and pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this version, on both engines."""
    op.create_table(
        "content_at_sites",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("known", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sent_us", BIG, nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("changed_us", BIG, nullable=False),
        sa.Column("their_by", sa.Text(), nullable=False),
        sa.Column("their_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "kind", "id", name=op.f("pk_content_at_sites")),
    )
    op.create_index(
        op.f("ix_content_at_sites_tenant_id_kind_id"), "content_at_sites", ["tenant_id", "kind", "id"], unique=False
    )
    op.create_index(
        op.f("ix_content_at_sites_tenant_id_site_id_item"),
        "content_at_sites",
        ["tenant_id", "site_id", "item"],
        unique=False,
    )
    op.create_table(
        "content_documents",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("published_hash", sa.Text(), nullable=False),
        sa.Column("changed_us", BIG, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("published_us", BIG, nullable=True),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "id", name=op.f("pk_content_documents")),
    )
    op.create_table(
        "content_pictures",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("colour", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_content_pictures")),
    )
    op.create_table(
        "content_versions",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("back_to", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "id", "version", name=op.f("pk_content_versions")),
    )

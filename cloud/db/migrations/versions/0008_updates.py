"""Firmware of all sites: artifacts and their bytes, trusted keys, groups, rollouts and how updates ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STEPS = "'waiting', 'offered', 'downloading', 'verified', 'staged', 'testing', 'delayed'"
OPEN = sa.text(f"step IN ({STEPS})")  # of devices that have not ended
STANDS = sa.text("state IN ('scheduled', 'running', 'paused')")


def upgrade() -> None:
    """To this version, on both engines."""
    op.create_table(
        "artifact_files",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("artifact", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("crc32", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "artifact", "path", name=op.f("pk_artifact_files")),
    )
    op.create_index(
        op.f("ix_artifact_files_tenant_id_sha256"), "artifact_files", ["tenant_id", "sha256"], unique=False
    )
    op.create_table(
        "artifacts",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("chip", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("security", sa.Integer(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("md5", sa.Text(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("signatures", sa.LargeBinary(), nullable=False),
        sa.Column("legacy_only", sa.Boolean(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_artifacts")),
        sa.UniqueConstraint(
            "tenant_id",
            "kind",
            "target",
            "chip",
            "version",
            name=op.f("uq_artifacts_tenant_id_kind_target_chip_version"),
        ),
    )
    op.create_index(
        op.f("ix_artifacts_tenant_id_created_us_id"), "artifacts", ["tenant_id", "created_us", "id"], unique=False
    )
    op.create_table(
        "blob_pieces",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "sha256", "number", name=op.f("pk_blob_pieces")),
    )
    op.create_table(
        "blobs",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("touched_us", BIG, nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "sha256", name=op.f("pk_blobs")),
    )
    op.create_index(op.f("ix_blobs_touched_us"), "blobs", ["touched_us"], unique=False)
    op.create_table(
        "device_group_members",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "device", "name", name=op.f("pk_device_group_members")),
    )
    op.create_index(
        op.f("ix_device_group_members_tenant_id_name"), "device_group_members", ["tenant_id", "name"], unique=False
    )
    op.create_table(
        "device_groups",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_device_groups")),
    )
    op.create_table(
        "firmware_keys",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pem", sa.Text(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_firmware_keys")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_firmware_keys_tenant_id_name")),
    )
    op.create_table(
        "rollout_clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("watched_s", sa.Float(precision=53), nullable=False),
        sa.Column("seen_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout_clock")),
    )
    op.create_table(
        "rollout_devices",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("deadline_s", sa.Float(precision=53), nullable=True),
        sa.Column("left_s", sa.Float(precision=53), nullable=True),
        sa.Column("changed_us", BIG, nullable=True),
        sa.Column("item", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "rollout", "device", name=op.f("pk_rollout_devices")),
    )
    op.create_index(
        "ix_rollout_devices_deadline",
        "rollout_devices",
        ["deadline_s"],
        unique=False,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index(
        "ix_rollout_devices_open",
        "rollout_devices",
        ["tenant_id", "site_id", "device"],
        unique=False,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index(
        op.f("ix_rollout_devices_tenant_id_rollout_place"),
        "rollout_devices",
        ["tenant_id", "rollout", "place"],
        unique=True,
    )
    op.create_index(
        op.f("ix_rollout_devices_tenant_id_rollout_wave_step"),
        "rollout_devices",
        ["tenant_id", "rollout", "wave", "step"],
        unique=False,
    )
    op.create_index(
        op.f("ix_rollout_devices_tenant_id_site_id_item"),
        "rollout_devices",
        ["tenant_id", "site_id", "item"],
        unique=False,
    )
    op.create_table(
        "rollout_waves",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began_us", BIG, nullable=False),
        sa.Column("reached_s", sa.Float(precision=53), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "rollout", "number", name=op.f("pk_rollout_waves")),
    )
    op.create_table(
        "rollouts",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("artifact", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("sites", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("devices", sa.Integer(), nullable=False),
        sa.Column("starts_us", BIG, nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("started_us", BIG, nullable=True),
        sa.Column("ended_us", BIG, nullable=True),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("change", BIG, nullable=False),
        sa.Column("txid", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rollouts")),
        sa.UniqueConstraint(
            "tenant_id", "created_by", "request", name=op.f("uq_rollouts_tenant_id_created_by_request")
        ),
    )
    op.create_index(
        "ix_rollouts_stand",
        "rollouts",
        ["tenant_id", "id"],
        unique=False,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_index(op.f("ix_rollouts_tenant_id_artifact"), "rollouts", ["tenant_id", "artifact"], unique=False)
    op.create_index(
        op.f("ix_rollouts_tenant_id_created_us_id"), "rollouts", ["tenant_id", "created_us", "id"], unique=False
    )
    op.create_index(
        op.f("ix_rollouts_tenant_id_txid_change"), "rollouts", ["tenant_id", "txid", "change"], unique=False
    )
    op.create_table(
        "rollouts_due",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "rollout", name=op.f("pk_rollouts_due")),
    )
    op.create_table(
        "update_ends",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("rollout", sa.Text(), nullable=False),
        sa.Column("artifact", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "device", "rollout", name=op.f("pk_update_ends")),
    )
    op.create_index(
        op.f("ix_update_ends_tenant_id_ended_us"), "update_ends", ["tenant_id", "ended_us"], unique=False
    )

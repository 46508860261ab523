"""All tables as they were at first; on PostgreSQL the numbers' sequences and a home for readings of odd times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this version, on both engines."""
    op.create_table(
        "audit",
        sa.Column("id", BIG, sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_tenant_id_id"), "audit", ["tenant_id", "id"], unique=False)
    op.create_index(op.f("ix_audit_tenant_id_site_id_id"), "audit", ["tenant_id", "site_id", "id"], unique=False)
    op.create_table(
        "boots",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "epoch_no", "number", name=op.f("pk_boots")),
    )
    op.create_table(
        "clock_fixes",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("began_us", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "boot_id", name=op.f("pk_clock_fixes")),
    )
    op.create_table(
        "commands",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("expires_us", BIG, nullable=False),
        sa.Column("ended_us", BIG, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("seq", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.Text(), nullable=False),
        sa.Column("duration_s", sa.Float(precision=53), nullable=True),
        sa.Column("tries", sa.Text(), nullable=False),
        sa.Column("first_epoch", sa.Integer(), nullable=False),
        sa.Column("first_seq", BIG, nullable=False),
        sa.Column("fact_epoch", sa.Integer(), nullable=False),
        sa.Column("fact_seq", BIG, nullable=False),
        sa.Column("change", BIG, nullable=False),
        sa.Column("txid", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "id", name=op.f("pk_commands")),
    )
    op.create_index(
        "ix_commands_open",
        "commands",
        ["tenant_id", "site_id", "number"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'sent')"),
        postgresql_where=sa.text("state IN ('queued', 'sent')"),
    )
    op.create_index(op.f("ix_commands_tenant_id_number"), "commands", ["tenant_id", "number"], unique=False)
    op.create_index(
        op.f("ix_commands_tenant_id_site_id_device_number"),
        "commands",
        ["tenant_id", "site_id", "device", "number"],
        unique=False,
    )
    op.create_index(
        op.f("ix_commands_tenant_id_state_number"), "commands", ["tenant_id", "state", "number"], unique=False
    )
    op.create_index(
        op.f("ix_commands_tenant_id_txid_change"), "commands", ["tenant_id", "txid", "change"], unique=False
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "epochs",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("epoch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("base", BIG, nullable=False),
        sa.Column("base_hash", sa.LargeBinary(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("began_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "stream", "epoch_no", name=op.f("pk_epochs")),
    )
    op.create_table(
        "facts",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("epoch_no", sa.Integer(), nullable=False),
        sa.Column("arrival", BIG, nullable=False),
        sa.Column("txid", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("mono_ms", BIG, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("received_us", BIG, nullable=False),
        sa.Column("skipped", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "seq", "hash", name=op.f("pk_facts")),
    )
    op.create_index(op.f("ix_facts_tenant_id_arrival"), "facts", ["tenant_id", "arrival"], unique=False)
    op.create_index(
        op.f("ix_facts_tenant_id_site_id_txid_arrival"),
        "facts",
        ["tenant_id", "site_id", "txid", "arrival"],
        unique=False,
    )
    op.create_index(
        op.f("ix_facts_tenant_id_txid_arrival"), "facts", ["tenant_id", "txid", "arrival"], unique=False
    )
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.Text(), nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "actor", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "inbox",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("expires_us", BIG, nullable=True),
        sa.Column("handed_us", BIG, nullable=True),
        sa.Column("handed_run", sa.Text(), nullable=False),
        sa.Column("harmless", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("ended_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "seq", name=op.f("pk_inbox")),
        sa.UniqueConstraint("tenant_id", "site_id", "id", name=op.f("uq_inbox_tenant_id_site_id_id")),
    )
    op.create_index(
        "ix_inbox_expiring",
        "inbox",
        ["expires_us"],
        unique=False,
        sqlite_where=sa.text("outcome = '' AND handed_us IS NULL"),
        postgresql_where=sa.text("outcome = '' AND handed_us IS NULL"),
    )
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["tenant_id", "site_id", "seq"],
        unique=False,
        sqlite_where=sa.text("outcome = ''"),
        postgresql_where=sa.text("outcome = ''"),
    )
    op.create_table(
        "keys",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("sites", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("weak", sa.Boolean(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("used_us", BIG, nullable=True),
        sa.Column("revoked_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_keys_hash")),
    )
    op.create_table(
        "readings",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("series", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_us", BIG, autoincrement=False, nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("num", sa.Float(precision=53), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.Column("late_us", BIG, nullable=False),
        sa.Column("boot", BIG, nullable=False),
        sa.Column("mono_ms", BIG, nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "site_id", "epoch_no", "series", "at_us", "seq", name=op.f("pk_readings")
        ),
        postgresql_partition_by="RANGE (at_us)",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_readings_unset",
        "readings",
        ["tenant_id", "site_id", "epoch_no", "boot", "series", "mono_ms"],
        unique=False,
        sqlite_where=sa.text("quality = 0 AND boot < 0"),
        postgresql_where=sa.text("quality = 0 AND boot < 0"),
    )
    op.create_table(
        "receipts",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", BIG, autoincrement=False, nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "epoch_no", "first", name=op.f("pk_receipts")),
    )
    op.create_table(
        "rollups",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("series", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour_us", BIG, autoincrement=False, nullable=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("sum", sa.Float(precision=53), nullable=False),
        sa.Column("min", sa.Float(precision=53), nullable=False),
        sa.Column("max", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "epoch_no", "series", "hour_us", name=op.f("pk_rollups")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollups_due",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", BIG, autoincrement=False, nullable=False),
        sa.Column("epoch_no", sa.Integer(), nullable=False),
        sa.Column("from_us", BIG, nullable=False),
        sa.Column("to_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "n", name=op.f("pk_rollups_due")),
    )
    op.create_table(
        "series",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "epoch_no", "number", name=op.f("pk_series")),
    )
    op.create_index(
        op.f("ix_series_tenant_id_site_id_device_key"),
        "series",
        ["tenant_id", "site_id", "device", "key"],
        unique=False,
    )
    op.create_table(
        "sites",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_until_us", BIG, nullable=False),
        sa.Column("code_place", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("session", BIG, nullable=False),
        sa.Column("seen_us", BIG, nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("rollup_offset_us", BIG, nullable=True),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("report_us", BIG, nullable=False),
        sa.Column("inbox_last", BIG, nullable=False),
        sa.Column("inbox_acked", BIG, nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sites")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_sites_code_hash")),
        sa.UniqueConstraint("id", name=op.f("uq_sites_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_sites_slug")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_sites_tenant_id_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sites_token_hash")),
    )
    op.create_table(
        "states",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("session", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("received_us", BIG, nullable=False),
        sa.Column("change", BIG, nullable=False),
        sa.Column("txid", BIG, nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "kind", "id", name=op.f("pk_states")),
    )
    op.create_index(
        op.f("ix_states_tenant_id_kind_device_site_id_id"),
        "states",
        ["tenant_id", "kind", "device", "site_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_states_tenant_id_txid_change"), "states", ["tenant_id", "txid", "change"], unique=False
    )
    op.create_table(
        "streams",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("epoch_no", sa.Integer(), nullable=False),
        sa.Column("next", BIG, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("high", BIG, nullable=False),
        sa.Column("head", BIG, nullable=False),
        sa.Column("complete_us", BIG, nullable=False),
        sa.Column("moved_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "stream", name=op.f("pk_streams")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("name", name=op.f("uq_tenants_name")),
    )
    op.create_table(
        "transactions",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("price", BIG, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("ended_us", BIG, nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=False),
        sa.Column("fact_epoch", sa.Integer(), nullable=False),
        sa.Column("fact_seq", BIG, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "site_id", "id", name=op.f("pk_transactions")),
    )
    op.create_index(op.f("ix_transactions_tenant_id_number"), "transactions", ["tenant_id", "number"], unique=False)
    if op.get_bind().dialect.name == "postgresql":
        for name in ("arrival", "change", "command"):
            op.execute(f"CREATE SEQUENCE {name}_numbers")
        op.execute("CREATE TABLE readings_other PARTITION OF readings DEFAULT")

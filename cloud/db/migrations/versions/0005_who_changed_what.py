"""Who changed something at a hub is found among its facts, and who changed what at the centre by name and kind."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

PAGE = 5000
SOMEBODY = ("key:", "login:", "user:")
FOR_CUSTOMERS = ("display_qr", "start_rotation", "stop_rotation", "vend")
ACTOR_CHARS = 200


def upgrade() -> None:
    """To this version, on both engines; facts that are here already are looked through once."""
    op.add_column("facts", sa.Column("actor", sa.Text(), nullable=False, server_default=""))
    _fill(op.get_bind())
    changes = sa.text("actor <> ''")
    for name, columns in (
        ("ix_facts_changes", ["arrival"]),
        ("ix_facts_site_changes", ["site_id", "arrival"]),
        ("ix_facts_actor_changes", ["actor", "arrival"]),
        ("ix_facts_kind_changes", ["kind", "arrival"]),
    ):
        op.create_index(
            name,
            "facts",
            ["tenant_id", *columns],
            unique=False,
            sqlite_where=changes,
            postgresql_where=changes,
        )
    op.create_index("ix_audit_actor", "audit", ["tenant_id", "actor", "id"], unique=False)
    op.create_index("ix_audit_what", "audit", ["tenant_id", "what", "id"], unique=False)


def _fill(connection: sa.Connection) -> None:
    facts = sa.table(
        "facts",
        *(sa.column(name) for name in ("tenant_id", "site_id", "seq", "hash", "arrival", "kind", "body", "actor")),
    )
    columns = facts.c
    says_who = columns.body.like('%"by":%') | columns.kind.in_(["command.queued", "site.enrolled", "site.left"])
    page = (
        sa.select(columns.tenant_id, columns.site_id, columns.seq, columns.hash, columns.arrival, columns.kind,
                  columns.body)
        .where(columns.tenant_id == sa.bindparam("tenant"), columns.arrival > sa.bindparam("behind"), says_who)
        .order_by(columns.arrival)
        .limit(PAGE)
    )  # fmt: skip
    key = [columns[name] == sa.bindparam(f"of_{name}") for name in ("tenant_id", "site_id", "seq", "hash")]
    put = sa.update(facts).where(*key).values(actor=sa.bindparam("who"))
    tenants = connection.execute(sa.text("SELECT id FROM tenants ORDER BY id")).scalars().all()
    for tenant in tenants:
        behind = -1
        while rows := connection.execute(page, {"tenant": tenant, "behind": behind}).all():
            found = [
                {"of_tenant_id": row[0], "of_site_id": row[1], "of_seq": row[2], "of_hash": row[3], "who": who}
                for row in rows
                if (who := _actor_of(row[5], row[6]))
            ]
            if found:
                connection.execute(put, found)
            behind = rows[-1][4]


def _actor_of(kind: str, body: str) -> str:
    """As the program of this version finds it where facts come in."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict) or (kind == "command.queued" and told.get("kind") in FOR_CUSTOMERS):
        return ""
    actor = told.get("actor" if kind in ("command.queued", "site.enrolled", "site.left") else "by", "")
    if not isinstance(actor, str) or not (actor.startswith(SOMEBODY) or actor == "sign-up"):
        return ""
    return actor[:ACTOR_CHARS]

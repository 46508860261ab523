"""The only SQL for keys."""

from __future__ import annotations

from edge.access.model import Key
from edge.serving.roles import Role
from edge.store.transaction import Row, Transaction

COLUMNS = "id, name, role, scope, hash, weak, created_us, created_by, revoked_us"


def insert(tx: Transaction, key: Key) -> None:
    """Add a key and its fact."""
    tx.execute(
        f"INSERT INTO keys({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key.id,
            key.name,
            key.role.label,
            key.scope,
            key.hash,
            int(key.weak),
            key.created_us,
            key.created_by,
            None,
        ),
    )
    tx.fact(
        "key.created", key.id, name=key.name, role=key.role.label, scope=key.scope, weak=key.weak, by=key.created_by
    )


def revoke(tx: Transaction, key_id: str, actor: str) -> bool:
    """Revoke a key that is not yet; False when there is none."""
    done = tx.one(
        "UPDATE keys SET revoked_us = ? WHERE id = ? AND revoked_us IS NULL RETURNING name",
        (tx.stamp.at_us, key_id),
    )
    if done:
        tx.fact("key.revoked", key_id, name=done[0], by=actor)
    return done is not None


def all_keys(tx: Transaction) -> list[Key]:
    """Every key, revoked ones too."""
    return [_key(row) for row in tx.rows(f"SELECT {COLUMNS} FROM keys ORDER BY created_us")]


def _key(row: Row) -> Key:
    return Key(
        id=row[0],
        name=row[1],
        role=Role.parse(row[2]),
        scope=row[3],
        hash=row[4],
        weak=bool(row[5]),
        created_us=row[6],
        created_by=row[7],
        revoked_us=row[8],
    )

"""The only SQL for groups of devices."""

from __future__ import annotations

from collections.abc import Sequence

from edge.store.transaction import Transaction

ALL = (
    "SELECT g.name, m.device_id FROM device_groups AS g LEFT JOIN device_group_members AS m USING (name)"
    " ORDER BY g.name, m.device_id"
)


def count(tx: Transaction) -> int:
    """How many groups there are."""
    row = tx.one("SELECT COUNT(*) FROM device_groups")
    return int(row[0]) if row else 0


def members(tx: Transaction, name: str) -> list[str] | None:
    """The devices of a group; None when there is none of that name."""
    if tx.one("SELECT 1 FROM device_groups WHERE name = ?", (name,)) is None:
        return None
    rows = tx.rows("SELECT device_id FROM device_group_members WHERE name = ? ORDER BY 1", (name,))
    return [row[0] for row in rows]


def save(tx: Transaction, name: str, devices: Sequence[str]) -> None:
    """These are all of it."""
    tx.execute("INSERT INTO device_groups(name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
    tx.execute("DELETE FROM device_group_members WHERE name = ?", (name,))
    for device in devices:
        tx.execute("INSERT INTO device_group_members(name, device_id) VALUES (?,?)", (name, device))


def remove(tx: Transaction, name: str) -> bool:
    """Remove a group; whether there was one."""
    return tx.one("DELETE FROM device_groups WHERE name = ? RETURNING name", (name,)) is not None


def leave(tx: Transaction, device_id: str) -> None:
    """A device is in no group any more."""
    tx.execute("DELETE FROM device_group_members WHERE device_id = ?", (device_id,))

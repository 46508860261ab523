"""The only SQL for device logs."""

from __future__ import annotations

from edge.clock import Stamp
from edge.store.transaction import Transaction

TAIL = "SELECT at_us, level, text FROM device_log WHERE device_id = ? ORDER BY id DESC LIMIT ?"


def add(tx: Transaction, device_id: str, stamp: Stamp, level: str, text: str, keep: int | None) -> None:
    """Add a line; with `keep`, forget all but that many newest."""
    tx.execute(
        "INSERT INTO device_log(device_id, at_us, quality, boot_id, mono_ms, level, text) VALUES (?,?,?,?,?,?,?)",
        (device_id, stamp.at_us, stamp.quality.value, stamp.boot_id, stamp.mono_ms, level, text),
    )
    if keep is not None:
        tx.execute(
            "DELETE FROM device_log WHERE device_id = ?1 AND id <="
            " (SELECT id FROM device_log WHERE device_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            (device_id, keep),
        )

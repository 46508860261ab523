"""The only SQL for desired state."""

from __future__ import annotations

import msgspec

from edge.store.transaction import Row, Transaction
from edge.telemetry.twins.model import Twin, encode

_COLUMNS = "device_id, version, desired, changed_us, changed_by"


def load(tx: Transaction) -> list[Twin]:
    """Every twin."""
    return [_twin(row) for row in tx.rows(f"SELECT {_COLUMNS} FROM twins")]


def get(tx: Transaction, device_id: str) -> Twin:
    """A device's twin as it is now, version 0 when it has none."""
    row = tx.one(f"SELECT {_COLUMNS} FROM twins WHERE device_id = ?", (device_id,))
    return _twin(row) if row else Twin(device_id=device_id)


def save(tx: Transaction, twin: Twin) -> None:
    """Insert or replace; a version never falls."""
    tx.execute(
        f"INSERT INTO twins({_COLUMNS}) VALUES (?,?,?,?,?) ON CONFLICT(device_id) DO UPDATE SET"
        " version=excluded.version, desired=excluded.desired, changed_us=excluded.changed_us,"
        " changed_by=excluded.changed_by WHERE excluded.version > version",
        (twin.device_id, twin.version, encode(twin.desired).decode(), twin.changed_us, twin.changed_by),
    )


def _twin(row: Row) -> Twin:
    return Twin(
        device_id=row[0],
        version=row[1],
        desired=msgspec.json.decode(row[2]),
        changed_us=row[3],
        changed_by=row[4],
    )

"""The only SQL for Bluetooth sensors: the device at each address, its bind key, and how far it has counted."""

from __future__ import annotations

import msgspec

from edge.store.transaction import Transaction


class Kept(msgspec.Struct, frozen=True):
    """A sensor that was taken in. `address` is 12 hex digits; `counter` -1: nothing encrypted was heard."""

    device_id: str
    address: str
    bind_key: bytes | None
    counter: int

    def __repr__(self) -> str:
        return f"Kept({self.device_id!r}, {self.address!r})"  # a key must not reach a log


def load(tx: Transaction) -> list[Kept]:
    """Every sensor."""
    rows = tx.rows("SELECT device_id, address, bind_key, counter FROM ble_sensors ORDER BY address")
    return [Kept(*row) for row in rows]


def save(tx: Transaction, kept: Kept, fact: str, *, by: str) -> None:
    """Insert or replace one, and say in the ledger what became true; never the key."""
    tx.execute(
        "INSERT INTO ble_sensors(device_id, address, bind_key, counter) VALUES (?,?,?,?) ON CONFLICT(device_id)"
        " DO UPDATE SET address=excluded.address, bind_key=excluded.bind_key, counter=excluded.counter",
        (kept.device_id, kept.address, kept.bind_key, kept.counter),
    )
    tx.fact(fact, kept.device_id, address=kept.address, encrypted=kept.bind_key is not None, by=by)


def count(tx: Transaction, counters: dict[str, int]) -> None:
    """Remember how far these devices have counted."""
    for device_id, counter in counters.items():
        tx.execute("UPDATE ble_sensors SET counter = ? WHERE device_id = ?", (counter, device_id))


def drop(tx: Transaction, device_id: str) -> None:
    """Forget one, with its key."""
    tx.execute("DELETE FROM ble_sensors WHERE device_id = ?", (device_id,))

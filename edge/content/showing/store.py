"""The only SQL for what panels have shown."""

from __future__ import annotations

import msgspec

from edge.store.transaction import Row, Transaction

KEPT = 200  # receipts of a device: a day of an e-paper that is drawn every seven minutes

_COLUMNS = "number, device_id, picture, screen, version, evidence, at_us, at_clock"
LAST = f"SELECT {_COLUMNS} FROM shown WHERE number IN (SELECT MAX(number) FROM shown GROUP BY device_id)"
PAGE = (
    f"SELECT {_COLUMNS} FROM shown WHERE (:device = '' OR device_id = :device) AND number < :before"
    " ORDER BY number DESC LIMIT :limit"
)
HAD = "SELECT 1 FROM shown WHERE device_id = ? AND picture = ? LIMIT 1"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A device showed a picture from a time on; '' for nothing that the hub scheduled. `screen`: the layout or
    picture it was, '' for one that this hub does not know; `at_clock` as the database keeps times."""

    number: int = 0
    device: str
    picture: str
    screen: str
    version: int
    evidence: str
    at_us: int
    at_clock: str | None = None


def add(tx: Transaction, receipt: Receipt) -> int:
    """Keep one, and as many of its device as are kept; returns its number."""
    cursor = tx.execute(
        "INSERT INTO shown(device_id, picture, screen, version, evidence, at_us, at_clock)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            receipt.device,
            receipt.picture,
            receipt.screen,
            receipt.version,
            receipt.evidence,
            receipt.at_us,
            receipt.at_clock,
        ),
    )
    tx.execute(
        "DELETE FROM shown WHERE device_id = ? AND number <="
        " (SELECT number FROM shown WHERE device_id = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
        (receipt.device, receipt.device, KEPT),
    )
    return int(cursor.lastrowid or 0)


def instead(tx: Transaction, number: int, receipt: Receipt) -> int:
    """Keep one in another's place; returns its number."""
    tx.execute(
        "UPDATE shown SET picture = ?, evidence = ?, at_us = ?, at_clock = ? WHERE number = ?",
        (receipt.picture, receipt.evidence, receipt.at_us, receipt.at_clock, number),
    )
    return number


def told(tx: Transaction, number: int, evidence: str) -> None:
    """There is better evidence of it."""
    tx.execute("UPDATE shown SET evidence = ? WHERE number = ?", (evidence, number))


def forget(tx: Transaction, device_id: str) -> None:
    """Drop what a device has shown."""
    tx.execute("DELETE FROM shown WHERE device_id = ?", (device_id,))


def receipt_of(row: Row) -> Receipt:
    """A row of LAST or PAGE."""
    number, device, picture, screen, version, evidence, at_us, at_clock = row
    return Receipt(
        number=number,
        device=device,
        picture=picture,
        screen=screen,
        version=version,
        evidence=evidence,
        at_us=at_us,
        at_clock=at_clock,
    )

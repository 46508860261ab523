"""The only SQL for orders of head office that wait here."""

from __future__ import annotations

import msgspec

from edge.store.transaction import Row, Transaction
from edge.wire.centre_content import ContentOrder

ALL = "SELECT number, body, actor FROM content_orders ORDER BY number"


class Waiting(msgspec.Struct, frozen=True):
    """An order, and who gave it."""

    number: int
    order: ContentOrder
    actor: str


def waiting(row: Row) -> Waiting:
    """A row of ALL."""
    return Waiting(row[0], msgspec.json.decode(row[1], type=ContentOrder), row[2])


def add(tx: Transaction, order: ContentOrder, actor: str) -> None:
    """Keep an order."""
    tx.execute(
        "INSERT OR IGNORE INTO content_orders(item, body, actor) VALUES (?, ?, ?)",
        (order.order, msgspec.json.encode(order).decode(), actor),
    )


def remove(tx: Transaction, item: str) -> bool:
    """It is over; False where it was already."""
    return bool(tx.rows("DELETE FROM content_orders WHERE item = ? RETURNING number", (item,)))

"""The only SQL for notices."""

from __future__ import annotations

import msgspec

from edge.store.transaction import Row, Transaction, Value

KEPT = 500  # of one owner, newest; a notice nobody has read by then says nothing any more
_COLUMNS = "id, owner, at_us, type, title, message, details, device_id, widget_id, read"
PAGE = f"SELECT {_COLUMNS} FROM notices WHERE owner = ? ORDER BY number DESC LIMIT ?"
EVERYBODYS = f"SELECT {_COLUMNS}, number FROM notices WHERE number < ? ORDER BY number DESC LIMIT ?"
LAST_OF_DEVICES = (
    "SELECT device_id, type FROM notices WHERE number IN (SELECT MAX(number) FROM notices WHERE type IN (?, ?)"
    " GROUP BY device_id)"
)


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody is told. `owner` is an account's id, '' for the site's technicians."""

    id: str
    owner: str
    at_us: int
    type: str
    title: str
    message: str
    details: str = ""
    device_id: str = ""
    widget_id: str = ""
    read: bool = False


def insert(tx: Transaction, new: Notice) -> None:
    """Keep a new one, and of its owner's the newest."""
    tx.execute(
        f"INSERT INTO notices({_COLUMNS}) VALUES ({','.join('?' * 10)})",
        (
            new.id,
            new.owner,
            new.at_us,
            new.type,
            new.title,
            new.message,
            new.details,
            new.device_id,
            new.widget_id,
            int(new.read),
        ),
    )
    tx.execute(
        "DELETE FROM notices WHERE owner = ?1 AND number <= (SELECT number FROM notices WHERE owner = ?1"
        " ORDER BY number DESC LIMIT 1 OFFSET ?2)",
        (new.owner, KEPT),
    )


def mark_read(tx: Transaction, owner: str, notice_id: str | None) -> int:
    """Mark one of an owner's, or with None all; returns how many there were to mark."""
    which, values = ("", ()) if notice_id is None else (" AND id = ?", (notice_id,))
    given: tuple[Value, ...] = (owner, *values)
    return tx.execute(f"UPDATE notices SET read = 1 WHERE owner = ?{which}", given).rowcount


def delete(tx: Transaction, owner: str, notice_id: str) -> int:
    """Remove one of an owner's; returns how many there were."""
    return tx.execute("DELETE FROM notices WHERE owner = ? AND id = ?", (owner, notice_id)).rowcount


def notice(row: Row) -> Notice:
    """One row."""
    return Notice(
        id=row[0],
        owner=row[1],
        at_us=row[2],
        type=row[3],
        title=row[4],
        message=row[5],
        details=row[6],
        device_id=row[7],
        widget_id=row[8],
        read=bool(row[9]),
    )

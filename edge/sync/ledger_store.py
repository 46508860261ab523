"""What the ledger's lane reads of hub.db, on a connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from edge.store.ledger import COLUMNS
from edge.wire.ledger import GENESIS
from edge.wire.sync import FactRow, LedgerBatch, pack

BATCH_CHARS = 8 * 1024 * 1024  # of bodies in one batch, far below what a centre unpacks
_SPAN = "SELECT (SELECT MIN(seq) FROM ledger), (SELECT MAX(seq) FROM ledger)"  # both in one would read all


def span(raw: sqlite3.Connection) -> tuple[int, int]:
    """First and last number, (1, 0) when there is none."""
    first, last = raw.execute(_SPAN).fetchone()
    return (first, last) if first is not None else (1, 0)


def hashes(raw: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """The hash of each of these rows that there is."""
    marks = ",".join("?" * len(numbers))
    return dict(raw.execute(f"SELECT seq, hash FROM ledger WHERE seq IN ({marks})", tuple(numbers)).fetchall())


def times(raw: sqlite3.Connection, seq: int) -> int | None:
    """When this row was written."""
    row = raw.execute("SELECT at_us FROM ledger WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row else None


def packed(
    raw: sqlite3.Connection, epoch: str, first: int, count: int, dead: Iterable[int]
) -> tuple[int, int, bytes] | None:
    """Up to `count` facts from `first` on as a batch; returns the last number, how many, and the bytes. None when
    there are none."""
    rows: list[FactRow] = []
    size = 0
    for row in raw.execute(f"SELECT {COLUMNS} FROM ledger WHERE seq >= ? ORDER BY seq LIMIT ?", (first, count)):
        size += len(row[7])
        if rows and size > BATCH_CHARS:
            break
        rows.append(row)
    if not rows:
        return None
    last, left_out = rows[-1][0], frozenset(dead)
    batch = LedgerBatch(
        epoch=epoch,
        first=first,
        previous=_before(raw, first),
        rows=[row for row in rows if row[0] not in left_out] if left_out else rows,
        skipped=[(row[0], row[8]) for row in rows if row[0] in left_out],
    )
    return last, len(rows), pack(batch)


def row(raw: sqlite3.Connection, seq: int) -> tuple[Any, ...] | None:
    """One fact as it would be sent."""
    found: tuple[Any, ...] | None = raw.execute(f"SELECT {COLUMNS} FROM ledger WHERE seq = ?", (seq,)).fetchone()
    return found


def alone(raw: sqlite3.Connection, epoch: str, seq: int) -> bytes | None:
    """A batch of just this fact."""
    fact: Any = row(raw, seq)
    if fact is None:
        return None
    return pack(LedgerBatch(epoch=epoch, first=seq, previous=_before(raw, seq), rows=[fact]))


def _before(raw: sqlite3.Connection, seq: int) -> bytes:
    return hashes(raw, [seq - 1]).get(seq - 1, GENESIS)

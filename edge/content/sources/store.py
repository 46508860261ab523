"""The only SQL for sources."""

from __future__ import annotations

import msgspec

from edge.content.sources.model import Kept, Moment
from edge.store.transaction import Row, Transaction

_COLUMNS = "id, asked, said, at_us, at_clock, etag, modified, problem, failures, failing_us, failing_clock"


def load(tx: Transaction) -> list[Kept]:
    """Every source that was ever asked and is still there."""
    return [_kept(row) for row in tx.rows(f"SELECT {_COLUMNS} FROM sources ORDER BY id")]


def save(tx: Transaction, kept: Kept) -> None:
    """Write a source as it is now."""
    at, failing = kept.at or Moment(0, None), kept.failing or Moment(0, None)
    tx.execute(
        f"INSERT OR REPLACE INTO sources({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            kept.id,
            kept.asked,
            msgspec.json.encode(kept.values).decode(),
            at.at_us,
            at.clock,
            kept.etag,
            kept.modified,
            kept.problem,
            kept.failures,
            failing.at_us,
            failing.clock,
        ),
    )


def forget(tx: Transaction, source_id: str) -> None:
    """It is no more."""
    tx.execute("DELETE FROM sources WHERE id = ?", (source_id,))


def _kept(row: Row) -> Kept:
    return Kept(
        id=row[0],
        asked=row[1],
        values=msgspec.json.decode(row[2], type=dict[str, str]),
        at=Moment(row[3], row[4]) if row[3] else None,
        etag=row[5],
        modified=row[6],
        problem=row[7],
        failures=row[8],
        failing=Moment(row[9], row[10]) if row[9] else None,
    )

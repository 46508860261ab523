"""The only SQL that deletes readings and rollups, a slice at a time."""

from __future__ import annotations

import msgspec

from edge.store.transaction import Transaction
from edge.telemetry.buckets import HOUR_US
from edge.telemetry.model import CLOCK_SET_US
from edge.telemetry.store import folded_seq

SLICE_ROWS = 1000  # some 10 ms of the writer

SPAN = "SELECT MIN(seq), MAX(seq) FROM readings"
_RECEIVED = "at_us + late_us"


class Span(msgspec.Struct, frozen=True):
    """Readings `first` to `last` by number, and when the hub received the first and the last of them."""

    first: int
    last: int
    from_us: int
    to_us: int


def oldest(tx: Transaction, count: int) -> Span | None:
    """The `count` oldest readings that may go: what is not folded stays, and so does the newest of all, so that its
    number is never given again."""
    row = tx.one("SELECT MIN(seq), MAX(seq) FROM readings")
    if row is None or row[0] is None:
        return None
    last = min(row[0] + count - 1, row[1] - 1, folded_seq(tx))
    if last < row[0]:
        return None
    received = f"SELECT {_RECEIVED} FROM readings WHERE seq = ?"
    ((from_us,),) = tx.rows(received, (row[0],))
    ((to_us,),) = tx.rows(f"SELECT {_RECEIVED} FROM readings WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (last,))
    return Span(row[0], last, from_us, to_us)


def expired(tx: Transaction, before_us: int) -> Span | None:
    """The next slice received before then. What a clock that was not set yet received is as old as what follows."""
    known = tx.one(
        f"SELECT seq, {_RECEIVED} FROM readings WHERE {_RECEIVED} >= ? ORDER BY seq LIMIT 1", (CLOCK_SET_US,)
    )
    if known is None or known[1] >= before_us:
        return None
    span = oldest(tx, SLICE_ROWS)
    if span is None:
        return None
    kept = tx.one(f"SELECT MIN(seq) FROM readings WHERE seq <= ? AND {_RECEIVED} >= ?", (span.last, before_us))
    last = span.last if kept is None or kept[0] is None else kept[0] - 1
    return msgspec.structs.replace(span, last=last)


def drop(tx: Transaction, upto: int) -> int:
    """Delete the next slice of what is numbered up to `upto`; returns how many."""
    ((end,),) = tx.rows(
        "SELECT MAX(seq) FROM (SELECT seq FROM readings WHERE seq <= ? ORDER BY seq LIMIT ?)", (upto, SLICE_ROWS)
    )
    if end is None:
        return 0
    tx.execute(
        "DELETE FROM history WHERE (series_id, at_us, seq) IN"
        " (SELECT series_id, at_us, seq FROM readings WHERE seq <= ?)",
        (end,),
    )
    return tx.execute("DELETE FROM readings WHERE seq <= ?", (end,)).rowcount


def drop_rollups(tx: Transaction, series: range, before_us: int) -> int:
    """Delete the hours of these series that ended before then; returns how many."""
    gone = 0
    for number in series:
        gone += tx.execute(
            "DELETE FROM rollups WHERE series_id = ? AND hour_us < ?", (number, before_us - HOUR_US)
        ).rowcount
    return gone

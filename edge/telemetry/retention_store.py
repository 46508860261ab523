"""The only SQL that deletes readings and rollups, a slice at a time."""

from __future__ import annotations

import msgspec

from edge.serving.buckets import HOUR_US
from edge.store.transaction import Transaction
from edge.telemetry.model import CLOCK_SET_US
from edge.telemetry.store import folded_seq

SLICE_ROWS = 1000  # some 10 ms of the writer
THIN_ROWS = 4000  # looked at in one slice of thinning
THIN_KEEP = 4  # of each series every fourth stays; SQLite gives a page back when two thirds of it are free

SPAN = "SELECT (SELECT MIN(seq) FROM readings), (SELECT MAX(seq) FROM readings)"  # both in one would read all
_RECEIVED = "at_us + late_us"


class Span(msgspec.Struct, frozen=True):
    """Readings `first` to `last` by number, and when the hub received the first and the last of them.

    `unsent`: how many of those that go are not at the centre, of a hub that syncs.
    """

    first: int
    last: int
    from_us: int
    to_us: int
    unsent: int = 0


def oldest(tx: Transaction, count: int, unsent: int | None = None) -> Span | None:
    """The `count` oldest readings that may go: what is not folded stays, and so does the newest of all, so that its
    number is never given again. `unsent`: the first number that is not at the centre."""
    row = tx.one(SPAN)
    if row is None or row[0] is None:
        return None
    return _span(tx, row[0], min(row[0] + count - 1, row[1] - 1, folded_seq(tx)), unsent)


def expired(tx: Transaction, before_us: int, unsent: int | None = None) -> Span | None:
    """The next slice received before then. What a clock that was not set yet received is as old as what follows.

    What is not at the centre (from `unsent` on) does not go for its age alone.
    """
    known = tx.one(
        f"SELECT seq, {_RECEIVED} FROM dated WHERE {_RECEIVED} >= ? ORDER BY seq LIMIT 1", (CLOCK_SET_US,)
    )
    if known is None or known[1] >= before_us:
        return None
    span = oldest(tx, SLICE_ROWS)
    if span is None:
        return None
    kept = tx.one(f"SELECT MIN(seq) FROM dated WHERE seq <= ? AND {_RECEIVED} >= ?", (span.last, before_us))
    last = span.last if kept is None or kept[0] is None else kept[0] - 1
    if unsent is not None:
        last = min(last, unsent - 1)
    return msgspec.structs.replace(span, last=last) if last >= span.first else None


def to_thin(tx: Transaction, count: int) -> Span | None:
    """Readings to thin so that about `count` go: the oldest not thinned yet. None when there are too few."""
    row = tx.one(SPAN)
    if row is None or row[0] is None:
        return None
    first = max(row[0], _thinned(tx) + 1)
    last = first + count * THIN_KEEP // (THIN_KEEP - 1) - 1
    if last > min(row[1] - 1, folded_seq(tx)):
        return None
    span = _span(tx, first, last, None)
    if span is None:
        return None
    ((going,),) = tx.rows(f"SELECT COUNT(*) FROM ({_EXTRA})", _thinning(span))
    return msgspec.structs.replace(span, unsent=going)


def thin(tx: Transaction, span: Span) -> int:
    """Thin a slice of THIN_ROWS numbers, and note that it is thinned; returns how many went."""
    values = _thinning(span)
    _note_gone(tx, "seq BETWEEN :first AND :last", values)
    tx.execute(
        "DELETE FROM history WHERE (series_id, at_us, seq) IN"
        f" (SELECT series_id, at_us, seq FROM readings WHERE seq IN ({_EXTRA})"
        f"  UNION SELECT series_id, at_us, seq FROM dated WHERE seq IN ({_EXTRA}))",
        values,
    )
    gone = tx.execute(f"DELETE FROM readings WHERE seq IN ({_EXTRA})", values).rowcount
    tx.execute(
        "INSERT INTO meta(key, value) VALUES ('thinned', ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (str(span.last),),
    )
    return gone


def drop(tx: Transaction, upto: int) -> int:
    """Delete the next slice of what is numbered up to `upto`; returns how many."""
    ((end,),) = tx.rows(
        "SELECT MAX(seq) FROM (SELECT seq FROM readings WHERE seq <= ? ORDER BY seq LIMIT ?)", (upto, SLICE_ROWS)
    )
    if end is None:
        return 0
    _note_gone(tx, "seq <= ?", (end,))
    tx.execute(
        "DELETE FROM history WHERE (series_id, at_us, seq) IN"
        " (SELECT series_id, at_us, seq FROM readings WHERE seq <= ?1"
        "  UNION SELECT series_id, at_us, seq FROM dated WHERE seq <= ?1)",  # some may not have been moved yet
        (end,),
    )
    return tx.execute("DELETE FROM readings WHERE seq <= ?", (end,)).rowcount


_EXTRA = (
    "SELECT seq FROM (SELECT seq, ROW_NUMBER() OVER"
    "  (PARTITION BY series_id, (seq - :first) / :slice ORDER BY seq) AS place"
    "  FROM readings WHERE seq BETWEEN :first AND :last) WHERE place % :keep <> 1"
)
"""What goes when these are thinned: of each series in a slice all but every fourth."""


def _thinning(span: Span) -> dict[str, int]:
    return {"first": span.first, "last": span.last, "keep": THIN_KEEP, "slice": THIN_ROWS}


def _note_gone(tx: Transaction, which: str, values: tuple[int, ...] | dict[str, int]) -> None:
    """Keep until when the hub had received what is being let go, for those who work things out of readings."""
    tx.execute(
        f"UPDATE progress SET seq = MAX(seq, (SELECT COALESCE(MAX({_RECEIVED}), 0) FROM dated WHERE {which}))"
        " WHERE name = 'gone_us'",
        values,
    )


def _thinned(tx: Transaction) -> int:
    row = tx.one("SELECT value FROM meta WHERE key = 'thinned'")
    return int(row[0]) if row else 0


def _span(tx: Transaction, first: int, last: int, unsent: int | None) -> Span | None:
    """None when it is empty."""
    if last < first:
        return None
    ((from_us,),) = tx.rows(f"SELECT {_RECEIVED} FROM dated WHERE seq >= ? ORDER BY seq LIMIT 1", (first,))
    ((to_us,),) = tx.rows(f"SELECT {_RECEIVED} FROM dated WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (last,))
    missing = 0
    if unsent is not None and unsent <= last:
        ((missing,),) = tx.rows(
            "SELECT COUNT(*) FROM readings WHERE seq BETWEEN ? AND ?", (max(first, unsent), last)
        )
    return Span(first, last, from_us, to_us, missing)


def drop_rollups(tx: Transaction, series: range, before_us: int) -> int:
    """Delete the hours of these series that ended before then; returns how many."""
    gone = 0
    for number in series:
        gone += tx.execute(
            "DELETE FROM rollups WHERE series_id = ? AND hour_us < ?", (number, before_us - HOUR_US)
        ).rowcount
    return gone

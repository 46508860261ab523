"""The only SQL that puts history and rollups right where a boot's clock was not set at first.

Readings themselves stay as they were written; history and rollups are made from them, and move to the times they
are really of. What is folded from the first mention on comes by the right time anyway (the view `dated`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from edge.clock import Quality
from edge.serving.buckets import HOUR_US, hour_offset_us
from edge.store.transaction import Row, Transaction
from edge.telemetry.store import QUALITY_NUMBER, TEXT, folded_seq

MOVE_ROWS = 512  # looked at in one commit: some 10 ms of the writer where all of them move
_FIXED = QUALITY_NUMBER[Quality.FIXED]


class _Boot(NamedTuple):
    id: int
    began_us: int
    was_us: int | None
    moved_seq: int
    move_to: int


def note(tx: Transaction, began_us: Mapping[str, int]) -> None:
    """These boots began then. What was folded before is still to be moved."""
    folded = folded_seq(tx)
    tx.raw.executemany(
        "UPDATE hub_boots SET was_us = began_us, began_us = ?2, moved_seq = COALESCE(first_seq, 1) - 1,"
        " move_to = ?3 WHERE boot_id = ?1 AND began_us IS NOT ?2",
        [(boot_id, at_us, folded) for boot_id, at_us in began_us.items()],
    )


def move(tx: Transaction, zone: ZoneInfo) -> bool:
    """Move the next readings in history and rollups; whether there may be more."""
    row = tx.one(
        "SELECT id, began_us, was_us, moved_seq, move_to FROM hub_boots WHERE moved_seq < move_to"
        " ORDER BY id LIMIT 1"
    )
    if row is None:
        return False
    boot = _Boot(*row)
    rows = tx.rows(
        "SELECT seq, series_id, at_us, mono_ms, value, kind FROM readings WHERE seq > ? AND seq <= ? AND boot = ?"
        " AND quality = 0 ORDER BY seq LIMIT ?",
        (boot.moved_seq, boot.move_to, -boot.id, MOVE_ROWS),
    )
    hours: set[tuple[int, int]] = set()
    for each in rows:
        hours |= _move_one(tx, boot, zone, each)
    for series, hour_us in sorted(hours):
        _sum_up(tx, series, hour_us)
    upto = rows[-1][0] if len(rows) == MOVE_ROWS else boot.move_to
    tx.execute("UPDATE hub_boots SET moved_seq = ? WHERE id = ?", (upto, boot.id))
    return True


def _move_one(tx: Transaction, boot: _Boot, zone: ZoneInfo, row: Row) -> set[tuple[int, int]]:
    """Move one reading; returns the hours that must be summed up anew."""
    seq, series, label_us, mono_ms, value, kind = row
    new_us = boot.began_us + mono_ms * 1000
    for old_us in {label_us, label_us if boot.was_us is None else boot.was_us + mono_ms * 1000}:
        gone = tx.execute(
            "DELETE FROM history WHERE series_id = ? AND at_us = ? AND seq = ?", (series, old_us, seq)
        )
        if gone.rowcount:
            break
    else:
        return set()
    tx.execute(
        "INSERT INTO history(series_id, at_us, seq, value, kind, quality) VALUES (?,?,?,?,?,?)",
        (series, new_us, seq, value, kind, _FIXED),
    )
    if kind == TEXT:
        return set()
    old_hour, new_hour = _hour(zone, old_us), _hour(zone, new_us)
    tx.execute(
        "UPDATE rollups SET count = count - 1, sum = sum - ? WHERE series_id = ? AND hour_us = ?",
        (value, series, old_hour),
    )
    tx.execute(
        "INSERT INTO rollups(series_id, hour_us, count, sum, min, max) VALUES (?1,?2,1,?3,?3,?3)"
        " ON CONFLICT(series_id, hour_us) DO UPDATE SET count = count + 1, sum = sum + ?3, min = MIN(min, ?3),"
        " max = MAX(max, ?3)",
        (series, new_hour, value),
    )
    return {(series, old_hour), (series, new_hour)}


def _sum_up(tx: Transaction, series: int, hour_us: int) -> None:
    """Make an hour anew from its readings where all of them are still there; else its least and greatest stay."""
    tx.execute("DELETE FROM rollups WHERE series_id = ? AND hour_us = ? AND count <= 0", (series, hour_us))
    count, total, least, greatest = tx.rows(
        "SELECT COUNT(*), TOTAL(value), MIN(CAST(value AS REAL)), MAX(CAST(value AS REAL)) FROM history"
        " WHERE series_id = ? AND at_us >= ? AND at_us < ? AND kind < 2",
        (series, hour_us, hour_us + HOUR_US),
    )[0]
    if count:
        tx.execute(
            "UPDATE rollups SET sum = ?, min = ?, max = ? WHERE series_id = ? AND hour_us = ? AND count = ?",
            (total, least, greatest, series, hour_us, count),
        )


def _hour(zone: ZoneInfo, at_us: int) -> int:
    offset_us = hour_offset_us(zone, at_us)
    return (at_us + offset_us) // HOUR_US * HOUR_US - offset_us

"""What the readings' lane reads of readings.db, on a connection of its own, and the ranges it notes there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from edge.store.transaction import Transaction
from edge.wire.sync import SERIES_MAX, ReadingPlace, ReadingsBatch, pack, readings_digest

_COLUMNS = "seq, series_id, at_us, value, kind, quality, late_us, boot, mono_ms"
_WITHIN = "FROM readings WHERE seq BETWEEN ? AND ?"
DEAD_MAX = 500  # dead letters named in one statement; SQLite's bound on parameters is far above


class Wanted(msgspec.Struct, frozen=True):
    """Which readings: from `first`, to `upto` at most (None: to the newest), `rows` of them, without `dead`.

    `series` and `boots`: the highest numbers of these the centre knows.
    """

    epoch: str
    first: int
    upto: int | None
    rows: int
    series: int
    boots: int
    dead: tuple[int, ...] = ()


class Batch(msgspec.Struct, frozen=True):
    """A packed batch of the range `first` to `last`, and what the centre knows once it has it."""

    first: int
    last: int
    rows: int
    series: int
    boots: int
    raw: bytes


_SPAN = "SELECT (SELECT MIN(seq) FROM readings), (SELECT MAX(seq) FROM readings)"  # both in one would read all


def span(raw: sqlite3.Connection) -> tuple[int, int]:
    """First and last number, (1, 0) when there is none."""
    first, last = raw.execute(_SPAN).fetchone()
    return (first, last) if first is not None else (1, 0)


def digests(raw: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """The digest of each of these rows that there is."""
    marks = ",".join("?" * len(numbers))
    rows = raw.execute(
        "SELECT r.seq, s.device_id, s.key, r.at_us, r.value, r.kind, r.mono_ms FROM readings r"
        f" JOIN series s ON s.id = r.series_id WHERE r.seq IN ({marks})",
        tuple(numbers),
    ).fetchall()
    return {row[0]: readings_digest(*row[1:]) for row in rows}


def places(raw: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, ReadingPlace]:
    """Device, key and time of each of these rows that there is."""
    marks = ",".join("?" * len(numbers))
    rows = raw.execute(
        "SELECT r.seq, s.device_id, s.key, r.at_us FROM readings r"
        f" JOIN series s ON s.id = r.series_id WHERE r.seq IN ({marks})",
        tuple(numbers),
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def received(raw: sqlite3.Connection, seq: int) -> int | None:
    """When the hub received the first reading from this number on."""
    row = raw.execute("SELECT at_us + late_us FROM readings WHERE seq >= ? ORDER BY seq LIMIT 1", (seq,)).fetchone()
    return row[0] if row else None


def packed(raw: sqlite3.Connection, wanted: Wanted) -> Batch | None:
    """The next batch; None when there is nothing to send. Rows go from SQLite to msgpack as they are."""
    upto = wanted.upto if wanted.upto is not None else span(raw)[1]
    if upto < wanted.first:
        return None
    rows, last, kind = raw.execute(
        f"SELECT COUNT(*), MAX(seq), MAX(kind) FROM (SELECT seq, kind {_WITHIN} ORDER BY seq LIMIT ?)",
        (wanted.first, upto, wanted.rows),
    ).fetchone()
    if rows < wanted.rows:
        last = upto  # what is missing up to there was let go
    left_out = ""
    if wanted.dead:
        left_out = f" AND seq NOT IN ({','.join(map(str, wanted.dead[:DEAD_MAX]))})"
    last, series = _told_series(raw, wanted, last, left_out)
    boots = _newer(raw, "SELECT id, boot_id FROM hub_boots WHERE id > ? ORDER BY id", wanted.boots)
    between = wanted.first, last
    select = f"SELECT {_COLUMNS} {_WITHIN}{left_out}"
    texts = kind == 2
    batch = ReadingsBatch(
        epoch=wanted.epoch,
        first=wanted.first,
        last=last,
        series=series,
        boots=boots,
        numbers=raw.execute(f"{select}{' AND kind < 2' if texts else ''} ORDER BY seq", between).fetchall(),
        texts=raw.execute(f"{select} AND kind = 2 ORDER BY seq", between).fetchall() if texts else [],
    )
    return Batch(
        first=wanted.first,
        last=last,
        rows=len(batch.numbers) + len(batch.texts),
        series=series[-1][0] if series else wanted.series,
        boots=boots[-1][0] if boots else wanted.boots,
        raw=pack(batch),
    )


def _told_series(
    raw: sqlite3.Connection, wanted: Wanted, last: int, left_out: str
) -> tuple[int, list[tuple[int, str, str]]]:
    """The new series that rows up to `last` name, with those before them; where these are too many for one batch,
    fewer, and the row up to which they suffice. A series that the centre refuses stops only the rows that name it.
    """
    highest = f"SELECT MAX(series_id) {_WITHIN}{left_out}"
    needed = raw.execute(highest, (wanted.first, last)).fetchone()[0] or 0
    if needed - wanted.series > SERIES_MAX:
        beyond = f"SELECT MIN(seq) {_WITHIN}{left_out} AND series_id > ?"
        leads = raw.execute(f"SELECT series_id {_WITHIN}{left_out} ORDER BY seq LIMIT 1", (wanted.first, last))
        needed = max(wanted.series + SERIES_MAX, leads.fetchone()[0])
        following = raw.execute(beyond, (wanted.first, last, needed)).fetchone()[0]
        last = last if following is None else following - 1
    new = "SELECT id, device_id, key FROM series WHERE id > ? AND id <= ? ORDER BY id"
    return last, raw.execute(new, (wanted.series, needed)).fetchall()


def row(raw: sqlite3.Connection, seq: int) -> tuple[Any, ...] | None:
    """One reading as it would be sent."""
    found: tuple[Any, ...] | None = raw.execute(f"SELECT {_COLUMNS} {_WITHIN}", (seq, seq)).fetchone()
    return found


def _newer(raw: sqlite3.Connection, select: str, known: int) -> list[Any]:
    return raw.execute(select, (known,)).fetchall()


def sent(tx: Transaction, site: str, epoch: str) -> list[tuple[int, int]]:
    """Ranges that were at the centre when last noted."""
    rows = tx.rows("SELECT first, last FROM sync_sent WHERE site = ? AND epoch = ? ORDER BY first", (site, epoch))
    return [(first, last) for first, last in rows]


def note_sent(tx: Transaction, site: str, epoch: str, ranges: Sequence[tuple[int, int]]) -> None:
    """These are there, and nothing else is known to be."""
    tx.execute("DELETE FROM sync_sent")
    tx.raw.executemany(
        "INSERT INTO sync_sent(site, epoch, first, last) VALUES (?, ?, ?, ?)",
        [(site, epoch, first, last) for first, last in ranges],
    )


def forget_sent(tx: Transaction) -> None:
    """Nothing is known to be at a centre."""
    tx.execute("DELETE FROM sync_sent")

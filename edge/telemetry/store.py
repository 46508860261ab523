"""The only SQL that writes readings, and what is loaded when the hub starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from edge.clock import Quality
from edge.store.transaction import Row, Transaction
from edge.store.transaction import Value as Bound
from edge.telemetry.model import Latest, Value, redated
from edge.telemetry.series import NewSeries

QUALITIES = (Quality.NONE, Quality.RTC, Quality.NTP, Quality.FIXED)
QUALITY_NUMBER = {quality: number for number, quality in enumerate(QUALITIES)}
UNSET = QUALITY_NUMBER[Quality.NONE]
NUMBER, BOOL, TEXT = 0, 1, 2
BUFFERS_PER_DEVICE = 4  # epochs of its flash: erasing it erases the buffer, so an older one has nothing to send

_COLUMNS = "series_id, at_us, value, kind, quality, late_us, boot, mono_ms"
WIDTH = 8  # of them
_MARKS = f"({','.join('?' * WIDTH)})"
_INSERTS = [
    (rows, f"INSERT INTO readings({_COLUMNS}) VALUES {','.join([_MARKS] * rows)}")
    for rows in (64, 32, 16, 8, 4, 2, 1)
]
"""Many rows in one statement: sqlite3 gives up the interpreter's lock at each statement, and under load the event
loop then keeps it for milliseconds."""


class Loaded(msgspec.Struct, frozen=True):
    """What the hub keeps in memory. `tail`: (series, at_us, value, kind, quality, late_us, boot, mono_ms) behind
    `folded`."""

    series: list[NewSeries]
    latest: list[tuple[int, Latest]]
    buffers: list[tuple[str, str, int]]
    tail: list[Row]
    folded: int
    newest: int
    boot: int
    began_us: int | None


def load(tx: Transaction) -> Loaded:
    """All of it, and this boot of the hub noted."""
    folded = folded_seq(tx)
    newest = newest_seq(tx, folded)
    tx.execute(
        "INSERT INTO hub_boots(boot_id, first_seq) VALUES (?,?) ON CONFLICT DO NOTHING",
        (tx.stamp.boot_id, newest + 1),
    )
    boot, began_us = tx.rows("SELECT -id, began_us FROM hub_boots WHERE boot_id = ?", (tx.stamp.boot_id,))[0]
    return Loaded(
        series=tx.rows("SELECT id, device_id, key FROM series"),
        latest=[
            (row[0], _latest(row, boot))
            for row in tx.rows(f"SELECT {_LATEST}, began_us FROM latest LEFT JOIN hub_boots ON id = -boot")
        ],
        buffers=tx.rows("SELECT device_id, epoch, next FROM buffers ORDER BY used_us"),
        tail=tx.rows(
            "SELECT series_id, at_us, value, kind, quality, late_us, boot, mono_ms FROM dated WHERE seq > ?"
            " ORDER BY seq",
            (folded,),
        ),
        folded=folded,
        newest=newest,
        boot=boot,
        began_us=began_us,
    )


def folded_seq(tx: Transaction) -> int:
    """How far history, rollups and latest have taken the readings in."""
    (seq,) = tx.rows("SELECT seq FROM progress WHERE name = 'folded'")[0]
    return int(seq)


def newest_seq(tx: Transaction, folded: int) -> int:
    """The number of the newest reading there has been."""
    row = tx.one("SELECT MAX(seq) FROM readings")
    return max(folded, int(row[0] or 0) if row else 0)


def append(tx: Transaction, series: Sequence[NewSeries], flat: Sequence[Bound]) -> int:
    """Append readings, `WIDTH` values each in the order of the columns, and the series that are new with them;
    returns the number of the last of them, 0 where there is none."""
    if series:
        tx.raw.executemany("INSERT INTO series(id, device_id, key) VALUES (?,?,?) ON CONFLICT DO NOTHING", series)
    at, end, last = 0, len(flat), 0
    for rows, insert in _INSERTS:
        step = rows * WIDTH
        while at + step <= end:
            last = tx.execute(insert, flat[at : at + step]).lastrowid or 0
            at += step
    return last


def next_seq(tx: Transaction, device_id: str, epoch: str) -> int | None:
    """The record expected next of a device's buffer; None when nothing of it has been taken."""
    row = tx.one("SELECT next FROM buffers WHERE device_id = ? AND epoch = ?", (device_id, epoch))
    return int(row[0]) if row else None


def move_buffer(tx: Transaction, device_id: str, epoch: str, following: int) -> None:
    """All before `following` has been taken. Of a device's buffers those used last are remembered, also where the
    clock was set back."""
    tx.execute(
        "INSERT INTO buffers(device_id, epoch, next, used_us) VALUES (?1,?2,?3,"
        " MAX(?4, (SELECT COALESCE(MAX(used_us), 0) + 1 FROM buffers WHERE device_id = ?1)))"
        " ON CONFLICT(device_id, epoch) DO UPDATE SET next = excluded.next, used_us = excluded.used_us",
        (device_id, epoch, following, tx.stamp.at_us),
    )
    tx.execute(
        "DELETE FROM buffers WHERE device_id = ?1 AND epoch NOT IN"
        " (SELECT epoch FROM buffers WHERE device_id = ?1 ORDER BY used_us DESC LIMIT ?2)",
        (device_id, BUFFERS_PER_DEVICE),
    )


def forget_latest(tx: Transaction, device_id: str) -> None:
    """Its newest values are no longer its present."""
    tx.execute("DELETE FROM latest WHERE series_id IN (SELECT id FROM series WHERE device_id = ?)", (device_id,))


_LATEST = "series_id, value, kind, at_us, quality, received_us, order_us, boot, mono_ms"


def save_latest(tx: Transaction, latest: Iterable[tuple[int, Latest]], boot: int) -> None:
    """Keep what memory holds as the newest value of these series, in this boot of the hub."""
    tx.raw.executemany(
        f"INSERT OR REPLACE INTO latest({_LATEST}) VALUES (?,?,?,?,?,?,?,?,?)",
        [
            (
                number,
                *bound(one.value),
                one.at_us,
                QUALITY_NUMBER[one.quality],
                one.received_us,
                one.order_us,
                None if one.unset_ms is None else boot,
                one.unset_ms,
            )
            for number, one in latest
        ],
    )


_KINDS: dict[type, int] = {int: NUMBER, float: NUMBER, bool: BOOL, str: TEXT}


def bound(value: Value) -> tuple[Value, int]:
    """A value as it is stored, with its kind."""
    return value, _KINDS[type(value)]


def unbound(value: Value, kind: int) -> Value:
    """A stored value as it was."""
    return bool(value) if kind == BOOL else value


def _latest(row: Row, this_boot: int) -> Latest:
    _, value, kind, at_us, quality, received_us, order_us, boot, mono_ms, began_us = row
    unset_ms = mono_ms if boot == this_boot else None
    latest = Latest(unbound(value, kind), at_us, QUALITIES[quality], received_us, order_us, unset_ms)
    return latest if began_us is None else redated(latest, began_us, mono_ms)


FOLD_ROWS = 2048  # at a time: some 10 ms of the writer
_FOLD_HISTORY = (
    "INSERT OR IGNORE INTO history(series_id, at_us, seq, value, kind, quality)"
    " SELECT series_id, at_us, seq, value, kind, quality FROM dated WHERE seq > ? AND seq <= ?"
    " ORDER BY series_id, at_us, seq"
)
_FOLD_ROLLUPS = (
    "INSERT INTO rollups(series_id, hour_us, count, sum, min, max)"
    " SELECT series_id, (at_us + :offset) / 3600000000 * 3600000000 - :offset, COUNT(*), TOTAL(value),"
    "  MIN(CAST(value AS REAL)), MAX(CAST(value AS REAL))"
    " FROM dated WHERE seq > :after AND seq <= :upto AND kind < 2 GROUP BY 1, 2"
    " ON CONFLICT(series_id, hour_us) DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum,"
    "  min = MIN(min, excluded.min), max = MAX(max, excluded.max)"
)


def fold(tx: Transaction, offset_us: int, latest: Sequence[tuple[int, Latest]], boot: int) -> int:
    """Take the next readings into history and rollups, and save `latest`; returns how many they were.

    `offset_us` is how far the site's hours begin behind those of UTC.
    """
    after = folded_seq(tx)
    upto = min(after + FOLD_ROWS, newest_seq(tx, after))
    tx.execute(_FOLD_HISTORY, (after, upto))
    tx.execute(_FOLD_ROLLUPS, {"offset": offset_us, "after": after, "upto": upto})
    if latest:
        save_latest(tx, latest, boot)
    tx.execute("UPDATE progress SET seq = ? WHERE name = 'folded'", (upto,))
    return upto - after

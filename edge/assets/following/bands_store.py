"""The only SQL that writes bands and marks, and what the making of bands reads of them. How they are asked for
answers is beside it (band_queries_store.py).

A track is a row of bands of an asset. One of an asset's is current; another is made aside where much is made anew,
and becomes current once it is whole, so that nobody ever sees half of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from edge.assets.model import SECOND_US, Band, Past, Span, State, Sums
from edge.store.bulk import Raw
from edge.store.transaction import Row, Transaction

BASE_US = -(2**62)
"""The time of the band that stands for all bands that were let go: nothing is known, but their sums count."""
DAY_US = 86_400 * SECOND_US
FORGET_ROWS = 2_000  # deleted in one commit: some 10 ms of the writer

COLUMNS = (
    "at_us, state, raw, past, began_us, stopped_us,"
    " run_us, stop_us, planned_us, stops, short_stops, ended_stops, anew"
)
_INSERT = f"INSERT INTO asset_bands(track, {COLUMNS}) VALUES ({','.join('?' * 14)})"
_STATES, _PASTS = tuple(State), tuple(Past)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far an asset's bands are made, as the table has it."""

    asset: str
    made_by: str = ""
    laid_by: str = ""
    upto_us: int = 0
    evidence_us: int | None = None
    owed_us: int | None = None


def row(band: Band) -> Row:
    """A band as it is stored."""
    return (
        band.at_us,
        int(band.state),
        int(band.raw),
        int(band.past),
        band.began_us,
        band.stopped_us,
        *msgspec.structs.astuple(band.sums),
        int(band.anew),
    )


def band(row: Sequence[int]) -> Band:
    """A stored band."""
    at_us, state, raw, past, began_us, stopped_us, *sums, anew = row
    return Band(at_us, _STATES[state], _STATES[raw], _PASTS[past], began_us, stopped_us, Sums(*sums), bool(anew))


# --- read where bands are made, on a reader's own thread


def last_before(raw: Raw, track: int, at_us: int) -> Band | None:
    """The last band that begins before a time."""
    found = raw.execute(
        f"SELECT {COLUMNS} FROM asset_bands WHERE track = ? AND at_us < ? ORDER BY at_us DESC LIMIT 1",
        (track, at_us),
    ).fetchone()
    return None if found is None else band(found)


def between(raw: Raw, track: int, span: Span, limit: int) -> list[Band]:
    """The bands that begin in a span, in order."""
    rows = raw.execute(
        f"SELECT {COLUMNS} FROM asset_bands WHERE track = ? AND at_us >= ? AND at_us < ? ORDER BY at_us LIMIT ?",
        (track, *span, limit),
    )
    return [band(found) for found in rows]


def more_than(raw: Raw, track: int, at_us: int, count: int) -> bool:
    """Whether more bands than that begin from a time on."""
    found = raw.execute(
        "SELECT 1 FROM asset_bands WHERE track = ? AND at_us >= ? LIMIT 1 OFFSET ?", (track, at_us, count)
    ).fetchone()
    return found is not None


# --- written


def load(tx: Transaction) -> tuple[int, dict[str, int], dict[str, Mark]]:
    """Up to which reading bands are made, and by asset its current track and its mark."""
    ((seq,),) = tx.rows("SELECT seq FROM progress WHERE name = 'assets'")
    tracks: dict[str, int] = dict(tx.rows("SELECT asset, id FROM asset_tracks WHERE current"))
    marks = tx.rows("SELECT asset, made_by, laid_by, upto_us, evidence_us, owed_us FROM asset_marks")
    return (
        int(seq),
        tracks,
        {found[0]: Mark(**dict(zip(Mark.__struct_fields__, found, strict=True))) for found in marks},
    )


def new_track(tx: Transaction, asset: str, *, current: bool) -> int:
    """A track without bands."""
    number = tx.execute("INSERT INTO asset_tracks(asset, current) VALUES (?,?)", (asset, int(current))).lastrowid
    assert number is not None
    return number


def current_track(tx: Transaction, asset: str) -> int:
    """The track of an asset that is asked: a new one where it has none."""
    found = tx.one("SELECT id FROM asset_tracks WHERE asset = ? AND current", (asset,))
    return new_track(tx, asset, current=True) if found is None else int(found[0])


def replace(tx: Transaction, track: int, from_us: int, rows: Iterable[Row]) -> None:
    """These are the bands of a track from a time on."""
    tx.execute("DELETE FROM asset_bands WHERE track = ? AND at_us >= ?", (track, from_us))
    tx.raw.executemany(_INSERT, [(track, *found) for found in rows])
    note_longest(tx.raw, track, from_us)


def note_longest(raw: Raw, track: int, from_us: int) -> None:
    """Note the longest stop of each day from that of a time on."""
    day_us = max(from_us, 0) // DAY_US * DAY_US
    raw.execute("DELETE FROM asset_longest WHERE track = ? AND day_us >= ?", (track, day_us))
    raw.execute(
        "INSERT INTO asset_longest(track, day_us, stopped_us)"
        f" SELECT track, at_us / {DAY_US} * {DAY_US}, MAX(stopped_us) FROM asset_bands INDEXED BY asset_bands_ends"
        " WHERE track = ? AND at_us >= ? AND began_us > 0 AND (anew OR state = 1) GROUP BY 2",
        (track, day_us),
    )


def make_current(tx: Transaction, asset: str, track: int) -> None:
    """This track is asked from now on; the one before is swept away."""
    tx.execute("UPDATE asset_tracks SET current = 0 WHERE asset = ? AND current", (asset,))
    tx.execute("UPDATE asset_tracks SET current = 1 WHERE id = ?", (track,))


def save_mark(tx: Transaction, mark: Mark) -> None:
    """Keep how far an asset's bands are made."""
    tx.execute(
        "INSERT OR REPLACE INTO asset_marks(asset, made_by, laid_by, upto_us, evidence_us, owed_us)"
        " VALUES (?,?,?,?,?,?)",
        (mark.asset, mark.made_by, mark.laid_by, mark.upto_us, mark.evidence_us, mark.owed_us),
    )


def save_seq(tx: Transaction, seq: int) -> None:
    """Readings up to this number are in the bands, or marked as owed."""
    tx.execute("UPDATE progress SET seq = ? WHERE name = 'assets'", (seq,))


def sweep(tx: Transaction, but: Sequence[int]) -> bool:
    """Delete some bands of tracks that nobody asks any more, `but` those being made; whether any are left."""
    text = msgspec.json.encode(but).decode()
    found = tx.one(
        "SELECT id FROM asset_tracks WHERE NOT current AND id NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
        (text,),
    )
    if found is None:
        return False
    gone = tx.execute(
        "DELETE FROM asset_bands WHERE track = ?1 AND at_us <= (SELECT MAX(at_us) FROM"
        " (SELECT at_us FROM asset_bands WHERE track = ?1 ORDER BY at_us LIMIT ?2))",
        (found[0], FORGET_ROWS),
    ).rowcount
    if gone < FORGET_ROWS:
        tx.execute("DELETE FROM asset_longest WHERE track = ?", found)
        tx.execute("DELETE FROM asset_tracks WHERE id = ?", found)
    return True


def let_go(tx: Transaction, track: int, before_us: int) -> bool:
    """Let some bands go that ended before a time: one stands for them, with their sums. Whether more may go."""
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM asset_bands WHERE track = ? AND at_us > ? AND at_us <= ? ORDER BY at_us LIMIT ?",
        (track, BASE_US, before_us, FORGET_ROWS),
    )
    if len(rows) < 2:
        return False
    first = band(rows[-1])
    before = band(rows[-2]).sums_at(first.at_us)
    base = Band(BASE_US, State.UNKNOWN, State.UNKNOWN, Past.NOTHING, sums=before)
    tx.execute("DELETE FROM asset_bands WHERE track = ? AND at_us < ?", (track, first.at_us))
    tx.execute(_INSERT, (track, *row(base)))
    tx.execute("DELETE FROM asset_longest WHERE track = ? AND day_us < ?", (track, first.at_us // DAY_US * DAY_US))
    return len(rows) == FORGET_ROWS

"""The only SQL of record.py. What reads runs on a reader's own thread, inside its transaction."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.store.bulk import Raw
from edge.store.transaction import Row, Transaction
from edge.telemetry.history_store import FOLDED

GONE = "gone_us"
_BETWEEN = (
    "SELECT at_us, value, kind FROM history WHERE series_id = ? AND at_us >= ? AND at_us < ? ORDER BY at_us, seq"
)
_LAST_BEFORE = (
    "SELECT at_us, value, kind FROM history WHERE series_id = ? AND at_us < ? ORDER BY at_us DESC, seq DESC LIMIT 1"
)
_FIRST_FROM = "SELECT at_us FROM history WHERE series_id = ? AND at_us >= ? ORDER BY at_us, seq LIMIT 1 OFFSET ?"
_UNFOLDED = (
    f"SELECT series_id, at_us, value, kind FROM dated WHERE seq > {FOLDED}"
    " AND series_id IN (SELECT value FROM json_each(?)) ORDER BY series_id, at_us, seq"
)
_NEWS = (
    "SELECT series_id, MIN(at_us) FROM dated WHERE seq > ? AND series_id IN (SELECT value FROM json_each(?))"
    " AND at_us >= ? GROUP BY series_id"
)
# What of it was put right twice has been at a third time.
_MOVED = (
    "SELECT series_id, MIN(at_us) FROM ("
    " SELECT series_id, at_us FROM dated WHERE boot = :boot AND seq >= :first AND quality IN (0, 3)"
    " UNION ALL SELECT series_id, at_us FROM readings WHERE boot = :boot AND seq >= :first AND quality = 0"
    " UNION ALL SELECT series_id, :was + mono_ms * 1000 FROM readings WHERE boot = :boot AND seq >= :first"
    "  AND quality = 0)"
    " WHERE series_id IN (SELECT value FROM json_each(:series)) AND at_us >= :floor GROUP BY series_id"
)
_TO_TAKE = (
    "SELECT boot_id FROM hub_boots WHERE began_us IS NOT NULL AND taken_us IS NOT began_us"
    " AND COALESCE(moved_seq >= move_to, 1)"
)


def between(raw: Raw, series: int, span: tuple[int, int]) -> list[Row]:
    """(at_us, value, kind) of what is folded, in order."""
    return raw.execute(_BETWEEN, (series, *span)).fetchall()


def last_before(raw: Raw, series: int, at_us: int) -> Row | None:
    """The same of the last before a time."""
    row: Row | None = raw.execute(_LAST_BEFORE, (series, at_us)).fetchone()
    return row


def first_from(raw: Raw, series: int, at_us: int, skip: int) -> int | None:
    """The time of the first from a time on, behind so many others."""
    row: Row | None = raw.execute(_FIRST_FROM, (series, at_us, skip)).fetchone()
    return None if row is None else int(row[0])


def unfolded(raw: Raw, series: Sequence[int]) -> list[Row]:
    """(series, at_us, value, kind) of what is not folded, by series in order."""
    return raw.execute(_UNFOLDED, (_list(series),)).fetchall() if series else []


def news(raw: Raw, series: Sequence[int], seq: int, floor_us: int) -> tuple[int, list[Row]]:
    """The newest number of all readings, and (series, earliest time from the floor on) of what is behind `seq`."""
    ((newest,),) = raw.execute("SELECT MAX(COALESCE((SELECT MAX(seq) FROM readings), 0), ?)", (seq,))
    return int(newest), raw.execute(_NEWS, (seq, _list(series), floor_us)).fetchall()


def moved(raw: Raw, series: Sequence[int], boot_id: str, floor_us: int) -> list[Row]:
    """(series, earliest time from the floor on) of what a boot's unset clock dated, wherever it was or is."""
    boot = raw.execute("SELECT -id, COALESCE(first_seq, 0), was_us FROM hub_boots WHERE boot_id = ?", (boot_id,))
    number, first, was_us = boot.fetchone()
    values = {"boot": number, "first": first, "was": was_us, "series": _list(series), "floor": floor_us}
    return raw.execute(_MOVED, values).fetchall()


def to_take(raw: Raw) -> list[str]:
    """Boots that were put right, and whose readings now lie where they belong, that nobody has taken in so."""
    return [boot_id for (boot_id,) in raw.execute(_TO_TAKE)]


def taken(tx: Transaction, boot_ids: Sequence[str]) -> None:
    """These have been."""
    tx.raw.executemany("UPDATE hub_boots SET taken_us = began_us WHERE boot_id = ?", [(each,) for each in boot_ids])


def gone_us(raw: Raw) -> int:
    """Of what was received before then, readings have been let go."""
    row: Row | None = raw.execute("SELECT seq FROM progress WHERE name = ?", (GONE,)).fetchone()
    return int(row[0]) if row else 0


def _list(series: Sequence[int]) -> str:
    return msgspec.json.encode(series).decode()

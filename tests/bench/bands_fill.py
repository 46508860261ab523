"""A year of machines that run and stand still, written as bands into a hub's directory.

The bands are those that the hub would have made: states are drawn, and laid and counted by its own code
(`model.bands`). The readings they would follow from are left out; the file says that they were let go.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.assets.deriving import Asset, Wiring
from edge.assets.following.bands_store import COLUMNS, note_longest, row
from edge.assets.following.marks import laid_by, made_by
from edge.assets.model import SECOND_US, Segment, Span, State, bands
from edge.clock import site_zone

RUN_S, STOP_S = 1_600, 900  # on average, before the next change
AWAY_ONE_IN = 500  # changes after which the logger is not heard for a while


def fill(data: Path, assets: Sequence[Asset], span: Span) -> int:
    """Write the bands of all assets over a span; how many changes they are."""
    raw = sqlite3.connect(data / "readings.db", isolation_level=None)
    insert = f"INSERT INTO asset_bands(track, {COLUMNS}) VALUES ({','.join('?' * 14)})"
    changes = 0
    try:
        raw.execute("PRAGMA synchronous = OFF")
        for asset in assets:
            drawn = list(_drawn(random.Random(asset.id), span))
            changes += len(drawn)
            found = bands(None, drawn, (), round(asset.short_stop_s * SECOND_US), span)
            raw.execute("BEGIN")
            raw.execute("DELETE FROM asset_tracks WHERE asset = ?", (asset.id,))
            track = raw.execute("INSERT INTO asset_tracks(asset, current) VALUES (?,1)", (asset.id,)).lastrowid
            assert track is not None
            raw.executemany(insert, ((track, *row(band)) for band in found))
            note_longest(raw, track, 0)
            raw.execute(
                "INSERT OR REPLACE INTO asset_marks VALUES (?,?,?,?,?,NULL)",
                (asset.id, made_by(asset), laid_by(asset, [], site_zone("UTC")), span[1], span[1]),
            )
            raw.execute("COMMIT")
        raw.execute("UPDATE progress SET seq = ? WHERE name = 'gone_us'", (span[1],))
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()
    return changes


def asset(asset_id: str, device: str, input: str, from_us: int) -> Asset:
    """An asset as the hub has it that was asked to watch this."""
    wiring = Wiring(from_us, device, input)
    return Asset(id=asset_id, silent_s=180, short_stop_s=300, wirings=(wiring,))


def _drawn(dice: random.Random, span: Span) -> Iterator[Segment]:
    """What one machine did. Most stops are short; some last a shift."""
    at_us, runs = span[0], True
    while at_us < span[1]:
        yield Segment(at_us, State.RUNNING if runs else State.STOPPED)
        mean_s = RUN_S if runs else STOP_S
        last_us = int(dice.expovariate(1 / mean_s) * SECOND_US) + 1
        if dice.randrange(AWAY_ONE_IN) == 0:
            yield Segment(at_us + last_us // 2, State.UNKNOWN)
        at_us, runs = at_us + last_us, not runs

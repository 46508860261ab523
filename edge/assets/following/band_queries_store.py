"""How bands are asked: one statement a question, however many assets and times it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from edge.assets.answers.asking import Explanation, StopRow
from edge.assets.following.bands_store import COLUMNS, DAY_US, band
from edge.assets.model import Band, Span
from edge.store.database import Database

_OF_BAND = ", ".join(f"b.{column.strip()}" for column in COLUMNS.split(","))
_ASKED = "json_each(:assets) AS a CROSS JOIN asset_tracks AS t ON t.asset = a.value AND t.current"

_ENDING = "asset_bands INDEXED BY asset_bands_ends"
_IS_END = "began_us > 0 AND (anew OR state = 1)"

_EDGES = (
    f"SELECT t.asset, w.value, {_OF_BAND} FROM {_ASKED} CROSS JOIN json_each(:times) AS w"
    " CROSS JOIN asset_bands AS b ON b.track = t.id AND b.at_us ="
    " (SELECT MAX(at_us) FROM asset_bands WHERE track = t.id AND at_us < w.value)"
)
# The first end within may be that of a stop that began before. Behind it, whole days are looked up by day, what is
# left of them before and after one by one.
_ENDS = (
    "WITH spans AS MATERIALIZED (SELECT json_extract(value, '$[0]') AS from_us,"
    "  json_extract(value, '$[1]') AS to_us FROM json_each(:spans)),"
    " first AS (SELECT t.asset, t.id AS track, w.from_us, w.to_us, e.at_us, e.began_us, e.stopped_us"
    f" FROM {_ASKED} CROSS JOIN spans AS w CROSS JOIN asset_bands AS e ON e.track = t.id AND e.at_us ="
    f"  (SELECT MIN(at_us) FROM {_ENDING} WHERE track = t.id AND at_us > w.from_us AND {_IS_END})"
    " WHERE e.at_us < w.to_us),"
    " days AS (SELECT *, (CASE WHEN began_us < from_us THEN at_us ELSE from_us END)"
    f"  / {DAY_US} * {DAY_US} + {DAY_US} AS day_us, to_us / {DAY_US} * {DAY_US} AS last_us FROM first)"
    " SELECT asset, from_us, to_us, MAX("
    f" COALESCE((SELECT MAX(stopped_us) FROM {_ENDING} WHERE track = days.track AND at_us > days.from_us"
    f"  AND at_us < MIN(days.day_us, days.to_us) AND {_IS_END}"
    "  AND began_us >= days.from_us), 0),"
    " COALESCE((SELECT MAX(stopped_us) FROM asset_longest WHERE track = days.track AND day_us >= days.day_us"
    "  AND day_us < days.last_us), 0),"
    f" COALESCE((SELECT MAX(stopped_us) FROM {_ENDING} WHERE track = days.track"
    f"  AND at_us >= MAX(days.day_us, days.last_us) AND at_us < days.to_us AND {_IS_END}"
    "  AND began_us >= days.from_us), 0)),"
    " CASE WHEN began_us < from_us THEN stopped_us ELSE 0 END FROM days"
)
_BETWEEN = (
    f"SELECT {_OF_BAND} FROM asset_tracks AS t CROSS JOIN asset_bands AS b ON b.track = t.id"
    " WHERE t.asset = ? AND t.current AND b.at_us >= ? AND b.at_us < ? ORDER BY b.at_us LIMIT ?"
)
# Of each asset the newest stops, so that none has to be read through for another's; of them the newest of all.
# The first band behind a stop's begin that ends any stop ends this one; one that goes on is told by the last band.
_STOPS = (
    "WITH found AS (SELECT t.asset, t.id AS track, s.at_us AS began_us"
    f" FROM {_ASKED} CROSS JOIN asset_bands AS s ON s.track = t.id AND s.at_us IN"
    "  (SELECT at_us FROM asset_bands INDEXED BY asset_bands_stops WHERE track = t.id AND state = 2"
    "   AND began_us = at_us AND NOT anew AND at_us >= :from AND at_us < :to AND at_us <= :before"
    "   ORDER BY at_us DESC LIMIT :limit + 1)"
    " WHERE s.at_us < :before OR t.asset < :behind ORDER BY began_us DESC, t.asset DESC LIMIT :limit),"
    " ended AS (SELECT *, (SELECT MIN(at_us) FROM"
    f"  {_ENDING} WHERE track = found.track AND at_us > found.began_us AND {_IS_END}) AS ended_us"
    "  FROM found)"
    " SELECT o.asset, o.began_us, o.ended_us, b.stopped_us, b.anew FROM ended AS o CROSS JOIN asset_bands AS b"
    " ON b.track = o.track AND b.at_us ="
    " COALESCE(o.ended_us, (SELECT MAX(at_us) FROM asset_bands WHERE track = o.track))"
    " ORDER BY o.began_us DESC, o.asset DESC"
)
_FOREVER = 2**63 - 1


class Explanations(Protocol):
    """Who knows what people said of stops."""

    async def explanations(self, asset_ids: Sequence[str], span: Span) -> list[Explanation[str]]:
        """What was said of times that overlap the span, in the order in which it was said."""


class HubBands:
    """asking.Bands over readings.db; a key is an asset's id."""

    def __init__(self, database: Database, said: Explanations) -> None:
        self._db, self._said = database, said

    async def edges(self, assets: Sequence[str], times: Sequence[int]) -> Mapping[tuple[str, int], Band]:
        """The last band that begins before each time, for each asset; where there is none it is left out."""
        rows = await self._db.read(_EDGES, {"assets": _list(assets), "times": _list(times)})
        return {(asset, at_us): band(found) for asset, at_us, *found in rows}

    async def ends(
        self, assets: Sequence[str], spans: Sequence[Span]
    ) -> Mapping[tuple[str, Span], tuple[int, int]]:
        """The longest stop that began and ended within, and the one that began before and ended within."""
        rows = await self._db.read(_ENDS, {"assets": _list(assets), "spans": _list(spans)})
        return {
            (asset, (from_us, to_us)): (within_us, across_us)
            for asset, from_us, to_us, within_us, across_us in rows
        }

    async def between(self, asset: str, span: Span, limit: int) -> list[Band]:
        """Bands that begin in the span, in order of time."""
        return [band(found) for found in await self._db.read(_BETWEEN, (asset, *span, limit))]

    async def stops(
        self, assets: Sequence[str], span: Span, before: tuple[int, str] | None, limit: int
    ) -> list[StopRow[str]]:
        """Stops that count from a moment in the span on, by (began_us, asset), greatest first."""
        before_us, behind = before or (_FOREVER, "")
        rows = await self._db.read(
            _STOPS,
            {
                "assets": _list(assets),
                "from": span[0],
                "to": span[1],
                "before": before_us,
                "behind": behind,
                "limit": limit,
            },
        )
        return [
            StopRow(
                key=asset,
                began_us=began_us,
                ended_us=ended_us,
                stopped_us=stopped_us,
                seen=ended_us is None or not anew,
            )
            for asset, began_us, ended_us, stopped_us, anew in rows
        ]

    async def explanations(self, assets: Sequence[str], span: Span) -> list[Explanation[str]]:
        """What was said of times that overlap the span, in the order in which it was said."""
        return await self._said.explanations(assets, span)


def _list(values: Sequence[object]) -> str:
    return msgspec.json.encode(values).decode()

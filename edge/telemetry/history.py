"""What was measured: pages of readings, or of buckets with their least, mean and greatest.

Without a key it is every key of the device, one after the other. A page's cursor names the last thing shown, so
what is added meanwhile neither repeats nor moves anything.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from edge.clock import Quality
from edge.errors import BadInput
from edge.serving.buckets import HOUR_US, Bucket, Grid, hour_offset_us
from edge.serving.routing import NUMBER_DIGITS
from edge.store.database import Database
from edge.telemetry import history_store as sql
from edge.telemetry.model import Value
from edge.telemetry.series import Series
from edge.telemetry.store import QUALITIES, unbound

POINTS_MAX = 10_000  # in one page: a day of one key at a reading in ten seconds
POINTS_DEFAULT = 1000
BEFORE_ALL = -1  # a seq before every other
END_US = 250_000_000_000_000_000  # the year 9892: buckets near the end of the calendar would have no end


class Point(msgspec.Struct, frozen=True):
    """One reading; or one bucket: then `at_us` is its begin, `value` the mean, and `bucket` the rest of it."""

    key: str
    at_us: int
    value: Value
    quality: Quality
    bucket: Bucket | None = None


class HistoryPage(msgspec.Struct, frozen=True):
    """Points in order, and the cursor of what follows; None when that is nothing."""

    points: list[Point]
    next: str | None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted: a device's `key` ('' for all), times in [from_us, to_us), buckets or not, how many points.

    Buckets are whole: the first is the one that holds `from_us`, the last the one that begins before `to_us`.
    """

    device_id: str
    key: str
    from_us: int
    to_us: int
    bucket_s: int | None = None
    limit: int = POINTS_DEFAULT
    cursor: str = ""


class History:
    """Reads readings.db; never blocks the writer."""

    def __init__(self, database: Database, series: Series, zone: ZoneInfo) -> None:
        self._db, self._series, self._zone = database, series, zone

    async def page(self, ask: Ask) -> HistoryPage:
        """The next points. Raises BadInput for a cursor that no page gave."""
        ask = msgspec.structs.replace(ask, from_us=min(ask.from_us, END_US), to_us=min(ask.to_us, END_US))
        numbers = self._series.of(ask.device_id)
        keys = sorted(numbers) if not ask.key else [ask.key] if ask.key in numbers else []
        at_us, seq, begun = _parse(ask.cursor) if ask.cursor else (ask.from_us, BEFORE_ALL, "")
        points: list[Point] = []
        for key in keys:
            if key < begun:
                continue
            start = (at_us, seq) if key == begun else (ask.from_us, BEFORE_ALL)
            room = ask.limit - len(points)
            more, cursor = await self._of_key(ask, key, numbers[key], start, room)
            points += more
            if cursor is None and len(points) == ask.limit and key != keys[-1]:
                cursor = _cursor(ask.from_us, BEFORE_ALL, keys[keys.index(key) + 1])
            if cursor is not None:
                return HistoryPage(points, cursor)
        return HistoryPage(points, None)

    async def size_bytes(self) -> int:
        """What the file holds, without the pages that are free for reuse."""
        return int((await self._db.read(sql.SIZE))[0][0])

    async def _of_key(
        self, ask: Ask, key: str, number: int, start: tuple[int, int], limit: int
    ) -> tuple[list[Point], str | None]:
        if ask.bucket_s is None:
            return await self._readings(ask, key, number, start, limit)
        grid = Grid(ask.bucket_s, self._zone, ask.from_us)
        points, following = await self._buckets(ask, grid, key, number, start[0], limit)
        return points, None if following is None else _cursor(following, BEFORE_ALL, key)

    async def _readings(
        self, ask: Ask, key: str, number: int, start: tuple[int, int], limit: int
    ) -> tuple[list[Point], str | None]:
        values = {"series": number, "at": start[0], "seq": start[1], "to": ask.to_us, "limit": limit + 1}
        rows = await self._db.read(sql.PAGE, values)
        points = [
            Point(key, at_us, unbound(value, kind), QUALITIES[quality])
            for at_us, _, value, kind, quality in rows[:limit]
        ]
        last = rows[limit - 1] if len(rows) > limit else None
        return points, None if last is None else _cursor(last[0], last[1], key)

    async def _buckets(
        self, ask: Ask, grid: Grid, key: str, number: int, from_us: int, limit: int
    ) -> tuple[list[Point], int | None]:
        """Up to `limit` buckets, and when the next one there may be begins."""
        window = {"series": number, "from": grid.begin(from_us), "to": _end(grid, ask.to_us)}
        ((first_us,),) = await self._db.read(sql.FIRST, {**window, "rolled": grid.of_hours})
        if first_us is None:
            return [], None
        window["from"] = grid.begin(first_us)
        end_us = min(window["to"], grid.after(window["from"], limit))
        rolled = grid.of_hours
        width_us, offset_us = grid.width_us, grid.offset_us
        if rolled:
            width_us, offset_us = HOUR_US, hour_offset_us(self._zone, ask.from_us)
        window.update(to=end_us, width=width_us, offset=offset_us)
        rows = await self._db.read(sql.FROM_ROLLUPS if rolled else sql.FROM_RAW, window)
        points = [
            Point(key, bucket.at_us, bucket.mean, Quality.NONE, bucket)
            for bucket in grid.gather((row[0], row[1], row[2], row[3], row[4]) for row in rows)
        ]
        return points, end_us if end_us < _end(grid, ask.to_us) else None


def _end(grid: Grid, to_us: int) -> int:
    """When the last bucket that begins before `to_us` ends."""
    return grid.after(grid.begin(to_us - 1), 1)


def _cursor(at_us: int, seq: int, key: str) -> str:
    return f"{at_us}.{seq + 1}.{key}"


def _parse(cursor: str) -> tuple[int, int, str]:
    """When, behind which number, and of which key the page goes on."""
    at_us, _, rest = cursor.partition(".")
    seq, _, key = rest.partition(".")
    if (
        not (at_us.removeprefix("-").isdecimal() and seq.isdecimal() and key)
        or max(len(at_us), len(seq)) > NUMBER_DIGITS
    ):
        raise BadInput("The cursor is not one that a page gave.", hint="Begin again without a cursor.")
    return int(at_us), int(seq) - 1, key

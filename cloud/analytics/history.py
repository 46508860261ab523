"""What was measured: pages of readings, or of buckets with their least, mean and greatest; answered as a hub does.

Without a key it is every key of the device, one after the other. A page's cursor names the last thing shown, so
what is added meanwhile neither repeats nor moves anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from cloud.analytics import history_store as sql
from cloud.analytics import rollup_store
from cloud.analytics.history_store import Part, Place, Start
from cloud.analytics.hours import Span, clipped, hours_of, outside
from cloud.analytics.rollups import zone_named
from cloud.analytics.times_store import FixedBoot, fixed_boots
from edge.errors import BadInput
from edge.serving.buckets import HOUR_US, Bucket, Grid, hour_offset_us
from edge.serving.routing import NUMBER_DIGITS

POINTS_MAX = 10_000  # in one page: a day of one key at a reading in ten seconds
POINTS_DEFAULT = 1000
END_US = 250_000_000_000_000_000  # the year 9892: buckets near the end of the calendar would have no end
BOOL_KIND = 1
QUALITIES = ("none", "rtc", "ntp", "fixed")
EPOCH_DIGITS = 9

Value = float | bool | str


class Point(msgspec.Struct, frozen=True):
    """One reading; or one bucket: then `at_us` is its begin, `value` the mean, and `bucket` the rest of it."""

    key: str
    at_us: int
    value: Value
    quality: str
    bucket: Bucket | None = None


class HistoryPage(msgspec.Struct, frozen=True):
    """Points in order, and the cursor of what follows; None when that is nothing."""

    points: list[Point]
    next: str | None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted: a device's `key` ('' for all), times in [from_us, to_us), buckets or not, how many points.

    Buckets are whole: the first is the one that holds `from_us`, the last the one that begins before `to_us`.
    """

    tenant_id: int
    site_id: int
    timezone: str
    device: str
    key: str
    from_us: int
    to_us: int
    bucket_s: int | None = None
    limit: int = POINTS_DEFAULT
    cursor: str = ""


async def page(connection: AsyncConnection, ask: Ask) -> HistoryPage:
    """The next points. Raises BadInput for a cursor that no page gave."""
    ask = msgspec.structs.replace(ask, from_us=min(ask.from_us, END_US), to_us=min(ask.to_us, END_US))
    start, begun = _parse(ask.cursor) if ask.cursor else (Start(ask.from_us), "")
    places = await sql.series_of(connection, ask.tenant_id, ask.site_id, ask.device, ask.key)
    boots = await fixed_boots(connection, ask.tenant_id, ask.site_id)
    points: list[Point] = []
    for key in sorted(places):
        if key < begun:
            continue
        if len(points) == ask.limit:
            return HistoryPage(points, _cursor(Start(ask.from_us), key))
        reader = _Key(connection, ask, key, places[key], boots)
        more, following = await reader.points(
            start if key == begun else Start(ask.from_us), ask.limit - len(points)
        )
        points += more
        if following is not None:
            return HistoryPage(points, _cursor(following, key))
    return HistoryPage(points, None)


class _Key:
    """Reads one key of a device."""

    def __init__(
        self, connection: AsyncConnection, ask: Ask, key: str, places: Sequence[Place], boots: Sequence[FixedBoot]
    ) -> None:
        self._connection, self._ask, self._key, self._places, self._boots = connection, ask, key, places, boots

    async def points(self, start: Start, limit: int) -> tuple[list[Point], Start | None]:
        """Up to so many points from `start`, and where the next ones begin."""
        if self._ask.bucket_s is None:
            return await self._readings(start, limit)
        grid = Grid(self._ask.bucket_s, zone_named(self._ask.timezone), self._ask.from_us)
        return await self._buckets(grid, start.at_us, limit)

    async def _readings(self, start: Start, limit: int) -> tuple[list[Point], Start | None]:
        rows = await sql.page(self._connection, self._places, self._boots, start, self._ask.to_us, limit + 1)
        points = [
            Point(self._key, at_us, value_of(num, text, kind), QUALITIES[quality])
            for at_us, _, _, num, text, kind, quality in rows[:limit]
        ]
        if len(rows) <= limit:
            return points, None
        return points, Start(*rows[limit - 1][:3])

    async def _buckets(self, grid: Grid, from_us: int, limit: int) -> tuple[list[Point], Start | None]:
        """Up to `limit` buckets, and when the next one there may be begins."""
        window = grid.begin(from_us), grid.after(grid.begin(self._ask.to_us - 1), 1)
        first_us = await sql.first_at(self._connection, self._places, self._boots, *window, rolled=grid.of_hours)
        if first_us is None:
            return [], None
        begin_us = grid.begin(first_us)
        end_us = min(window[1], grid.after(begin_us, limit))
        parts = await (self._by_hours if grid.of_hours else self._from_raw)(grid, (begin_us, end_us))
        points = [Point(self._key, one.at_us, one.mean, "", one) for one in grid.gather(parts)]
        return points, Start(end_us) if end_us < window[1] else None

    async def _from_raw(self, grid: Grid, window: Span) -> list[Part]:
        return await sql.raw_parts(
            self._connection,
            self._places,
            self._boots,
            window,
            width_us=grid.width_us,
            offset_us=grid.offset_us,
        )

    async def _by_hours(self, grid: Grid, window: Span) -> list[Part]:
        """From rollups, also where the readings are gone; hours that are due to be made anew from the readings."""
        ask = self._ask
        _, offset_us = await rollup_store.zone_of(self._connection, ask.tenant_id, ask.site_id)
        if offset_us is None:  # there are no rollups yet
            offset_us = hour_offset_us(zone_named(ask.timezone), ask.from_us)
        parts: list[Part] = []
        for place in self._places:
            due = await self._due(place.epoch_no, window, offset_us)
            rolled = await sql.rolled_parts(self._connection, [place], window)
            parts += [part for part in rolled if outside(due, part[0])] if due else rolled
            for span in due:
                parts += await sql.raw_parts(
                    self._connection, [place], self._boots, span, width_us=HOUR_US, offset_us=offset_us
                )
        return parts

    async def _due(self, epoch_no: int, window: Span, offset_us: int) -> list[Span]:
        """The hours of an epoch in the window that rollups do not tell yet."""
        site = self._ask.tenant_id, self._ask.site_id
        dues = await rollup_store.due(self._connection, *site, epoch_no)
        if not dues:
            return []
        touched = await rollup_store.touched(self._connection, *site, dues, self._boots)
        return clipped(hours_of(touched, offset_us), window)


def value_of(num: float | None, text: str | None, kind: int) -> Value:
    """A stored value as it was."""
    if num is None:
        return text or ""
    return bool(num) if kind == BOOL_KIND else num


def _cursor(start: Start, key: str) -> str:
    return f"{start.at_us}.{start.epoch_no + 1}.{start.seq + 1}.{key}"


def _parse(cursor: str) -> tuple[Start, str]:
    """Behind which row, and of which key the page goes on."""
    at_us, epoch_no, seq, key = [*cursor.split(".", 3), "", "", ""][:4]
    good = all(part.isdecimal() for part in (at_us.removeprefix("-"), epoch_no, seq)) and key
    if not good or max(len(at_us), len(seq)) > NUMBER_DIGITS or len(epoch_no) > EPOCH_DIGITS:
        raise BadInput("The cursor is not one that a page gave.", hint="Begin again without a cursor.")
    return Start(int(at_us), int(epoch_no) - 1, int(seq) - 1), key

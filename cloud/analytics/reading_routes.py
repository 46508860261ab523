"""/v1 of readings: the newest values, and history as JSON and CSV; with the paths and answers of a hub."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from cloud.accounts.member import member
from cloud.analytics.asked import QUERY, asked
from cloud.analytics.history import Ask, HistoryPage, Point, page
from cloud.db.database import Database
from cloud.fleet import state_store
from cloud.fleet.lookup import Found, find_device, found
from cloud.fleet.views import latest_views
from edge.clock import Clock, iso
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.serving.table import send_csv
from edge.wire.centre import SiteLatest
from edge.wire.readings import ReadingView

CSV_POINTS = 2000  # in memory at a time
READINGS = ("at", "key", "value", "quality")
BUCKETS = ("at", "key", "mean", "min", "max", "count")


class ReadingRoutes:
    """The routes of what devices measure."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    def all(self) -> list[Route]:
        """Every route."""
        viewer, place = Role.VIEWER, "/v1/devices/{id}/readings"
        return [
            Route(
                "GET",
                place,
                self.history,
                "What it measured, oldest first, or by `bucket`",
                viewer,
                returns=ReadingView,
                many=True,
                query=QUERY,
            ),
            Route(
                "GET",
                place + ".csv",
                self.csv,
                "The same for a spreadsheet, all of it",
                viewer,
                stream="text/csv",
                query=QUERY,
            ),
            Route(
                "GET",
                "/v1/devices/{id}/latest",
                self.latest,
                "The newest value of each key",
                viewer,
                returns=SiteLatest,
                many=True,
                query=("site",),
            ),
        ]

    async def history(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/readings?key=&from=&to=&bucket=&site=."""
        answer = await self._page(asked(call, await self._device(call), self._clock.now().at_us))
        return Page([_view(point) for point in answer.points], answer.next)

    async def csv(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/readings.csv; a page of it is in memory at a time."""
        device = await self._device(call)
        ask = msgspec.structs.replace(asked(call, device, self._clock.now().at_us), limit=CSV_POINTS, cursor="")
        first = await self._page(ask)  # what is wrong with the question is told before the heading

        async def pages() -> AsyncIterator[list[tuple[object, ...]]]:
            answer = first
            yield [_row(point) for point in answer.points]
            while answer.next is not None:
                answer = await self._page(msgspec.structs.replace(ask, cursor=answer.next))
                yield [_row(point) for point in answer.points]

        return await send_csv(call, f"readings-{device.id}", READINGS if ask.bucket_s is None else BUCKETS, pages())

    async def latest(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/latest?site=; as its hub last told, history never changes it."""
        device = await self._device(call)
        async with self._db.read() as connection:
            rows = await state_store.states(
                connection, member(call), "latest", site=device.place.slug, device=device.id, limit=1
            )
        return Page(latest_views(found(rows[0], member(call)), self._clock.now().at_us) if rows else [])

    async def _page(self, ask: Ask) -> HistoryPage:
        async with self._db.read() as connection:
            return await page(connection, ask)

    async def _device(self, call: Call) -> Found:
        async with self._db.read() as connection:
            return await find_device(connection, member(call), call.param("id"), call.query("site"))


def _view(point: Point) -> ReadingView:
    bucket = point.bucket
    if bucket is None:
        return ReadingView(at=iso(point.at_us), key=point.key, value=point.value, quality=point.quality)
    return ReadingView(
        at=iso(point.at_us),
        key=point.key,
        value=bucket.mean,
        min=bucket.min,
        max=bucket.max,
        count=bucket.count,
    )


def _row(point: Point) -> tuple[object, ...]:
    at, bucket = iso(point.at_us), point.bucket
    if bucket is None:
        return at, point.key, point.value, point.quality
    return at, point.key, bucket.mean, bucket.min, bucket.max, bucket.count

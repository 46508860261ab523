"""/v1 of readings: the newest values, history as JSON and CSV, and readings written by scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from edge.clock import Clock, iso
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import DeviceUnavailable
from edge.serving.moments import moment
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.serving.table import send_csv
from edge.telemetry.asked import QUERY, asked
from edge.telemetry.history import Point
from edge.telemetry.model import Latest
from edge.telemetry.telemetry import Telemetry
from edge.wire.readings import LatestView, NewReadings, ReadingsTaken, ReadingView

CSV_POINTS = 2000  # in memory at a time
READINGS = ("at", "key", "value", "quality")
BUCKETS = ("at", "key", "mean", "min", "max", "count")


class ReadingRoutes:
    """The routes of this capability."""

    def __init__(self, telemetry: Telemetry, registry: Registry, clock: Clock) -> None:
        self._telemetry, self._registry, self._clock = telemetry, registry, clock

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
                "POST",
                place,
                self.add,
                "Store values by key, now or `at` a time",
                Role.TECHNICIAN,
                app=True,
                body=NewReadings,
                returns=ReadingsTaken,
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
                returns=LatestView,
                many=True,
            ),
        ]

    async def history(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/readings."""
        ask = asked(call, self._device(call).id, self._clock.now().at_us)
        page = await self._telemetry.past.page(ask)
        return Page([_view(point) for point in page.points], page.next)

    async def csv(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/readings.csv; a page of it is in memory at a time."""
        device = self._device(call)
        ask = asked(call, device.id, self._clock.now().at_us)
        ask = msgspec.structs.replace(ask, limit=CSV_POINTS, cursor="")
        first = await self._telemetry.past.page(ask)  # what is wrong with the question is told before the heading

        async def pages() -> AsyncIterator[list[tuple[object, ...]]]:
            page = first
            yield [_row(point) for point in page.points]
            while page.next is not None:
                page = await self._telemetry.past.page(msgspec.structs.replace(ask, cursor=page.next))
                yield [_row(point) for point in page.points]

        return await send_csv(call, f"readings-{device.id}", READINGS if ask.bucket_s is None else BUCKETS, pages())

    async def latest(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/latest."""
        latest, now = self._telemetry.latest(self._device(call).id), self._clock.now()
        ages = {key: self._telemetry.age_s(latest[key], now) for key in latest}
        return Page([latest_view(key, latest[key], ages[key]) for key in sorted(latest)])

    async def add(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/readings."""
        wanted: NewReadings = call.body
        device = self._device(call)
        if not device.approved:
            raise DeviceUnavailable(
                f"{device.name} is not approved yet.", hint=f"Approve it: `outpost device approve {device.id}`."
            )
        at_us = None if wanted.at is None else moment("at", wanted.at, self._clock.now().at_us)
        taken = await self._telemetry.ingest(device, wanted.values, at_us=at_us)
        return ReadingsTaken(accepted=taken.accepted, refused=taken.refused)

    def _device(self, call: Call) -> Device:
        return self._registry.get(call.param("id"))


def _view(point: Point) -> ReadingView:
    bucket = point.bucket
    if bucket is None:
        return ReadingView(at=iso(point.at_us), key=point.key, value=point.value, quality=point.quality.value)
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
        return at, point.key, point.value, point.quality.value
    return at, point.key, bucket.mean, bucket.min, bucket.max, bucket.count


def latest_view(key: str, latest: Latest, age_s: float | None) -> LatestView:
    """A newest value as the API shows it."""
    quality = latest.quality.value
    return LatestView(key=key, value=latest.value, at=iso(latest.at_us), age_s=age_s, quality=quality)

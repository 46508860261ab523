"""The older app's schedules, timers, notifications and charts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from edge.access.accounts.model import User
from edge.automation.notices.notices import Notices
from edge.automation.schedules.model import Target
from edge.automation.schedules.schedules import Schedules
from edge.compat.thingsnxt.apps import led_of
from edge.compat.thingsnxt.door import Door, Invalid, Table, Visit, check_id, naive, reply
from edge.compat.thingsnxt.names import Names
from edge.compat.thingsnxt.views import local, notice_document, schedule_document
from edge.errors import BadInput, NotFound
from edge.telemetry.widgets.widgets import Widgets

NOTICES = 50  # shown unless the app asks for another number
NOTICES_MAX = 500
UNREAD_FIRST = 10  # told when a stream begins
HISTORY_POINTS = 288  # of a chart: each five minutes of a day
HOUR_S, DAY_S = 3600, 86_400
PERIODS_S = {"h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S, "m": 30 * DAY_S, "y": 365 * DAY_S}
BUCKETS_S = (60, 300, 900, 1800, HOUR_S, 6 * HOUR_S, DAY_S)  # what a point of a chart stands for
PERIOD_MAX_S = 366 * DAY_S

Past = Callable[[str, str, int, int, int], Awaitable[list[tuple[int, Any]]]]
"""What is stored of a device's key between two times, in buckets of so many seconds, oldest first."""


class AtTime(msgspec.Struct):
    """POST /widgets/{id}/schedule."""

    state: bool
    execute_at: str
    label: str | None = None


class AfterTime(msgspec.Struct):
    """POST /widgets/{id}/timer."""

    state: bool
    duration_seconds: int
    label: str | None = None


_at = msgspec.json.Decoder(AtTime, strict=False)
_after = msgspec.json.Decoder(AfterTime, strict=False)


class ThingsPlans:
    """What happens later, and what has happened."""

    def __init__(
        self,
        door: Door,
        past: Past,
        widgets: Widgets,
        schedules: Schedules,
        notices: Notices,
        names: Names,
        zone: ZoneInfo,
    ) -> None:
        self._door, self._past, self._widgets = door, past, widgets
        self._schedules, self._notices, self._names, self._zone = schedules, notices, names, zone

    def table(self) -> Table:
        """What people may ask."""
        return {
            ("POST", "/widgets/{id}/schedule"): self.schedule,
            ("POST", "/widgets/{id}/timer"): self.timer,
            ("GET", "/widgets/{id}/schedule"): self.schedules,
            ("DELETE", "/widgets/{id}/schedule/{schedule}"): self.cancel,
            ("GET", "/telemetry/history"): self.history,
            ("GET", "/notifications"): self.notifications,
            ("PUT", "/notifications/read-all"): self.read_all,
            ("PUT", "/notifications/{id}/read"): self.read,
            ("DELETE", "/notifications/{id}"): self.delete,
        }

    async def schedule(self, visit: Visit) -> web.Response:
        """POST /widgets/{id}/schedule: a time without an offset is the site's."""
        target, wanted = self._target(visit), visit.read(_at)
        try:
            made = await self._schedules.at(_to(target, wanted.state), wanted.execute_at, wanted.label)
        except BadInput as error:
            raise Invalid("body", "execute_at", error.detail) from error
        at = local(made.due_us, self._zone)
        return reply(
            {
                "message": "scheduled",
                "schedule_id": made.id,
                "execute_at": at,
                "execute_at_ist": at,
                "state": wanted.state,
            }
        )

    async def timer(self, visit: Visit) -> web.Response:
        """POST /widgets/{id}/timer: after a duration, whatever is done to the clocks meanwhile."""
        target, wanted = self._target(visit), visit.read(_after)
        try:
            made = await self._schedules.after(
                _to(target, wanted.state), wanted.duration_seconds, wanted.label or "Timer"
            )
        except BadInput as error:
            raise Invalid("body", "duration_seconds", error.detail) from error
        at = local(made.due_us, self._zone)
        return reply(
            {
                "message": "timer_scheduled",
                "schedule_id": made.id,
                "execute_at": at,
                "execute_at_ist": at,
                "state": wanted.state,
                "duration_seconds": wanted.duration_seconds,
            }
        )

    async def schedules(self, visit: Visit) -> web.Response:
        """GET /widgets/{id}/schedule: by their time."""
        widget = led_of(self._widgets, visit)
        found = sorted(await self._schedules.of_widget(widget.id), key=lambda one: one.due_us)
        return reply(
            {"schedules": [schedule_document(self._names, one, widget.dashboard_id, self._zone) for one in found]}
        )

    async def cancel(self, visit: Visit) -> web.Response:
        """DELETE /widgets/{id}/schedule/{schedule}."""
        widget = led_of(self._widgets, visit)
        schedule_id = check_id(visit.params["schedule"], "schedule")
        try:
            await self._schedules.cancel(visit.user.id, schedule_id, widget_id=widget.id)
        except NotFound as error:
            raise NotFound("Schedule not found or already processed") from error
        return reply({"message": "cancelled"})

    async def history(self, visit: Visit) -> web.Response:
        """GET /telemetry/history: what is stored, newest first; nothing where there is nothing."""
        device = self._names.owned(visit.user.id, check_id(visit.query("device_id"), "Device"))
        key, period_s = visit.query("key"), _period_s(visit.asked.get("period", "24h"))
        to_us = self._door.clock.now().at_us
        bucket_s = next((size for size in BUCKETS_S if period_s <= size * HISTORY_POINTS), DAY_S)
        points = await self._past(device.id, key, to_us - period_s * 1_000_000, to_us, bucket_s)
        return reply([{"timestamp": naive(at_us), "value": value} for at_us, value in reversed(points)])

    async def unread(self, user: User) -> list[dict[str, Any]]:
        """The newest that he has not read, as a stream of them begins."""
        notices = [notice for notice in await self._notices.of(user.id, UNREAD_FIRST * 5) if not notice.read]
        return [notice_document(self._names, notice, self._zone) for notice in notices[:UNREAD_FIRST]]

    async def notifications(self, visit: Visit) -> web.Response:
        """GET /notifications: newest first."""
        asked = visit.asked
        limit = int(asked["limit"]) if asked.get("limit", "").isdecimal() and len(asked["limit"]) < 5 else NOTICES
        notices = await self._notices.of(visit.user.id, min(max(1, limit), NOTICES_MAX))
        if asked.get("unread_only", "").lower() in ("1", "true"):
            notices = [notice for notice in notices if not notice.read]
        return reply({"notifications": [notice_document(self._names, notice, self._zone) for notice in notices]})

    async def read(self, visit: Visit) -> web.Response:
        """PUT /notifications/{id}/read."""
        await self._notices.read(visit.user.id, visit.id("id", "notification"))
        return reply({"message": "marked as read"})

    async def read_all(self, visit: Visit) -> web.Response:
        """PUT /notifications/read-all."""
        await self._notices.read_all(visit.user.id)
        return reply({"message": "all notifications marked as read"})

    async def delete(self, visit: Visit) -> web.Response:
        """DELETE /notifications/{id}."""
        await self._notices.delete(visit.user.id, visit.id("id", "notification"))
        return web.Response(status=204)

    def _target(self, visit: Visit) -> Target:
        widget = led_of(self._widgets, visit)
        assert widget.pin is not None  # led_of has seen to it
        return Target(owner=visit.user.id, widget_id=widget.id, device_id=widget.device_id, key=widget.pin, value=0)


def _to(target: Target, state: bool) -> Target:
    return msgspec.structs.replace(target, value=int(state))


def _period_s(text: str) -> int:
    """`24h`, `7d`, `1w`, `1m`, `1y` in seconds. Raises Invalid."""
    unit = PERIODS_S.get(text[-1:])
    if unit is None or not text[:-1].isdecimal() or len(text) > 4 or not 0 < int(text[:-1]) * unit <= PERIOD_MAX_S:
        raise Invalid("query", "period", "period is a number of h, d, w or m, for example 24h")
    return int(text[:-1]) * unit

"""Things as the older app reads them: documents with `_id` and `id`, times in UTC without a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from edge.automation.notices.presence import OFFLINE, ONLINE
from edge.automation.notices.store import Notice
from edge.automation.schedules.model import Schedule, ScheduleState
from edge.compat.thingsnxt.door import naive
from edge.compat.thingsnxt.names import HIDDEN, Names
from edge.devices.model import Device, Presence
from edge.telemetry.widgets.model import Dashboard, Widget

Document = dict[str, Any]

LEVELS = {
    ONLINE: "success",
    OFFLINE: "warning",
    "schedule_executed": "success",
    "schedule_missed": "error",
    "schedule_failed": "error",
}
"""What the app calls each type of notice; it draws an icon by it. Others are `info`."""

STATUSES = {ScheduleState.EXECUTED: "completed", ScheduleState.MISSED: "failed"}
"""What the app calls the ends of a schedule; the others bear the same name."""


def device_document(
    names: Names, device: Device, presence: Presence | None, online: bool, token: str = ""
) -> Document:
    """A device; its token only when it has just been made, else what an owner may ask by instead."""
    claimed = names.id_of(device)
    return {
        "_id": claimed,
        "id": claimed,
        "user_id": device.owner,
        "name": device.name,
        "status": status(online),
        "last_active": naive(presence.stamp.at_us if presence else device.created_us),
        "device_token": token or HIDDEN + claimed,
    }


def status(online: bool) -> str:
    """A device's status by name."""
    return "online" if online else "offline"


def dashboard_document(board: Dashboard) -> Document:
    """A dashboard without its widgets."""
    return {
        "_id": board.id,
        "id": board.id,
        "user_id": board.owner,
        "name": board.name,
        "description": board.description,
        "created_at": naive(board.created_us),
    }


def widget_document(
    names: Names, widget: Widget, shown: Any, pending: bool, board: Dashboard | None = None
) -> Document:
    """A widget as it is drawn: `shown` is its value; `pending`: its device has still to follow."""
    document: Document = {
        "_id": widget.id,
        "id": widget.id,
        "dashboard_id": widget.dashboard_id,
        "device_id": names.id_of_known(widget.device_id) or None,
        "type": widget.type,
        "label": widget.label,
        "value": shown,
        "config": widget.config,
        "pending": pending,
    }
    for order, place in enumerate(board.layout if board else ()):
        if place.get("id") == widget.id:
            document |= {"order": order, "width": place["width"], "height": place["height"]}
    return document


def schedule_document(names: Names, schedule: Schedule, dashboard_id: str, zone: ZoneInfo) -> Document:
    """A schedule; its time is the site's, with its offset."""
    at = local(schedule.due_us, zone)
    return {
        "_id": schedule.id,
        "id": schedule.id,
        "widget_id": schedule.target.widget_id,
        "device_id": names.id_of_known(schedule.target.device_id),
        "dashboard_id": dashboard_id,
        "state": bool(schedule.target.value),
        "execute_at": at,
        "execute_at_ist": at,
        "status": STATUSES.get(schedule.state, schedule.state.value),
        "label": schedule.label,
        "created_at": naive(schedule.created_us),
        "created_by": schedule.target.owner,
        "error": schedule.reason or None,
    }


def local(at_us: int, zone: ZoneInfo) -> str:
    """A time of the site with its offset."""
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).astimezone(zone).isoformat(timespec="milliseconds")


def notice_document(names: Names, notice: Notice, zone: ZoneInfo) -> Document:
    """A notice, as a list and as a stream have it."""
    at = datetime.fromtimestamp(notice.at_us / 1_000_000, UTC).astimezone(zone)
    return {
        "_id": notice.id,
        "id": notice.id,
        "title": notice.title,
        "message": notice.message,
        "type": LEVELS.get(notice.type, "info"),
        "details": notice.details or None,
        "time": at.strftime("%I:%M %p"),
        "timestamp": naive(notice.at_us),
        "created_at": naive(notice.at_us),
        "device_id": names.id_of_known(notice.device_id) or None,
        "widget_id": notice.widget_id or None,
        "read": notice.read,
    }

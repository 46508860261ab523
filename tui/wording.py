"""Facts of devices and commands in a technician's words."""

from __future__ import annotations

from datetime import tzinfo

from edge.wire.commands import State
from edge.wire.views import CommandView, DeviceView
from tui import ages

KINDS = {
    "display_qr": "show QR",
    "start_rotation": "start rotation",
    "stop_rotation": "halt rotation",
    "store_picture": "store picture",
    "erase_picture": "erase picture",
    "machine_status": "ask status",
}


def counted(count: int, thing: str) -> str:
    """`1 device`, `2 devices`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def kind_text(kind: str) -> str:
    """A kind of command; one unknown here by its own name."""
    return KINDS.get(kind, kind.replace("_", " "))


def short_link(link: str) -> str:
    """`serial /dev/ttyUSB0 @115200` as `ttyUSB0`; other links as they are."""
    if not link:
        return "-"
    words = link.split()
    if words[0] == "serial" and len(words) > 1:
        return words[1].rsplit("/", 1)[-1]
    return link


def panel_shows(view: DeviceView, where: tzinfo) -> str:
    """What the panel shows by the device's own word, short: `QR 12:04`."""
    if view.screen is None:
        return "-"
    since = ages.moment(view.screen.since)
    at = f" {since.astimezone(where):%H:%M}" if since else ""
    words = {"qr": "QR", "rotation": "rotation", "picture": "picture", "idle": "idle", "unknown": "not known"}
    return words.get(view.screen.shows, view.screen.shows) + at


def waiting_text(view: DeviceView) -> str:
    """How many commands wait, and how many are in doubt."""
    doubt = f"▲{view.in_doubt}" if view.in_doubt else ""
    return " ".join(part for part in (str(view.queued) if view.queued else "", doubt) if part) or "-"


def left_text(view: CommandView) -> str:
    """How long an open command is good for."""
    if view.expires_in_s is None or view.state is State.IN_DOUBT:
        return "-"
    return ages.age(view.expires_in_s)


def by_text(view: CommandView) -> str:
    """Who asked for it."""
    return view.agent or view.actor or "-"

"""What this terminal knows of the site, and since when.

Filled by tui/feed.py, read by the screens, holds no widget and does no I/O. When the hub goes away everything stays
as it was last known: `as_of` says when that was.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import Enum

from edge.wire.commands import OPEN, State
from edge.wire.site import DeadLetterView, SyncView
from edge.wire.views import ClaimView, CommandView, DeviceView, KnockView, LogLine, PortView, StatusView
from tui import ages
from tui.boards import Boards
from tui.clock import Clock
from tui.firmware import Firmware
from tui.goods import Goods
from tui.machines import Machines
from tui.panels import Panels
from tui.values import Values

MOST_COMMANDS = 2000  # ended ones beyond it are forgotten here, oldest first; the hub keeps them
VIEWER = "viewer"  # the role that may only look
LOG_LINES = 1000  # kept of each device whose log is open
TALK_LINES = 5000  # kept of what goes to and comes from all devices

WAITING = OPEN | {State.IN_DOUBT}


class Contact(Enum):
    """How the terminal stands with the hub."""

    FIRST = "connecting"  # not reached yet
    LIVE = "live"
    AWAY = "away"


@dataclass(frozen=True)
class Known:
    """A device as last told, and this terminal's monotonic time then."""

    view: DeviceView
    at_mono_s: float


class Site:
    """Devices, commands, ports, claims and knocks by their keys."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.status: StatusView | None = None
        self._devices: dict[str, Known] = {}
        self.commands: dict[str, CommandView] = {}
        self.ports: dict[str, PortView] = {}
        self.claims: dict[str, ClaimView] = {}
        self.knocks: list[KnockView] = []
        self.logs: dict[str, deque[LogLine]] = {}
        self.log_counts: dict[str, int] = {}
        self.talk: deque[LogLine] = deque(maxlen=TALK_LINES)
        self.talk_count = 0
        self.values: dict[str, Values] = {}  # of the devices one looks at
        self.goods = Goods()
        self.machines = Machines(clock)
        self.firmware = Firmware()
        self.boards = Boards(clock)
        self.panels = Panels()
        self.sync: SyncView | None = None
        self.sync_absent = False  # the hub is too old to know of syncing
        self.letters: list[DeadLetterView] = []  # rows the centre would not take
        self.contact = Contact.FIRST
        self.contact_since = 0  # counts the times the hub came (back): what a screen read before is read again
        self.as_of: datetime | None = None
        self.away_why = ""
        self.away_hint = ""
        self.retry_at_mono_s = 0.0
        self.unreadable = 0

    @property
    def ever_reached(self) -> bool:
        """Whether the hub answered at least once."""
        return self.as_of is not None

    @property
    def looks_only(self) -> bool:
        """Whether the hub takes who sits here for a viewer."""
        return self.status is not None and self.status.role == VIEWER

    @property
    def zone(self) -> tzinfo:
        """The site's time zone."""
        return ages.zone(self.status.timezone if self.status else "UTC")

    # What is asked

    def devices(self) -> list[DeviceView]:
        """All devices: those that wait for approval first, then by name."""
        views = [known.view for known in self._devices.values()]
        return sorted(views, key=lambda view: (view.state != "pending", view.name.casefold(), view.id))

    def device(self, device: str) -> DeviceView | None:
        """One device, or None."""
        known = self._devices.get(device)
        return known.view if known else None

    def device_name(self, device: str) -> str:
        """What people call it; its id where that is not known."""
        known = self._devices.get(device)
        return known.view.name or device if known else device

    def evidence_age_s(self, device: str) -> float | None:
        """Seconds since the device's last sign of life, counted on without asking; None: never or unknown."""
        known = self._devices.get(device)
        if known is None or known.view.evidence_age_s is None:
            return None
        return known.view.evidence_age_s + self._clock.mono_s() - known.at_mono_s

    def waiting(self) -> list[CommandView]:
        """Commands somebody still waits for: in doubt first, then oldest first."""
        found = [command for command in self.commands.values() if command.state in WAITING]
        return sorted(found, key=lambda it: (it.state is not State.IN_DOUBT, it.created_at, it.id))

    def history(self, device: str) -> list[CommandView]:
        """A device's commands, newest first."""
        found = [command for command in self.commands.values() if command.device == device]
        return sorted(found, key=lambda it: (it.created_at, it.seq or 0, it.id), reverse=True)

    # What is told

    def put_devices(self, views: list[DeviceView]) -> None:
        """The whole list: a device it lacks is gone."""
        self._devices = {}
        for view in views:
            self.put_device(view)

    def put_device(self, view: DeviceView) -> None:
        """One device as it is now."""
        self._devices[view.id] = Known(view, self._clock.mono_s())

    def drop_device(self, device: str) -> None:
        """A device is no more."""
        self._devices.pop(device, None)
        self.logs.pop(device, None)
        self.goods.drop_machine(device)

    def put_waiting(self, views: list[CommandView]) -> None:
        """The whole list of open commands and those in doubt: one it lacks has ended meanwhile."""
        self.commands = {key: it for key, it in self.commands.items() if it.state not in WAITING}
        self.put_commands(views)

    def put_commands(self, views: list[CommandView]) -> None:
        """Some commands as they are now."""
        for view in views:
            self.commands[view.id] = view
        if len(self.commands) > MOST_COMMANDS:
            ended = sorted(
                (it for it in self.commands.values() if it.state not in WAITING), key=lambda it: it.created_at
            )
            for view in ended[: len(self.commands) - MOST_COMMANDS]:
                del self.commands[view.id]

    def put_port(self, view: PortView) -> None:
        """One port as it is now."""
        self.ports[view.path] = view

    def open_log(self, device: str, lines: list[LogLine]) -> None:
        """Start keeping a device's log, with what it said so far (oldest first)."""
        self.logs[device] = deque(lines, maxlen=LOG_LINES)
        self.log_counts[device] = len(lines)

    def put_log(self, device: str, line: LogLine) -> None:
        """One more line; of each device it is kept only while its log is open."""
        self.talk.append(line)
        self.talk_count += 1
        if device in self.logs:
            self.logs[device].append(line)
            self.log_counts[device] += 1

    def close_log(self, device: str) -> None:
        """Keep it no longer."""
        self.logs.pop(device, None)
        self.log_counts.pop(device, None)

    def open_talk(self, lines: list[LogLine]) -> None:
        """Begin anew with what all devices said and were told so far (oldest first)."""
        self.talk = deque(lines, maxlen=TALK_LINES)
        self.talk_count = len(lines)

    def put_readings(self, device: str, at: str, values: dict[str, object]) -> None:
        """New readings; dropped unless somebody looks at that device."""
        if device in self.values:
            self.values[device].put(at, values, self._clock.mono_s())

    def heard(self) -> None:
        """The hub spoke just now."""
        self.as_of = self._clock.now()

    def came(self) -> None:
        """The hub is there and everything was read."""
        self.contact = Contact.LIVE
        self.contact_since += 1

    def went_away(self, why: str, hint: str, retry_in_s: float) -> None:
        """The hub does not answer; it is tried again after `retry_in_s`."""
        self.contact = Contact.AWAY
        self.away_why, self.away_hint = why, hint
        self.retry_at_mono_s = self._clock.mono_s() + retry_in_s

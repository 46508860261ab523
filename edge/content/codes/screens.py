"""What each panel shows, by evidence: the device's own word, or else what it last said it did."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edge.bus import Bus, Event
from edge.clock import Clock, Quality, Stamp, iso
from edge.commands.model import Command
from edge.store.boots import Boots
from edge.wire.commands import State
from edge.wire.views import Screen

ROTATION, QR, UNKNOWN = "rotation", "qr", "unknown"


class ScreenChanged(Event, frozen=True, kw_only=True):
    """A panel shows something else now."""

    device_id: str


class _Shown(msgspec.Struct, frozen=True):
    shows: str
    command: str | None
    stamp: Stamp


class Screens:
    """The last word on every panel; None where nobody has said any."""

    def __init__(self, bus: Bus, clock: Clock, boots: Boots) -> None:
        self._bus, self._clock, self._boots = bus, clock, boots
        self._shown: dict[str, _Shown] = {}

    def of(self, device_id: str) -> Screen | None:
        """What the panel shows and since when; None when nothing is known."""
        shown = self._shown.get(device_id)
        if shown is None:
            return None
        return Screen(shows=shown.shows, command=shown.command, since=iso(self._boots.of(shown.stamp)))

    def note(self, device_id: str, shows: str, command: str | None) -> None:
        """A device has told what it shows."""
        before = self._shown.get(device_id)
        if before is None or (before.shows, before.command) != (shows, command):
            self._shown[device_id] = _Shown(shows, command, self._clock.now())
            self._bus.publish(ScreenChanged(device_id=device_id))

    def recall(self, last: Iterable[Command]) -> None:
        """Take over, at a start, what each panel last said it did; a code's time on it counts from now."""
        now = self._clock.now()
        for command in last:
            if command.kind == "display_qr" and command.ended_us is not None:
                at_us = self._boots.when(command.ended_us, command.ended_clock)
                stamp = msgspec.structs.replace(now, at_us=at_us, quality=Quality.FIXED)
                self._shown[command.device_id] = _Shown(QR, command.id, stamp)

    def follow(self, command: Command) -> None:
        """Draw the conclusion from a command that has succeeded, or may have."""
        if command.state is State.SUCCEEDED and command.kind == "display_qr":
            self.note(command.device_id, QR, command.id)
        elif command.state is State.SUCCEEDED and command.kind == "start_rotation":
            self.note(command.device_id, ROTATION, None)
        elif command.state is State.IN_DOUBT and command.kind in ("display_qr", "start_rotation"):
            self.note(command.device_id, UNKNOWN, command.id)

    def overdue(self, show_s: float) -> list[str]:
        """Devices that have shown a code for longer than `show_s`."""
        now = self._clock.now()
        return [
            device_id
            for device_id, shown in self._shown.items()
            if shown.shows == QR and now.mono_ms - shown.stamp.mono_ms > show_s * 1000
        ]

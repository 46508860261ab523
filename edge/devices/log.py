"""What devices say: a bounded log for each, kept in readings.db, told live."""

from __future__ import annotations

from edge.bus import Bus, Event
from edge.clock import Clock, iso
from edge.devices import log_store as sql
from edge.store.database import Database
from edge.wire.views import LogLine

KEPT_LINES = 2000  # a device, about a day of a talkative one
TEXT_CHARS = 500
PRUNE_EVERY = 200  # lines between two prunings of one device's log


class DeviceSaid(Event, frozen=True, kw_only=True):
    """A device's line."""

    device_id: str
    at_us: int
    level: str
    text: str


class DeviceLog:
    """Every device's last lines."""

    def __init__(self, readings: Database, bus: Bus, clock: Clock) -> None:
        self._db, self._bus, self._clock = readings, bus, clock
        self._since_prune: dict[str, int] = {}

    async def add(self, device_id: str, level: str, text: str) -> None:
        """Keep a line, its control characters escaped."""
        line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:TEXT_CHARS])
        stamp = self._clock.now()
        count = self._since_prune.get(device_id, PRUNE_EVERY) + 1
        keep = KEPT_LINES if count > PRUNE_EVERY else None
        self._since_prune[device_id] = 0 if keep else count
        await self._db.write(lambda tx: sql.add(tx, device_id, stamp, level[:16], line, keep))
        self._bus.publish(DeviceSaid(device_id=device_id, at_us=stamp.at_us, level=level[:16], text=line))

    async def tail(self, device_id: str, limit: int) -> list[LogLine]:
        """The newest lines, newest first."""
        rows = await self._db.read(sql.TAIL, (device_id, limit))
        return [LogLine(at=iso(row[0]), level=row[1], text=row[2]) for row in rows]

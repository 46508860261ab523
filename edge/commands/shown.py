"""How many codes each display has shown, today and in all.

Counted from the commands themselves, so the count can never drift from what happened; "today" is the site's local
day, also on days that are 23 or 25 hours long.
"""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from edge.clock import Clock
from edge.commands import store as sql
from edge.commands.model import Command
from edge.store.database import Database
from edge.wire.commands import State

DAYS_KEPT = 3


class Shown:
    """Counts of succeeded `display_qr` commands by device, as far as history is kept."""

    def __init__(self, database: Database, clock: Clock, zone: ZoneInfo) -> None:
        self._db, self._clock, self._zone = database, clock, zone
        self._total: dict[str, int] = {}
        self._days: dict[int, dict[str, int]] = {}  # by the day's start; a clock set back finds its day again

    async def start(self) -> None:
        """Count what the database holds."""
        day_us = midnight_us(self._clock.now().at_us, self._zone)
        for device_id, today, total in await self._db.read(sql.SHOWN, (day_us,)):
            self._today()[device_id], self._total[device_id] = today, total

    def follow(self, command: Command) -> None:
        """Count a command that has just ended."""
        if command.kind == "display_qr" and command.state is State.SUCCEEDED:
            today = self._today()
            today[command.device_id] = today.get(command.device_id, 0) + 1
            self._total[command.device_id] = self._total.get(command.device_id, 0) + 1

    def of(self, device_id: str) -> tuple[int, int]:
        """Codes shown today, and in all."""
        return self._today().get(device_id, 0), self._total.get(device_id, 0)

    def _today(self) -> dict[str, int]:
        day_us = midnight_us(self._clock.now().at_us, self._zone)
        if day_us not in self._days:
            kept = list(self._days.items())[-DAYS_KEPT + 1 :]
            self._days = {**dict(kept), day_us: {}}
        return self._days[day_us]


def midnight_us(now_us: int, zone: ZoneInfo) -> int:
    """The start of the local day that `now_us` is in."""
    local = datetime.fromtimestamp(now_us / 1_000_000, zone)
    return int(datetime.combine(local.date(), time.min, zone).timestamp() * 1_000_000)

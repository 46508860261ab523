"""The communication log: what went to and came from each device, what devices say, what the hub noted of them.

Kept in readings.db, bounded, told live. Taking a line costs no query: lines wait in memory and are written together
each second, so a kill may cost the last second of it. A device that talks too fast is cut short, and how much is
left out is said in the log itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque

import msgspec

from edge.bus import Bus, Event
from edge.clock import Clock, Stamp, iso
from edge.devices.log import store as sql
from edge.devices.log.text import scrub
from edge.errors import StorageError
from edge.store.database import Database
from edge.wire.views import LogLine

KEPT_LINES = 2000  # a device, about a day of a talkative one
KEPT_LINES_IN_ALL = 200_000  # some 40 MB
WAITING_LINES = 5000  # ten seconds of the fastest; more only while the disk stands still
PER_DEVICE_S = 20  # lines of one device in a second; what is more is counted
IN_ALL_S = 500
FLUSH_S = 1.0
PRUNE_EVERY = 200  # lines between two prunings of one device's log
LEVEL_CHARS = 16
NOTED = "hub"  # the level of the hub's own notes

log = logging.getLogger(__name__)


class DeviceSaid(Event, frozen=True, kw_only=True):
    """A line of a device's log. `direction` is in, out or '', `channel` http, serial, udp or ''."""

    device_id: str
    at_us: int
    level: str
    text: str
    direction: str = ""
    channel: str = ""


class Line(msgspec.Struct, frozen=True):
    """A line that waits to be written."""

    device_id: str
    stamp: Stamp
    level: str
    text: str
    direction: str
    channel: str


class _Talk(msgspec.Struct):
    """How much one device has said: lines in this second, those left out, empty polls, lines since pruning."""

    second: int = 0
    lines: int = 0
    left_out: int = 0
    empty: int = 0
    since_prune: int = PRUNE_EVERY


class DeviceLog:
    """Every device's last lines."""

    def __init__(self, readings: Database, bus: Bus, clock: Clock) -> None:
        self._db, self._bus, self._clock = readings, bus, clock
        self._waiting: deque[Line] = deque(maxlen=WAITING_LINES)
        self._talks: dict[str, _Talk] = {}
        self._second, self._in_second = 0, 0
        self._writing = asyncio.Lock()
        self.polls = 0  # exchanges with nothing in them
        self.shed = 0  # lines not kept: too many at once

    def exchange(self, device_id: str, direction: str, channel: str, text: str, *, level: str = "info") -> None:
        """Note what went to a device (`out`) or came from it (`in`) over `http`, `serial` or `udp`.

        Give one line that a technician understands, of whatever length: it is cut, and what looks like a key,
        token, password, signature or picture is taken out. Never give the private arguments of a command (payload,
        caption, amount, reference, picture), nor a whole body that holds them. Cheap, and never waits; an exchange
        with nothing in it is for `polled`.
        """
        talk = self._talk(device_id)
        if level != NOTED and not self._has_room(talk):
            return
        stamp = self._clock.now()
        self._note_counts(device_id, talk, stamp)
        self._keep(Line(device_id, stamp, level[:LEVEL_CHARS], scrub(text), direction, channel))

    def polled(self, device_id: str) -> None:
        """Count an exchange with nothing in it; how many there were stands before the next line."""
        self.polls += 1
        self._talk(device_id).empty += 1

    async def add(self, device_id: str, level: str, text: str) -> None:
        """Keep a line that a device logged, or that the hub notes of it (level NOTED, which is never left out)."""
        self.exchange(device_id, "", "", text, level=level)

    def forget(self, device_id: str) -> None:
        """Count for a device that is gone no longer; its lines stay."""
        self._talks.pop(device_id, None)

    async def search(
        self,
        *,
        device_id: str = "",
        contains: str = "",
        level: str = "",
        direction: str = "",
        before: int | None = None,
        after: int | None = None,
        limit: int,
    ) -> tuple[list[LogLine], str | None]:
        """The newest lines that fit, newest first, and the cursor of the next page. `contains` in any case.

        `before` and `after` are ids of lines: only what stands between them.
        """
        await self.flush()
        rows = await self._db.read(
            *sql.search(device_id, contains, level, direction, before=before, after=after, limit=limit)
        )
        lines = [
            LogLine(
                at=iso(self._db.boots.dated(row[2], *row[7:])[0]),
                level=row[3],
                text=row[4],
                device=row[1],
                direction=row[5],
                channel=row[6],
                id=row[0],
            )
            for row in rows
        ]
        return lines, str(rows[-1][0]) if len(rows) == limit else None

    async def run(self) -> None:
        """Write what waits each FLUSH_S; runs until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except StorageError:  # lines wait, the oldest are shed: a full disk must not end the hub over its log
                log.warning("the communication log could not be written; it is tried again")

    async def flush(self) -> None:
        """Write all that waits. Raises StorageError, and keeps it."""
        async with self._writing:
            lines = list(self._waiting)
            self._waiting.clear()
            if not lines:
                return
            prune = self._to_prune(lines)
            try:
                await self._db.write(lambda tx: sql.add(tx, lines, prune, KEPT_LINES, KEPT_LINES_IN_ALL))
            except BaseException:
                self._waiting = deque([*lines, *self._waiting], maxlen=WAITING_LINES)
                raise

    def _talk(self, device_id: str) -> _Talk:
        talk = self._talks.get(device_id)
        if talk is None:
            talk = self._talks[device_id] = _Talk()
        return talk

    def _has_room(self, talk: _Talk) -> bool:
        """Whether another line is kept in this second; one that is not is counted."""
        second = int(self._clock.mono_s())
        if second != self._second:
            self._second, self._in_second = second, 0
        if second != talk.second:
            talk.second, talk.lines = second, 0
        if talk.lines >= PER_DEVICE_S or self._in_second >= IN_ALL_S:
            talk.left_out += 1
            self.shed += 1
            return False
        talk.lines += 1
        self._in_second += 1
        return True

    def _note_counts(self, device_id: str, talk: _Talk, stamp: Stamp) -> None:
        """Say what was not written out since the last line."""
        for count, (one, several), what in (
            (talk.empty, ("poll", "polls"), "without anything new"),
            (talk.left_out, ("line", "lines"), "left out: too fast"),
        ):
            if count:
                self._keep(
                    Line(device_id, stamp, NOTED, f"{count} {one if count == 1 else several} {what}", "", "")
                )
        talk.empty = talk.left_out = 0

    def _keep(self, line: Line) -> None:
        if len(self._waiting) >= WAITING_LINES:
            self.shed += 1  # the deque lets its oldest go
        self._waiting.append(line)
        if self._bus.wanted(DeviceSaid):
            self._bus.publish(
                DeviceSaid(
                    device_id=line.device_id,
                    at_us=line.stamp.at_us,
                    level=line.level,
                    text=line.text,
                    direction=line.direction,
                    channel=line.channel,
                )
            )

    def _to_prune(self, lines: list[Line]) -> list[str]:
        """Devices whose oldest lines go with this writing."""
        due: list[str] = []
        for device_id, count in Counter(line.device_id for line in lines).items():
            talk = self._talk(device_id)
            talk.since_prune += count
            if talk.since_prune > PRUNE_EVERY:
                talk.since_prune = 0
                due.append(device_id)
        return due

"""What is true now, ahead of all history: everything once, then whatever changes, within a fraction of a second.

A view that the centre will not take is left out, until it changes, and told as a problem; the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from edge.bus import Bus, Event, Missed, Subscription
from edge.clock import Clock
from edge.sync.client import REFUSES_ROWS, CentreSaid
from edge.sync.session import Session
from edge.sync.share import STATE, Share
from edge.wire.sync import STATE_ROWS_MAX, Heard, SiteReport, StateBatch, StateRow, pack

FLUSH_S = 0.1  # changes within that go together
LATEST_S = 0.4  # newest values go no oftener, all devices' together: a request costs the centre more than its rows
HEARTBEAT_S = 5.0  # without a change the centre still hears so often that the hub is there
BATCH_BYTES = 256 * 1024  # of views in one batch
TURN_ROWS = 50  # drawn before others get a turn
LEFT_OUT_MAX = 100  # views left out; past that it is no single view that is wrong, and syncing stops for a person
SHOWN_MAX, WHY_CHARS = 3, 120  # of them named one by one, and of what the centre says of each


class Aspect(StrEnum):
    """What of a device, or of the site, may have changed; each stands for some kinds of rows."""

    DEVICE = "device"
    SLOTS = "slots"
    LATEST = "latest"
    WIDGETS = "widgets"
    ASSETS = "assets"
    FIRMWARE = "firmware"
    PANEL = "panel"
    RULES = "rules"
    FETCHING = "fetching"
    DOCUMENTS = "documents"


KINDS = {
    Aspect.DEVICE: frozenset({"device", "agent"}),
    Aspect.SLOTS: frozenset({"slot"}),
    Aspect.LATEST: frozenset({"latest", "twin"}),
    Aspect.WIDGETS: frozenset({"widget"}),
    Aspect.ASSETS: frozenset({"asset"}),
    Aspect.FIRMWARE: frozenset({"firmware"}),
    Aspect.PANEL: frozenset({"panel"}),
    Aspect.RULES: frozenset({"asset_rules"}),
    Aspect.FETCHING: frozenset({"fetching"}),
    Aspect.DOCUMENTS: frozenset({"document"}),
}
OF_SITE = (Aspect.RULES, Aspect.FETCHING, Aspect.DOCUMENTS)
OF_DEVICE = tuple(aspect for aspect in Aspect if aspect not in OF_SITE)
MEASURED = (Aspect.LATEST, Aspect.ASSETS)  # what follows from new values
Mark = tuple[Aspect, str]
"""An aspect of a device, by its id; '' for the site."""


class Seen(msgspec.Struct, frozen=True):
    """A view as it is now, as JSON."""

    kind: str
    id: str
    device: str
    view: bytes


class Sight(Protocol):
    """Who can draw this site."""

    def devices(self) -> Iterable[str]:
        """The ids of all devices, and of those gone that anything hangs on still."""

    async def draw(self, aspect: Aspect, device_id: str) -> Sequence[Seen]:
        """The rows of this aspect as they are; none where the device is gone."""

    def marks(self, event: Event) -> Iterable[Mark]:
        """What an event may have changed."""

    @property
    def events(self) -> tuple[type[Event], ...]:
        """Those that change anything."""

    def measured(self) -> Iterable[str]:
        """Devices with new values since this was last asked."""


Report = Callable[[], Awaitable[SiteReport]]


class StateLane:
    """Draws and sends; remembers what it told, so that what is gone can be told too."""

    def __init__(self, sight: Sight, report: Report, bus: Bus, share: Share, clock: Clock) -> None:
        self._sight, self._report, self._bus = sight, report, bus
        self._share, self._clock = share, clock
        self._changed: dict[Mark, None] = {}
        self._told: dict[tuple[str, str], tuple[str, int]] = {}  # device and hash of the view, by kind and id
        self._of_device: dict[str, set[tuple[str, str]]] = {}
        self._version = 0
        self._all_again = False
        self._left_out: dict[tuple[str, str], str] = {}  # what the centre says, by kind and id

    def problems(self) -> list[str]:
        """What the centre will not take of the present, in sentences."""
        named = [f"The centre does not take {what} of {of}: {why}" for (what, of), why in self._left_out.items()]
        more = len(named) - SHOWN_MAX
        return named if more <= 0 else [*named[:SHOWN_MAX], f"The centre does not take {more} more views."]

    async def run(self, session: Session) -> None:
        """A snapshot, then changes, until cancelled."""
        self._told, self._of_device, self._version = {}, {}, 0
        self._changed, self._left_out = {}, {}
        subscription = self._bus.subscribe(only=self._sight.events)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(subscription), name="sync-state-marks")
                for _ in self._sight.measured():
                    pass  # the snapshot shows it anyway
                await self._snapshot(session)
                await self._changes(session)
        finally:
            subscription.close()

    async def _listen(self, events: Subscription) -> None:
        async for event in events:
            if isinstance(event, Missed):
                self._all_again = True
            for mark in self._sight.marks(event):
                self._changed[mark] = None

    async def _snapshot(self, session: Session) -> None:
        rows = await self._send_marks(session, self._all())
        await self._send(session, rows, ends=True)

    async def _changes(self, session: Session) -> None:
        told_s = measured_s = self._clock.mono_s()
        while True:
            await asyncio.sleep(FLUSH_S)
            if self._clock.mono_s() - measured_s >= LATEST_S:
                for device in self._sight.measured():
                    self._changed |= {(aspect, device): None for aspect in MEASURED}
                    measured_s = self._clock.mono_s()
            if self._all_again:
                self._all_again = False
                self._changed |= dict.fromkeys(self._all())
            marks, self._changed = list(self._changed), {}
            rows = await self._send_marks(session, marks)
            if rows or self._clock.mono_s() - told_s >= HEARTBEAT_S:
                await self._send(session, rows, ends=False)
                told_s = self._clock.mono_s()

    def _all(self) -> list[Mark]:
        of_devices = ((aspect, device) for device in self._sight.devices() for aspect in OF_DEVICE)
        return [*((aspect, "") for aspect in OF_SITE), *of_devices]

    async def _send_marks(self, session: Session, marks: Sequence[Mark]) -> list[StateRow]:
        """Draw these and send full batches of them; returns the rest."""
        rows: list[StateRow] = []
        size = 0
        for number, (aspect, device) in enumerate(marks):
            for row in self._differing(aspect, device, await self._sight.draw(aspect, device)):
                rows.append(row)
                size += len(row[5])
            if size >= BATCH_BYTES or len(rows) >= STATE_ROWS_MAX:
                await self._send(session, rows, ends=False)
                rows, size = [], 0
            if number % TURN_ROWS == 0:
                await asyncio.sleep(0)
        return rows

    def _differing(self, aspect: Aspect, device: str, seen: Sequence[Seen]) -> Iterable[StateRow]:
        """Rows of what is not as it was told, and of what is gone."""
        at_us, mine = self._clock.now().at_us, self._of_device.setdefault(device, set())
        now = {(one.kind, one.id) for one in seen}
        for key in [key for key in mine if key[0] in KINDS[aspect] and key not in now]:
            mine.discard(key)
            if self._told.get(key, ("", 0))[0] == device:  # else it is at another device by now
                del self._told[key]
                yield self._row(key[0], key[1], device, at_us, b"")
        for one in seen:
            key, fresh = (one.kind, one.id), (device, hash(one.view))
            if self._told.get(key) != fresh:
                self._told[key] = fresh
                mine.add(key)
                yield self._row(one.kind, one.id, one.device, at_us, one.view)

    def _row(self, kind: str, row_id: str, device: str, at_us: int, view: bytes) -> StateRow:
        self._version += 1
        return kind, row_id, device, self._version, at_us, view

    async def _send(self, session: Session, rows: list[StateRow], *, ends: bool) -> None:
        while len(rows) > STATE_ROWS_MAX:
            await self._send(session, rows[:STATE_ROWS_MAX], ends=False)
            rows = rows[STATE_ROWS_MAX:]
        report = msgspec.to_builtins(await self._report())
        raw = pack(StateBatch(rows=rows, snapshot_ends=ends, report=report))
        await self._share.take(STATE, len(raw))
        try:
            await session.ask("POST", "/sync/v1/state", Heard, batch=raw)
        except CentreSaid as error:
            if error.said not in REFUSES_ROWS or not rows:
                raise
            await self._send_parts(session, rows, error, ends=ends)
        else:
            for row in rows if self._left_out else ():
                self._left_out.pop((row[0], row[1]), None)

    async def _send_parts(self, session: Session, rows: list[StateRow], error: CentreSaid, *, ends: bool) -> None:
        """Send the halves of what was refused; a single row is left out."""
        if len(rows) > 1:
            middle = len(rows) // 2
            await self._send(session, rows[:middle], ends=False)
            await self._send(session, rows[middle:], ends=ends)
            return
        if len(self._left_out) >= LEFT_OUT_MAX:
            raise error
        self._left_out[rows[0][0], rows[0][1]] = error.detail[:WHY_CHARS]
        await self._send(session, [], ends=ends)  # which tells it

"""What each panel shows now: looked at when it is due, remembered until then, told when it has changed.

A panel is looked at anew when its turn ends, when its screen changes by itself (a clock's minute), when something
was published, and else as often as its schedule says, at most. In between a question costs two lookups.

What cannot be drawn does not leave a panel empty: it goes on showing the last good picture, and the notes say why.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from edge.bus import Bus
from edge.clock import Clock
from edge.content.render.panels import Panel, panel_named
from edge.content.showing.drawing import Documents, Screened, Screens
from edge.content.showing.events import PanelChanged, ShowChanged
from edge.content.showing.flights import Flights
from edge.content.showing.gathering import CLOCK_UNSET
from edge.content.showing.offered import Looked, Offered, again_s
from edge.content.showing.plan import Screen, Turn, schedule_for, turn
from edge.content.showing.prints import Prints
from edge.content.showing.receipts import TOLD, Receipts
from edge.devices.model import Device
from edge.errors import OutpostError
from edge.wire.content import DocumentKind
from edge.wire.playlists import Playlist, Schedule

log = logging.getLogger(__name__)

EARLY = 0.9  # of the time between two looks: who comes in step with it comes a little early now and then
CLOCK_S = 60  # a panel that is looked at so often follows its screen's own changes; slower ones say `as of`
WATCH_S = 5.0  # how long at most until the clock is looked at: it may have been set
TOGETHER_S = 0.05  # what is published or comes within it is looked at in one go
REMEMBERED = 8  # pictures a device was offered: what it says it shows is one of the last
TROUBLES_MAX = 20


class AllDocuments(Documents, Protocol):
    """What is published, all of a kind too."""

    def all_published(self, kind: DocumentKind) -> Mapping[str, tuple[msgspec.Struct, int]]:
        """By id."""


class Groups(Protocol):
    """Which devices are named together."""

    async def of_devices(self) -> Mapping[str, frozenset[str]]:
        """The names of each device's groups, by its id."""


class Showing:
    """What each panel shows now, drawn once for all that show the same."""

    def __init__(
        self,
        documents: AllDocuments,
        screens: Screens,
        prints: Prints,
        receipts: Receipts,
        groups: Groups,
        bus: Bus,
        clock: Clock,
        zone: ZoneInfo,
    ) -> None:
        self._documents, self._screens, self._prints, self._receipts = documents, screens, prints, receipts
        self._groups, self._bus, self._clock, self._zone = groups, bus, clock, zone
        self._looked: dict[str, Looked] = {}
        self._good: dict[str, Offered] = {}
        self._was: dict[str, OrderedDict[str, tuple[str, int]]] = {}  # by device and picture: screen and version
        self._failed: dict[str, tuple[str, str]] = {}
        self._troubles: OrderedDict[str, str] = OrderedDict()
        self._flights: Flights[Looked] = Flights("look")
        self._members: Mapping[str, frozenset[str]] | None = None
        self._era = 0
        self._wake = asyncio.Event()

    # --- asked

    async def now(self, device: Device) -> Offered | None:
        """What this device shall show now; None when nothing is scheduled for it, or it has no panel."""
        looked = await self.look(device)
        if looked.offered is None or looked.turn is None:
            return looked.offered
        sleeps_s = again_s(looked.turn, self._clock.now().at_us)
        if sleeps_s == looked.offered.again_s:
            return looked.offered
        return msgspec.structs.replace(looked.offered, again_s=sleeps_s)

    async def look(self, device: Device) -> Looked:
        """The same with all that was found, remembered until it is due."""
        looked = self._looked.get(device.id)
        if looked is not None and self._holds(looked, device):
            return looked
        return await self._flights.join(device.id, lambda: self._look(device))

    def standing(self, device_id: str) -> Offered | None:
        """What it was found to show last."""
        looked = self._looked.get(device_id)
        return looked.offered if looked is not None else None

    def picture(self, sha256: str) -> tuple[bytes, Panel] | None:
        """A picture that was offered lately, by its hash; None for one that is not held any more."""
        found = self._prints.find(sha256)
        if found is not None:
            return found.rendered.data, found.panel
        standing = (one.offered for one in self._looked.values())
        return next((one.data_and_panel for one in standing if one is not None and one.picture == sha256), None)

    def failed(self, device_id: str) -> tuple[str, str]:
        """The picture that a device said it could not show, and why; empty where it said so of none."""
        return self._failed.get(device_id, ("", ""))

    def problems(self) -> list[str]:
        """Screens that could not be drawn, in sentences."""
        return list(self._troubles.values())

    # --- told

    async def taken(self, device: Device, picture: str, evidence: str, *, shown_ms: int = 0) -> None:
        """A device shows this picture, for `shown_ms` already. `evidence`: `told` by it, or `fetched`: it has taken
        all of it. On disk when this returns."""
        was = self._was.get(device.id)
        screen, version = was.get(picture, ("", 0)) if was is not None else ("", 0)
        failed = self._failed.pop(device.id, None) if evidence == TOLD else None
        news = await self._receipts.take(device.id, picture, screen, version, evidence, shown_ms=shown_ms)
        if news or failed:
            self._bus.publish(PanelChanged(device_id=device.id))

    def could_not(self, device: Device, picture: str, why: str) -> None:
        """A device could not show this picture; it shows what it showed."""
        if self._failed.get(device.id) != (picture, why):
            self._failed[device.id] = picture, why
            self._bus.publish(PanelChanged(device_id=device.id))

    def changed(self) -> None:
        """Something was published, removed or named otherwise: every panel is looked at anew."""
        self._era += 1
        self._members = None
        self._screens.forget()
        self._wake.set()

    def wake(self) -> None:
        """Devices may have come, or be others."""
        self._wake.set()

    def forget(self, device_id: str) -> None:
        """It is nobody's panel any more."""
        for known in (self._looked, self._good, self._was, self._failed):
            known.pop(device_id, None)

    async def watch(self, devices: Callable[[], Iterable[Device]]) -> None:
        """Look at these devices whenever it is due, so that they are told at once; runs until cancelled."""
        while True:
            due = [device for device in devices() if self._is_due(device)]
            found = await asyncio.gather(*(self.look(device) for device in due), return_exceptions=True)
            failed = [one for one in found if isinstance(one, BaseException)]
            if failed:  # the disk, most likely; panels keep what they have
                log.error("panels could not be looked at; it is tried again", exc_info=failed[0])
                await asyncio.sleep(WATCH_S)
            try:
                async with asyncio.timeout(self._idle_s(devices())):
                    await self._wake.wait()
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(TOGETHER_S)
            self._wake.clear()

    async def stop(self) -> None:
        """Let what is under way end."""
        await self._flights.settled()
        await self._prints.stop()

    # --- inside

    def _holds(self, looked: Looked, device: Device) -> bool:
        if looked.era != self._era or looked.of != _of(device) or self._clock.mono_s() >= looked.due_s:
            return False
        now_us = self._clock.now().at_us
        return looked.at_us <= now_us and (looked.due_us is None or now_us < looked.due_us)

    def _is_due(self, device: Device) -> bool:
        looked = self._looked.get(device.id)
        return looked is None or not self._holds(looked, device)

    def _idle_s(self, devices: Iterable[Device]) -> float:
        """Until the first of these is due."""
        now_us, now_s, idle_s = self._clock.now().at_us, self._clock.mono_s(), WATCH_S
        for device in devices:
            looked = self._looked.get(device.id)
            if looked is not None:
                wall_s = WATCH_S if looked.due_us is None else (looked.due_us - now_us) / 1_000_000
                idle_s = min(idle_s, wall_s, looked.due_s - now_s)
        return max(0.01, idle_s)

    async def _look(self, device: Device) -> Looked:
        era, before = self._era, self._looked.get(device.id)
        now, now_s = self._clock.now(), self._clock.mono_s()
        found = await self._turn(device, now.at_us)
        notes = () if found is None or now.quality.good else (CLOCK_UNSET,)
        offered, changes_us = None, None
        if found is not None:
            offered, more, changes_us = await self._offer(device, found)
            notes = tuple(dict.fromkeys((*notes, *more)))
        refresh_s = found.refresh_s if found is not None else CLOCK_S
        follows = changes_us if refresh_s <= CLOCK_S else None
        ends = [at_us for at_us in (found.until_us if found is not None else None, follows) if at_us is not None]
        looked = Looked(
            offered=offered if offered is None else msgspec.structs.replace(offered, notes=notes),
            turn=found,
            notes=notes,
            at_us=now.at_us,
            due_us=min(ends, default=None),
            due_s=now_s + EARLY * refresh_s,
            of=_of(device),
            era=era,
        )
        self._looked[device.id] = looked
        self._tell(device, before, looked)
        return looked

    def _tell(self, device: Device, before: Looked | None, looked: Looked) -> None:
        if looked.offered is not None:
            was = self._was.setdefault(device.id, OrderedDict())
            was[looked.offered.picture] = looked.offered.screen, looked.offered.version
            was.move_to_end(looked.offered.picture)
            if len(was) > REMEMBERED:
                was.popitem(last=False)
        if before is None or _picture(before) != _picture(looked):
            self._bus.publish(PanelChanged(device_id=device.id))
            if before is not None:
                self._bus.publish(ShowChanged(device_id=device.id))

    async def _turn(self, device: Device, now_us: int) -> Turn | None:
        """Whose turn it is; None where no schedule names the device, or it has no panel."""
        if not device.panel:
            return None
        schedules = [
            (name, body)
            for name, (body, _) in self._documents.all_published(DocumentKind.SCHEDULE).items()
            if isinstance(body, Schedule)
        ]
        if not schedules:
            return None
        if self._members is None:
            self._members = await self._groups.of_devices()
        decides = schedule_for(schedules, {device.id, device.name}, self._members.get(device.id, frozenset()))
        return turn(*decides, self._playlist, now_us, self._zone) if decides is not None else None

    def _playlist(self, playlist_id: str) -> Playlist | None:
        published = self._documents.published(DocumentKind.PLAYLIST, playlist_id)
        return published[0] if published is not None and isinstance(published[0], Playlist) else None

    async def _offer(self, device: Device, found: Turn) -> tuple[Offered | None, tuple[str, ...], int | None]:
        """The picture of a turn, its notes, and when it changes by itself; else the last good one."""
        if found.screen.nothing:
            missing = found.screen.missing
            return None, (f"The playlist {missing!r} is not published.",) if missing else (), None
        try:
            panel, screen = panel_named(device.panel), self._screen(found.screen)
            offered, notes, changes_us = await self._drawn(device, panel, screen, found)
        except OutpostError as error:
            return self._last_good(device, found, error.detail), (error.detail,), None
        except Exception as error:  # a layout that nobody foresaw must not take the hub's other panels along
            name = found.screen.layout or found.screen.picture[:12]
            why = f"{name} could not be drawn ({type(error).__name__}): panels show the last good picture."
            if self._troubles.get(name) != why:
                log.exception("a screen could not be drawn", extra={"screen": name})
            self._trouble(name, why)
            return self._last_good(device, found, why), (why,), None
        self._troubles.pop(found.screen.layout or found.screen.picture[:12], None)
        self._good[device.id] = offered
        return offered, notes, changes_us

    def _screen(self, screen: Screen) -> Screened:
        return self._screens.layout(screen.layout) if screen.layout else self._screens.picture(screen.picture)

    async def _drawn(
        self, device: Device, panel: Panel, screen: Screened, found: Turn
    ) -> tuple[Offered, tuple[str, ...], int | None]:
        settled = await self._screens.settle(screen, panel, device, found.refresh_s)
        made = await self._screens.drawn(settled, panel)
        noted = [note.text for note in (*settled.scene.notes, *made.notes)]
        offered = Offered(
            picture=made.rendered.content_hash,
            data=made.rendered.data,
            panel=panel,
            screen=screen.id,
            version=screen.version,
            playlist=found.screen.playlist,
            schedule=found.schedule,
            until_us=found.until_us,
            refresh_s=found.refresh_s,
            again_s=found.refresh_s,
        )
        return offered, (*settled.notes, *noted), settled.scene.changes_us

    def _last_good(self, device: Device, found: Turn, why: str) -> Offered | None:
        good = self._good.get(device.id)
        if good is None or good.panel.name != device.panel:
            return None
        return msgspec.structs.replace(
            good, until_us=found.until_us, refresh_s=found.refresh_s, schedule=found.schedule, notes=(why,)
        )

    def _trouble(self, name: str, why: str) -> None:
        self._troubles[name] = why
        if len(self._troubles) > TROUBLES_MAX:
            self._troubles.popitem(last=False)


def _picture(looked: Looked) -> str:
    return looked.offered.picture if looked.offered is not None else ""


def _of(device: Device) -> tuple[str, str]:
    """What of a device its picture depends on."""
    return device.name, device.panel

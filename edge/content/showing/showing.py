"""What each panel shows now: looked at when it is due, remembered until then, told when it has changed.

A panel is looked at anew when its turn ends, when the minute of its clock does, when something was published, and
else as often as its schedule says, at most. In between a question costs two lookups.

What cannot be drawn does not leave a panel empty: it goes on showing the last good picture as long as that is true,
and its notes say why; then a sentence stands there.
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
from edge.content.render.scene.moments import next_minute
from edge.content.showing.drawing import Documents, Screened, Screens, saying, screened
from edge.content.showing.events import PanelChanged, ShowChanged
from edge.content.showing.flights import Flights
from edge.content.showing.gathering import HOURS_UNSET
from edge.content.showing.offered import Looked, Offered, again_s, since_us
from edge.content.showing.plan import Screen, Turn
from edge.content.showing.plans import Plans
from edge.content.showing.prints import Prints
from edge.content.showing.receipts import TOLD, Receipts
from edge.devices.model import Device
from edge.errors import OutpostError
from edge.wire.content import DocumentKind
from edge.wire.playlists import Playlist, Schedule

log = logging.getLogger(__name__)

EARLY = 0.9  # of the time between two looks: who comes in step with it comes a little early now and then
CLOCK_S = 60  # a panel that is looked at so often follows its clock's minutes; slower ones say `as of`
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


class _Good(msgspec.Struct, frozen=True):
    """A picture that was right at `at_s` (monotonic), and stays so until `until_s`; None for always."""

    offered: Offered
    until_s: float | None


class _Drawn(msgspec.Struct, frozen=True):
    """What is offered in a turn. `clock`: it has one; `trouble`: why it is not what should be shown; `until_s`: how
    long it may stand in its place, by the monotonic clock."""

    offered: Offered | None = None
    notes: tuple[str, ...] = ()
    clock: bool = False
    trouble: str = ""
    until_s: float | None = None


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
        self._good: dict[str, _Good] = {}
        self._was: dict[str, OrderedDict[str, tuple[str, int]]] = {}  # by device and picture: screen and version
        self._failed: dict[str, tuple[str, str]] = {}
        self._troubles: OrderedDict[str, str] = OrderedDict()
        self._flights: Flights[Looked] = Flights("look")
        self._members: Mapping[str, frozenset[str]] | None = None
        self._plans: Plans | None = None
        self._era, self._wake = 0, asyncio.Event()

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

    def lately(self, device_id: str, sha256: str) -> bytes | None:
        """One of the pictures that this device was offered last; None for any other, or one not held any more."""
        found = self.picture(sha256) if sha256 in self._was.get(device_id, ()) else None
        return found[0] if found is not None else None

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

    async def covered(self, device: Device, evidence: str, *, shown_ms: int = 0) -> None:
        """A device shows nothing of what is scheduled, for `shown_ms` already: something else is on its panel. A
        receipt with no picture says so, unless none is known of it yet. On disk when this returns."""
        if self._receipts.of(device.id) is not None:
            await self.taken(device, "", evidence, shown_ms=shown_ms)

    def could_not(self, device: Device, picture: str, why: str) -> None:
        """A device could not show this picture; it shows what it showed."""
        if self._failed.get(device.id) != (picture, why):
            self._failed[device.id] = picture, why
            self._bus.publish(PanelChanged(device_id=device.id))

    def changed(self) -> None:
        """Something was published, removed or named otherwise: every panel is looked at anew."""
        self._era += 1
        self._members = self._plans = None
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
        notes = (HOURS_UNSET,) if found and found.rule_until_us is not None and not now.quality.good else ()
        drawn = await self._offer(device, found, now_s) if found is not None else _Drawn()
        notes = tuple(dict.fromkeys((*notes, *drawn.notes)))
        due_us, due_s = _due(found, drawn, now.at_us, now_s)
        looked = Looked(
            offered=drawn.offered and msgspec.structs.replace(drawn.offered, notes=notes),
            turn=found,
            notes=notes,
            trouble=drawn.trouble,
            at_us=now.at_us,
            since_us=since_us(before, self._receipts.of(device.id), now.at_us),
            due_us=due_us,
            due_s=due_s,
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
        other = before is None or _picture(before) != _picture(looked)
        if other or (before and (before.trouble, before.fresh) != (looked.trouble, looked.fresh)):
            self._bus.publish(PanelChanged(device_id=device.id))
        if other and before is not None:
            self._bus.publish(ShowChanged(device_id=device.id))

    async def _turn(self, device: Device, now_us: int) -> Turn | None:
        """Whose turn it is; None where no schedule names the device, or it has no panel."""
        if not device.panel:
            return None
        if self._plans is None:
            published = self._documents.all_published(DocumentKind.SCHEDULE)
            schedules = {name: body for name, (body, _) in published.items() if isinstance(body, Schedule)}
            self._plans = Plans(schedules, self._playlist, self._zone)
        plans = self._plans
        if not plans:
            return None
        groups = (await self._groups_of_devices()).get(device.id, frozenset())
        decides = plans.deciding({device.id, device.name}, groups)
        return plans.turn(decides, now_us) if decides is not None else None

    async def _groups_of_devices(self) -> Mapping[str, frozenset[str]]:
        """Kept until something changes; what was read across a change is not."""
        if self._members is not None:
            return self._members
        era = self._era
        members = await self._groups.of_devices()
        if era == self._era:
            self._members = members
        return members

    def _playlist(self, playlist_id: str) -> Playlist | None:
        published = self._documents.published(DocumentKind.PLAYLIST, playlist_id)
        return published[0] if published is not None and isinstance(published[0], Playlist) else None

    async def _offer(self, device: Device, found: Turn, now_s: float) -> _Drawn:
        """The picture of a turn; else the last good one."""
        if found.screen.nothing:
            missing = found.screen.missing
            return _Drawn(notes=(f"The playlist {missing!r} is not published.",) if missing else ())
        try:
            panel, screen = panel_named(device.panel), self._screen(found.screen)
            offered, notes = await self._drawn(device, panel, screen, found)
        except OutpostError as error:
            return await self._last_good(device, found, error.detail, now_s)
        except Exception as error:  # a layout that nobody foresaw must not take the hub's other panels along
            name = found.screen.layout or found.screen.picture[:12]
            why = (
                f"{name} could not be drawn ({type(error).__name__}): panels show the last good picture for a time."
            )
            if self._troubles.get(name) != why:
                log.exception("a screen could not be drawn", extra={"screen": name})
            self._trouble(name, why)
            return await self._last_good(device, found, why, now_s)
        self._troubles.pop(found.screen.layout or found.screen.picture[:12], None)
        until_s = None if screen.lasts_s is None else now_s + found.refresh_s + screen.lasts_s
        self._good[device.id] = _Good(offered, until_s)
        return _Drawn(offered, notes, clock=screen.wanted.each_minute)

    def _screen(self, screen: Screen) -> Screened:
        return self._screens.layout(screen.layout) if screen.layout else self._screens.picture(screen.picture)

    async def _drawn(
        self, device: Device, panel: Panel, screen: Screened, found: Turn
    ) -> tuple[Offered, tuple[str, ...]]:
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
        return offered, (*settled.notes, *noted)

    async def _last_good(self, device: Device, found: Turn, why: str, now_s: float) -> _Drawn:
        """The last good picture of a panel while that is true, then a sentence in its place."""
        good = self._good.get(device.id)
        if good is None or good.offered.panel.name != device.panel:
            return _Drawn(notes=(why,), trouble=why)
        if good.until_s is not None and now_s >= good.until_s:
            return _Drawn(await self._sentence(device, found), (why,), trouble=why)
        offered = msgspec.structs.replace(
            good.offered, until_us=found.until_us, refresh_s=found.refresh_s, schedule=found.schedule
        )
        return _Drawn(offered, (why,), trouble=why, until_s=good.until_s)

    async def _sentence(self, device: Device, found: Turn) -> Offered | None:
        """In place of what cannot be drawn: better than what is not true any more. None where not even that can."""
        name = found.screen.layout or "This picture"
        try:
            screen = screened("", 0, saying(f"{name} cannot be shown at the moment."))
            return (await self._drawn(device, panel_named(device.panel), screen, found))[0]
        except Exception:  # whatever keeps a layout from being drawn may keep this from it, and is told already
            log.exception("a sentence could not be drawn")
            return None

    def _trouble(self, name: str, why: str) -> None:
        self._troubles[name] = why
        if len(self._troubles) > TROUBLES_MAX:
            self._troubles.popitem(last=False)


def _due(found: Turn | None, drawn: _Drawn, now_us: int, now_s: float) -> tuple[int | None, float]:
    """When to look again: by the wall clock, None for no time of it, and at the latest by the monotonic one.

    No sooner than the schedule says, whatever ages on the panel, but when a turn ends, or the minute of a clock; a
    look that would come shortly before that is left out.
    """
    refresh_s = found.refresh_s if found is not None else CLOCK_S
    ends = [found.until_us] if found is not None and found.until_us is not None else []
    wait_s = EARLY * refresh_s
    if drawn.clock and refresh_s <= CLOCK_S and next_minute(now_us) - now_us < 2 * wait_s * 1_000_000:
        ends.append(next_minute(now_us))
        wait_s *= 2
    due_s = now_s + wait_s
    return min(ends, default=None), due_s if drawn.until_s is None else min(due_s, drawn.until_s)


def _picture(looked: Looked) -> str:
    return looked.offered.picture if looked.offered is not None else ""


def _of(device: Device) -> tuple[str, str]:
    """What of a device its picture depends on."""
    return device.name, device.panel

"""A screen for a panel, from what is published to bytes: settled when it is time, drawn when it is new.

Most of what panels ask for is what they show already. So the same screen on the same kind of panel is settled once
in a while for all of them, and only what is not in `prints` is drawn, in a thread.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Protocol

import msgspec

from edge.clock import Clock
from edge.content.render import encoded
from edge.content.render.panels import Panel
from edge.content.render.scene import Pictures as ByHash
from edge.content.render.scene import Scene, Wanted, draw, picture_alone, settle, wanted
from edge.content.showing.flights import Flights
from edge.content.showing.gathering import Gathering
from edge.content.showing.prints import Print, Prints
from edge.devices.model import Device
from edge.errors import NotFound
from edge.wire.content import DocumentKind
from edge.wire.layouts import (
    Box,
    DateElement,
    Layout,
    SourceElement,
    TextElement,
    ValueElement,
)

FRESH_S = 5.0  # panels with the same screen that ask within this time are given the same data
SCENES_MAX = 1000  # 500 panels that each show something of their own, on two screens in turn; a few KB each
RETRY_S = 60.0  # a picture whose file cannot be opened is tried again so often
LASTS_S = 600  # what a layout shows of the site is not true for longer, when nobody can draw it anew
CLOCK_LASTS_S = 60  # nor is a clock
WHOLE = Box(0, 0, 100, 100)


class Documents(Protocol):
    """What is published."""

    def published(self, kind: DocumentKind, document_id: str) -> tuple[msgspec.Struct, int] | None:
        """The body, and the number of its version."""


class Pictures(Protocol):
    """What was uploaded."""

    def has(self, sha256: str) -> bool:
        """Whether there is such a picture."""

    def sound(self, sha256: str) -> bool:
        """Whether there is, and its file could be opened when somebody last tried."""

    @property
    def image(self) -> ByHash:
        """Each as pixels."""


class Screened(msgspec.Struct, frozen=True):
    """A layout that can be drawn: its id (or a picture's), the number of its version, its body, what it needs.
    `lasts_s`: how long its last picture may stand past the time at which it could not be drawn anew, None for
    always."""

    id: str
    version: int
    layout: Layout
    wanted: Wanted
    lasts_s: int | None


class Settled(msgspec.Struct, frozen=True):
    """A scene, when it was settled, and what was noted then. `wanted`: its pictures; `sound`: those of them whose
    files could be opened."""

    scene: Scene
    key: str
    notes: tuple[str, ...]
    wanted: frozenset[str]
    sound: frozenset[str]
    at_s: float
    at_us: int

    def holds(self, now_us: int) -> bool:
        """Whether time alone has not made it another."""
        return self.at_us <= now_us and (self.scene.changes_us is None or now_us < self.scene.changes_us)


class Screens:
    """Screens, settled and drawn."""

    def __init__(
        self, documents: Documents, pictures: Pictures, gathering: Gathering, prints: Prints, clock: Clock
    ) -> None:
        self._documents, self._pictures, self._gathering = documents, pictures, gathering
        self._prints, self._clock = prints, clock
        self._screens: dict[str, Screened] = {}
        self._settled: OrderedDict[tuple[str, str, str, int, int, int], Settled] = OrderedDict()
        self._flights: Flights[Settled] = Flights("settle")
        self.settled = self._era = 0

    def forget(self) -> None:
        """Something was published, removed or renamed: look everything up again."""
        self._era += 1
        self._screens.clear()
        self._settled.clear()

    def layout(self, layout_id: str) -> Screened:
        """A published layout. Raises NotFound."""
        found = self._screens.get(layout_id)
        if found is None:
            published = self._documents.published(DocumentKind.LAYOUT, layout_id)
            if published is None or not isinstance(published[0], Layout):
                raise NotFound(f"The layout {layout_id!r} is not published.")
            found = screened(layout_id, published[1], published[0])
            self._screens[layout_id] = found
        return found

    def picture(self, sha256: str) -> Screened:
        """An uploaded picture, whole, as a screen of its own. Raises NotFound."""
        if not self._pictures.has(sha256):
            self._screens.pop(sha256, None)
            raise NotFound(f"The picture {sha256[:12]} is not there any more.")
        found = self._screens.get(sha256)
        if found is None:
            found = self._screens[sha256] = screened(sha256, 0, picture_alone(sha256))
        return found

    async def settle(self, screen: Screened, panel: Panel, device: Device, every_s: int) -> Settled:
        """The screen as it is now on this panel."""
        own = f"{device.id} {device.name}" if screen.wanted.of_device else ""
        key = screen.id, panel.name, own, every_s, screen.version, self._era
        found, now = self._settled.get(key), self._clock.now()
        if found is not None and self._clock.mono_s() - found.at_s < FRESH_S and found.holds(now.at_us):
            return found

        async def work() -> Settled:
            return await self._settle(screen, panel, device, every_s)

        made = await self._flights.join(key, work)
        self._settled[key] = made
        self._settled.move_to_end(key)
        if len(self._settled) > SCENES_MAX:
            self._settled.popitem(last=False)
        return made

    async def drawn(self, settled: Settled, panel: Panel) -> Print:
        """Its picture."""
        made = await self._prints.of(settled.key, lambda: print_of(settled.scene, panel, self._pictures))
        if self._sound(settled.wanted) != settled.sound:  # a file broke, or was mended, as it was drawn
            self._prints.drop(settled.key)
        return made

    async def _settle(self, screen: Screened, panel: Panel, device: Device, every_s: int) -> Settled:
        at_s, now = self._clock.mono_s(), self._clock.now()
        gathered = await self._gathering.given(screen.wanted, device, now)
        scene = settle(screen.layout, gathered.given, panel, every_s)
        self.settled += 1
        pictures = screen.wanted.pictures
        sound = self._sound(pictures)
        tries = "" if sound == pictures else f"{int(at_s // RETRY_S)}"
        key = " ".join((scene.key, *sorted(sound), tries))  # a picture that comes back is seen again
        return Settled(scene, key, gathered.notes, pictures, sound, at_s, now.at_us)

    def _sound(self, pictures: frozenset[str]) -> frozenset[str]:
        return frozenset(sha256 for sha256 in pictures if self._pictures.sound(sha256))


def screened(screen_id: str, version: int, layout: Layout) -> Screened:
    """A layout with what it needs."""
    return Screened(screen_id, version, layout, wanted(layout), _lasts_s(layout))


def saying(sentence: str) -> Layout:
    """A layout that is one sentence."""
    return Layout(elements=(TextElement(box=WHOLE, text=sentence, align="centre"),))


def _lasts_s(layout: Layout) -> int | None:
    needs = wanted(layout)
    ages = [one.max_age_s for one in layout.elements if isinstance(one, ValueElement | SourceElement)]
    passes = needs.charts or needs.assets or any(isinstance(one, DateElement) for one in layout.elements)
    if needs.each_minute:
        return CLOCK_LASTS_S
    return min([LASTS_S, *ages]) if ages or passes else None


def print_of(scene: Scene, panel: Panel, pictures: Pictures) -> Print:
    """A scene drawn and encoded: tens of milliseconds of a processor, so for a thread."""
    drawn = draw(scene, panel, pictures.image)
    return Print(encoded(drawn.image, panel), panel, drawn.notes)

"""A board's dashboard, made of what its owner likes: its name, the day, its own temperature and humidity, and below
that jokes, riddles and news.

It is written down as what anybody could have written: a layout and a schedule of the board's own, and the sources
they name, in the name of whoever chose. So it is seen, changed and gone back to like every other screen. A board
that a schedule names already, itself or by a group, gets the layout and no schedule: what is planned stays.

What a board asks for by itself comes from whoever is at its address. So it is followed once a day at most, and
never over what a person has written.
"""

from __future__ import annotations

import logging
import math

from edge.clock import Clock
from edge.compat.personalcms import tastes
from edge.compat.personalcms.papers import Papers, actor_of, slug
from edge.compat.personalcms.tastes import Tastes
from edge.content.documents.documents import Documents
from edge.devices.groups.groups import Groups
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import Conflict, OutpostError
from edge.wire.content import DocumentKind, SourceDocument
from edge.wire.layouts import (
    SELF,
    AnyElement,
    Box,
    DateElement,
    Layout,
    ShapeElement,
    SourceElement,
    TextElement,
    ValueElement,
)
from edge.wire.playlists import Rule, Schedule

log = logging.getLogger(__name__)

REFRESH_S = 300
WISHES_S = 86_400  # how often a board may change its mind
SENSED_AGE_S = 900  # a board tells what it measures each 2 minutes, until it shows something
SLEEPERS_AGE_S = 26 * 3600
TOP, LEFT, WIDE = 30.0, 4.0, 92.0  # of the part with what is read, in percent
GAP = 2.0
ONE_COLUMN = 4  # things below each other; more stand in two columns


class Dashboards:
    """Writes them."""

    def __init__(
        self, documents: Documents, groups: Groups, registry: Registry, papers: Papers, clock: Clock
    ) -> None:
        self._documents, self._groups, self._registry, self._papers = documents, groups, registry, papers
        self._clock = clock
        self._tried: dict[str, tuple[Tastes, float]] = {}
        """By board: what it asked for itself, also where that could not be made, and when."""

    async def write(self, device: Device, chosen: Tastes, *, actor: str) -> bool:
        """The board's dashboard is of these from now on; whether it is shown by itself, too: not where something
        else is scheduled for it. None chosen: it has none. Raises as `Papers.publish`."""
        name = dashboard_of(device)
        if not chosen:
            await self.drop(device, actor=actor)
            return False
        for one in chosen:
            await self._source(one, actor)
        layout = layout_of(device, chosen)
        await self._papers.publish(
            DocumentKind.LAYOUT, name, layout, title=f"Dashboard of {device.name}", actor=actor
        )
        if await self._is_planned(device):
            return False
        schedule = Schedule(devices=(device.id,), rules=(Rule(layout=name),), refresh_s=REFRESH_S)
        await self._papers.publish(
            DocumentKind.SCHEDULE, name, schedule, title=f"Dashboard of {device.name}", actor=actor
        )
        return True

    async def wished(self, device: Device) -> None:
        """Make what a board asked for when it was set up, once; something else no sooner than a day later."""
        chosen, now_s = tastes.new_wishes(device), self._clock.mono_s()
        before, at_s = self._tried.get(device.id, ((), -WISHES_S))
        if not chosen or before == chosen or now_s - at_s < WISHES_S:
            return
        self._tried[device.id] = chosen, now_s
        try:
            await self.write(device, chosen, actor=actor_of(device))
            await self._registry.note(device, {tastes.MADE: " ".join(chosen)})
        except OutpostError as error:
            log.warning("no dashboard could be made: %s", error, extra={"device": device.id})

    async def drop(self, device: Device, *, actor: str) -> None:
        """It has none any more. Raises Conflict while somebody else's document names it, or a person writes on it;
        what can go is gone then all the same."""
        stays: list[str] = []
        for kind in (DocumentKind.SCHEDULE, DocumentKind.LAYOUT):
            try:
                await self._papers.drop(kind, dashboard_of(device), actor=actor)
            except Conflict as conflict:
                stays.append(conflict.detail)
        if stays:
            raise Conflict(" ".join(stays), hint="`outpost content show` shows each.")

    def forget(self, device: Device) -> None:
        """The device is gone."""
        self._tried.pop(device.id, None)

    # --- inside

    async def _source(self, name: str, actor: str) -> None:
        """The source of one kind of thing, unless somebody has made it his own way."""
        source = source_of(name)
        if self._documents.published(DocumentKind.SOURCE, source) is None:
            body = SourceDocument(preset=name)
            title = name.replace("_", " ").capitalize()
            await self._papers.publish(DocumentKind.SOURCE, source, body, title=title, actor=actor)

    async def _is_planned(self, device: Device) -> bool:
        """Whether a schedule of somebody else names it."""
        groups = {group.name for group in await self._groups.all() if device.id in group.devices}
        for name, (body, _) in self._documents.all_published(DocumentKind.SCHEDULE).items():
            if not isinstance(body, Schedule) or name == dashboard_of(device):
                continue
            if {device.id, device.name} & set(body.devices) or groups & set(body.groups):
                return True
        return False


def dashboard_of(device: Device) -> str:
    """What a board's layout and its schedule are called."""
    return f"cms-{slug(device.id)}"


def source_of(name: str) -> str:
    """What the source of one kind of thing is called."""
    return name.replace("_", "-")


def layout_of(device: Device, chosen: Tastes) -> Layout:
    """The dashboard itself."""
    age_s = SLEEPERS_AGE_S if device.facts.get("sleeps") else SENSED_AGE_S
    elements: list[AnyElement] = [
        TextElement(box=Box(LEFT, 3, 60, 12), text="{name}", size=8, bold=True, wrap=False),
        DateElement(box=Box(LEFT, 16, 60, 8), size=5),
        _sensed("temperature", "°C", 3, age_s),
        _sensed("humidity", "%", 15, age_s),
        ShapeElement(box=Box(LEFT, 26, WIDE, 2), form="line-across"),
    ]
    columns = 1 if len(chosen) <= ONE_COLUMN else 2
    wide, high = WIDE / columns, (98 - TOP) / math.ceil(len(chosen) / columns)
    for number, name in enumerate(chosen):
        row, column = divmod(number, columns)
        box = Box(
            round(LEFT + column * wide, 2), round(TOP + row * high, 2), round(wide - GAP, 2), round(high - GAP, 2)
        )
        label = name.replace("_", " ").capitalize()
        elements.append(SourceElement(box=box, source=source_of(name), label=label, size=_letters(len(chosen))))
    return Layout(elements=tuple(elements), panel="bmp-800x480")


def _sensed(key: str, unit: str, top: float, age_s: int) -> ValueElement:
    box = Box(66, top, 30, 10)
    return ValueElement(
        box=box, device=SELF, key=key, label=key.capitalize(), unit=unit, max_age_s=age_s, align="right", size=5
    )


def _letters(blocks: int) -> float:
    """How large the letters are where there are so many things, in percent of the height."""
    return 6.0 if blocks <= 2 else 5.0 if blocks <= ONE_COLUMN else 3.5

"""How a layout looks on a device's panel with what that device has to show now, before anybody publishes it.

It stands apart from what panels show: it reads, draws and forgets. It takes its turn, since it is worth a core for
a moment, and the panels come first.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import Protocol

from edge.clock import Clock
from edge.content.documents.model import Body, read
from edge.content.render import preview_png
from edge.content.render.panels import TFT_320X480, Panel, panel_named
from edge.content.render.scene import picture_alone, settle
from edge.content.showing.drawing import Pictures, print_of, screened
from edge.content.showing.gathering import Gathering
from edge.devices.book import DeviceBook
from edge.devices.model import Device, DeviceState
from edge.errors import BadInput, Crowded, NotFound
from edge.wire.content import CheckedLayout, CheckLayout, DocumentKind, Note
from edge.wire.layouts import Layout

AT_ONCE = 1
WAITING_MAX = 16  # an editor asks a few times a second at most, and there are few editors
WHOLE = -1  # in place of an element's number
EVERY_S = 60  # a new schedule's
NOBODY = Device(
    id="", name="", kind="", profile="native", state=DeviceState.PENDING, panel=TFT_320X480.name, created_us=0
)


class Drafts(Protocol):
    """What is being written; `Documents` is one."""

    async def draft(self, kind: DocumentKind, document_id: str) -> object:
        """The draft. Raises NotFound."""

    async def notes(self, kind: DocumentKind, document_id: str, body: Body) -> list[Note]:
        """What its writer should know, whatever panel it is for."""


class Checking:
    """Draws what is asked."""

    def __init__(
        self, drafts: Drafts, pictures: Pictures, gathering: Gathering, registry: DeviceBook, clock: Clock
    ) -> None:
        self._drafts, self._pictures, self._gathering = drafts, pictures, gathering
        self._registry, self._clock = registry, clock
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def check(self, wanted: CheckLayout) -> CheckedLayout:
        """How it looks. Raises BadInput, NotFound, or Crowded when too many ask."""
        layout, device = await self._layout(wanted), self._device(wanted)
        named = device.panel if wanted.device else layout.panel or NOBODY.panel
        panel = panel_named(wanted.panel or named)
        if self._waiting >= WAITING_MAX:
            raise Crowded("Too many layouts are being looked at.", retry_after_s=1)
        self._waiting += 1
        try:
            async with self._turns:
                told = await self._drafts.notes(DocumentKind.LAYOUT, wanted.layout, layout)
                return await self._checked(layout, device, panel, told)
        finally:
            self._waiting -= 1

    async def _checked(self, layout: Layout, device: Device, panel: Panel, told: Sequence[Note]) -> CheckedLayout:
        screen = screened("", 0, layout)
        gathered = await self._gathering.given(screen.wanted, device, self._clock.now())
        scene = settle(layout, gathered.given, panel, EVERY_S)
        made = await asyncio.to_thread(print_of, scene, panel, self._pictures)
        png = await asyncio.to_thread(preview_png, made.rendered.data, panel)
        texts = [text for text in gathered.notes if text not in gathered.missing]  # `told` has those by element
        noted = [Note(element=WHOLE, level="warning", text=text) for text in texts]
        return CheckedLayout(
            panel=panel.name,
            width=panel.width,
            height=panel.height,
            bytes=len(made.rendered.data),
            content_hash=made.rendered.content_hash,
            notes=list(dict.fromkeys((*noted, *told, *scene.notes, *made.notes))),
            png=base64.b64encode(png).decode(),
        )

    async def _layout(self, wanted: CheckLayout) -> Layout:
        if (wanted.body is not None) + bool(wanted.layout) + bool(wanted.picture) != 1:
            raise BadInput("Give one of `body`, `layout` and `picture`.")
        if wanted.picture:
            if not self._pictures.has(wanted.picture):
                raise NotFound("There is no such picture.", hint="`outpost content picture list` shows them.")
            return picture_alone(wanted.picture)
        if wanted.layout:
            body = await self._drafts.draft(DocumentKind.LAYOUT, wanted.layout)
        else:
            body = read(DocumentKind.LAYOUT, wanted.body)
        if not isinstance(body, Layout):
            raise BadInput("That is no layout.")
        return body

    def _device(self, wanted: CheckLayout) -> Device:
        if not wanted.device:
            return NOBODY
        device = self._registry.get(wanted.device)
        if not device.panel and not wanted.panel:
            raise BadInput(f"{device.name} has no panel.", hint="Name one: `panel`.")
        return device

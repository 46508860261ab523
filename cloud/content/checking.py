"""How a layout looks on a panel with what a site has to show now: drawn as a hub draws it, and forgotten."""

from __future__ import annotations

import asyncio
import base64

import msgspec

from cloud.accounts.member import Member
from cloud.content.given import Gathering
from cloud.content.keeping import find
from cloud.content.pictures import Pictures
from cloud.db.database import Database
from cloud.fleet.lookup import Found, Place, find_device, find_site
from edge.content.documents import model
from edge.content.render import encoded, panel_named, preview_png
from edge.content.render.panels import TFT_320X480, Panel
from edge.content.render.scene import Given, Wanted, draw, picture_alone, settle, wanted
from edge.errors import BadInput, Crowded
from edge.wire.centre_content import CheckAtSite
from edge.wire.content import CheckedLayout, DocumentKind, Note
from edge.wire.layouts import Layout

AT_ONCE = 2  # drawings at one instance: each is worth a core for a moment
WAITING_MAX = 32
WHOLE = -1  # in place of an element's number
EVERY_S = 60  # a new schedule's


class Checking:
    """Draws what is asked, with what the caller may see."""

    def __init__(self, database: Database, pictures: Pictures, gathering: Gathering) -> None:
        self._db, self._pictures, self._gathering = database, pictures, gathering
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def check(self, member: Member, asked: CheckAtSite) -> CheckedLayout:
        """How it looks. Raises BadInput, NotFound, Conflict, or Crowded when too many ask."""
        place, device = await self._where(member, asked)
        layout = await self._layout(member, asked)
        named = asked.panel or (_panel(device) if device is not None else "") or layout.panel
        if device is not None and not named:
            raise BadInput("That device has no panel.", hint="Name one: `panel`.")
        panel = panel_named(named or TFT_320X480.name)
        if self._waiting >= WAITING_MAX:
            raise Crowded("Too many layouts are being looked at.", retry_after_s=1)
        self._waiting += 1
        try:
            async with self._turns:
                needs = wanted(layout)
                gathered = await self._gathering.given(member, needs, place, device)
                return await self._drawn(member, layout, panel, needs, gathered.given, gathered.notes)
        finally:
            self._waiting -= 1

    async def _drawn(
        self, member: Member, layout: Layout, panel: Panel, needs: Wanted, given: Given, said: tuple[str, ...]
    ) -> CheckedLayout:
        images = await self._pictures.images(member.tenant_id, needs.pictures)
        scene = settle(layout, given, panel, EVERY_S)
        drawn = await asyncio.to_thread(draw, scene, panel, images)
        rendered = await asyncio.to_thread(encoded, drawn.image, panel)
        png = await asyncio.to_thread(preview_png, rendered.data, panel)
        noted = [Note(element=WHOLE, level="warning", text=text) for text in said]
        return CheckedLayout(
            panel=panel.name,
            width=panel.width,
            height=panel.height,
            bytes=len(rendered.data),
            content_hash=rendered.content_hash,
            notes=[*noted, *dict.fromkeys((*scene.notes, *drawn.notes))],
            png=base64.b64encode(png).decode(),
        )

    async def _where(self, member: Member, asked: CheckAtSite) -> tuple[Place | None, Found | None]:
        """The site and the device that are meant. Raises NotFound, Conflict."""
        async with self._db.read() as connection:
            if asked.device:
                device = await find_device(connection, member, asked.device, asked.site)
                return device.place, device
            return (await find_site(connection, member, asked.site) if asked.site else None), None

    async def _layout(self, member: Member, asked: CheckAtSite) -> Layout:
        if (asked.body is not None) + bool(asked.layout) + bool(asked.picture) != 1:
            raise BadInput("Give one of `body`, `layout` and `picture`.")
        if asked.picture:
            await self._pictures.one(member, asked.picture)
            return picture_alone(asked.picture)
        if asked.layout:
            async with self._db.read() as connection:
                row = await find(connection, member.tenant_id, DocumentKind.LAYOUT.value, asked.layout)
            body = model.decode(DocumentKind.LAYOUT, row["body"])
        else:
            body = model.read(DocumentKind.LAYOUT, asked.body)
        if not isinstance(body, Layout):
            raise BadInput("That is no layout.")
        return body


class _Device(msgspec.Struct):
    panel: str = ""


def _panel(device: Found) -> str:
    try:
        return msgspec.json.decode(device.view, type=_Device).panel
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""

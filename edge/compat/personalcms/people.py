"""What the old pages did with pictures, dashboards and devices: by the hub's own library, documents and registry.

The pages themselves are not served. What they were for is done in the terminal and at head office now, and each
path that has no meaning any more says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web

from edge.compat.personalcms import tastes
from edge.compat.personalcms.assignments import Assignments, image_ids
from edge.compat.personalcms.dashboards import Dashboards, dashboard_of
from edge.compat.personalcms.devices import claimed_by
from edge.compat.personalcms.door import CmsDoor, reply, told
from edge.compat.personalcms.form import marked, pictures
from edge.compat.personalcms.variants import PROFILE
from edge.compat.personalcms.whom import named
from edge.content.library.library import Library
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.errors import BadInput, Conflict, OutpostError
from edge.serving.roles import Role
from edge.serving.visits import AiohttpHandler
from edge.wire.content import PictureView
from edge.wire.layouts import NAME_CHARS

log = logging.getLogger(__name__)

Forget = Callable[[Device, str], Awaitable[None]]

ASSIGN = "assign_"
HERE = (
    "This page is not served any more. Screens, playlists, schedules and sources are made in the terminal"
    " (outpost tui, Content) and on head office's pages; programs use /v1/content."
)
USE = {
    "pictures": "POST /upload, or outpost content picture add FILE",
    "what a board shows": "POST /assign-device-images, or a schedule: outpost content",
    "jokes, riddles, news": "PUT /api/devices/{id}/preferences, or a source: outpost content",
    "firmware": "/api/ota, or outpost firmware",
}
PAGES = ("/upload", "/content-management", "/content-admin", "/content-sources")
GONE = (
    "/content-admin/add-content",
    "/content-admin/update-content",
    "/content-admin/delete-content",
    "/content-admin/add-category",
    "/content-admin/add-subcategory",
    "/add-category",
    "/add-subcategory",
)
GONE_HINT = "Content is a source now: outpost content presets shows those that Outpost knows."


class CmsPeople:
    """The pages' half of the facade but for firmware. `forget(device, actor)` is the hub's own."""

    def __init__(
        self,
        door: CmsDoor,
        registry: Registry,
        library: Library,
        assignments: Assignments,
        dashboards: Dashboards,
        forget: Forget,
    ) -> None:
        self._door, self._registry, self._library = door, registry, library
        self._assignments, self._dashboards, self._forget = assignments, dashboards, forget
        self._form = asyncio.Lock()  # a file is held in memory

    def table(self) -> dict[tuple[str, str], AiohttpHandler]:
        """Every path."""
        opened, one = self._door.opened, "/api/devices/{id}"
        return {
            ("POST", "/upload"): opened(self.upload),
            ("POST", "/assign-device-images"): opened(self.assign),
            ("GET", one + "/preferences"): opened(self.preferences),
            ("PUT", one + "/preferences"): opened(self.choose),
            ("DELETE", one): opened(self.delete),
            ("POST", one + "/unlink"): opened(self.unlink),
            **{("GET", path): opened(self.moved) for path in PAGES},
            **{("POST", path): opened(self.gone) for path in GONE},
        }

    async def upload(self, request: web.Request) -> web.Response:
        """POST /upload: a form with pictures; each is looked at as every uploaded picture is."""
        actor = self._door.person(request, Role.TECHNICIAN).actor
        taken: list[PictureView] = []
        async with self._form:
            async for file in pictures(request):
                taken.append(await self._library.take(file.data, _name(file.filename), actor=actor))
        if not taken:
            raise BadInput("The form has no file.")
        count = f"{len(taken)} pictures" if len(taken) > 1 else "1 picture"
        return told(message=f"{count} uploaded", image_id=taken[0].id, images=[_shown(one) for one in taken])

    async def assign(self, request: web.Request) -> web.Response:
        """POST /assign-device-images: `assign_<device>` with picture ids; an empty one takes all of its away."""
        actor = self._door.person(request, Role.TECHNICIAN).actor
        form = await marked(request, self._door.body_s)
        fields = {name.removeprefix(ASSIGN): ids for name, ids in form.items() if name.startswith(ASSIGN)}
        if not fields:
            raise BadInput("The form has no field assign_<device>.")
        wanted = [(named(self._registry, name), image_ids(ids)) for name, ids in fields.items()]
        for device, ids in wanted:
            await self._assignments.assign(device, ids, actor=actor)
        return told(message="Pictures assigned", assigned={device.id: ids for device, ids in wanted})

    async def preferences(self, request: web.Request) -> web.Response:
        """GET /api/devices/{id}/preferences."""
        self._door.person(request, Role.VIEWER)
        device = named(self._registry, claimed_by(request))
        return told(device_id=device.id, preferences=tastes.shown(tastes.of(device)), known=tastes.KINDS)

    async def choose(self, request: web.Request) -> web.Response:
        """PUT /api/devices/{id}/preferences: the board's dashboard is made of them."""
        actor = self._door.person(request, Role.TECHNICIAN).actor
        body = await self._door.asked(request)
        chosen = tastes.read(body.get("preferences"))
        device = named(self._registry, claimed_by(request))
        shown = await self._dashboards.write(device, chosen, actor=actor)
        device = await self._registry.describe(device, tastes.as_facts(chosen), actor=actor)
        if shown:
            message = "The dashboard is made of these from now on"
        elif chosen:
            message = "The dashboard is made; the board shows what a schedule says, which is another"
        else:
            message = "The board has no dashboard of its own any more"
        return told(
            message=message,
            preferences=tastes.shown(chosen),
            layout=dashboard_of(device) if chosen else "",
            scheduled=shown,
        )

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE /api/devices/{id}: when it speaks again it is pending."""
        actor = self._door.person(request, Role.TECHNICIAN).actor
        device = named(self._registry, claimed_by(request), pending=True)
        await self._forget(device, actor)
        return told(message="Device forgotten", device_id=device.id)

    async def unlink(self, request: web.Request) -> web.Response:
        """POST /api/devices/{id}/unlink: what was assigned to it, and its dashboard, are taken away."""
        actor = self._door.person(request, Role.TECHNICIAN).actor
        device = named(self._registry, claimed_by(request))
        await self._registry.describe(device, tastes.as_facts(()), actor=actor)
        await self._let_go(device, actor)
        return told(message="Nothing is assigned to this device any more", device_id=device.id)

    async def forgotten(self, device: Device, actor: str) -> None:
        """The device is gone, and what was written for it alone; what somebody else's document names stays."""
        self._dashboards.forget(device)
        if device.profile != PROFILE:
            return
        try:
            await self._let_go(device, actor)
        except OutpostError as error:
            log.warning("a board's documents stay: %s", error, extra={"device": device.id})

    async def _let_go(self, device: Device, actor: str) -> None:
        """Take away what was written for it. Raises Conflict for what has to stay, once the rest is gone."""
        stays: list[str] = []
        for take_away in (partial(self._assignments.assign, device, ()), partial(self._dashboards.drop, device)):
            try:
                await take_away(actor=actor)
            except Conflict as conflict:
                stays.append(conflict.detail)
        if stays:
            raise Conflict(" ".join(stays), hint="The rest is taken away. `outpost content show` shows each.")

    async def moved(self, request: web.Request) -> web.Response:
        """GET of an old page: where this is done now."""
        self._door.person(request, Role.VIEWER)
        return told(message=HERE, use=USE)

    async def gone(self, request: web.Request) -> web.Response:
        """POST of an old page that has no meaning any more."""
        self._door.person(request, Role.TECHNICIAN)
        return reply({"success": False, "error": HERE, "message": HERE, "hint": GONE_HINT}, 410)


def _name(filename: str) -> str:
    """A file's name as a picture's may be."""
    plain = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in plain if char.isprintable()).strip()[:NAME_CHARS] or "picture"


def _shown(picture: PictureView) -> dict[str, Any]:
    return {
        "id": picture.id,
        "filename": picture.name,
        "width": picture.width,
        "height": picture.height,
        "bmp_url": f"/uploads/{picture.id}/bmp",
        "notes": list(picture.notes),
    }

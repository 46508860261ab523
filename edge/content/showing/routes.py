"""/v1/content: what panels show and should show, what they have shown, and how a layout would look."""

from __future__ import annotations

import asyncio

from aiohttp import web

from edge.content.render import PANELS, preview_png
from edge.content.showing.checking import Checking
from edge.content.showing.receipts import Receipts
from edge.content.showing.showing import Showing
from edge.content.showing.views import PanelViews, kind_view
from edge.devices.book import DeviceBook
from edge.devices.model import Device
from edge.errors import BadInput, NotFound
from edge.serving.roles import Role
from edge.serving.routing import NUMBER_DIGITS, Answer, Call, Page, Route
from edge.wire.content import CheckedLayout, CheckLayout, PanelKindView, PanelView, ReceiptView

PNG = "image/png"
SIDE_MAX = 4096  # of a picture that is asked for smaller than it is
BEFORE_ALL = 10**NUMBER_DIGITS - 1  # a number behind every receipt's


class PanelRoutes:
    """The routes. They go before those of documents, whose kinds would take their words for theirs."""

    def __init__(
        self, showing: Showing, views: PanelViews, receipts: Receipts, checking: Checking, registry: DeviceBook
    ) -> None:
        self._showing, self._views, self._receipts = showing, views, receipts
        self._checking, self._registry = checking, registry

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, view, base = Role.VIEWER, Role.TECHNICIAN, PanelView, "/v1/content"
        one = f"{base}/panels/{{device}}"
        kinds, receipts = "Panels that Outpost can draw for", "What panels have shown, newest first"
        check = "How a layout looks on a panel with what it would show now; nothing is kept"
        picture = "The picture itself: `of=wanted` or `of=shown`; `w`, `h`: no larger than that"
        return [
            Route(
                "GET", f"{base}/panels", self.every, "What panels show and should", viewer, returns=view, many=True
            ),
            Route("GET", one, self.one, "What a device's panel shows and should", viewer, returns=view),
            Route("GET", one + "/picture.png", self.picture, picture, viewer, stream=PNG, query=("of", "w", "h")),
            Route(
                "GET", f"{base}/receipts", self.receipts, receipts, viewer, returns=ReceiptView, many=True,
                query=("device",),
            ),
            Route("GET", f"{base}/panel-kinds", self.kinds, kinds, viewer, returns=PanelKindView, many=True),
            Route("POST", f"{base}/check", self.check, check, tech, body=CheckLayout, returns=CheckedLayout),
        ]  # fmt: skip

    async def every(self, call: Call) -> Answer:
        """GET /v1/content/panels."""
        panels = [device for device in self._registry.all() if device.panel]
        begin, limit = call.cursor() or 0, call.limit()
        more = str(begin + limit) if begin + limit < len(panels) else None
        return Page([await self._views.view(device) for device in panels[begin : begin + limit]], more)

    async def one(self, call: Call) -> Answer:
        """GET /v1/content/panels/{device}."""
        return await self._views.view(self._device(call))

    async def picture(self, call: Call) -> Answer:
        """GET /v1/content/panels/{device}/picture.png."""
        device, of = self._device(call), call.query("of", "wanted")
        if of not in ("wanted", "shown"):
            raise BadInput("of is wanted or shown.")
        if of == "wanted":
            offered = await self._showing.now(device)
            found = (offered.data, offered.panel) if offered is not None else None
        else:
            last = self._receipts.of(device.id)
            found = self._showing.picture(last.picture) if last is not None else None
            if last is not None and found is None:  # a hub that has just started has drawn nothing yet
                offered = await self._showing.now(device)
                again = offered is not None and offered.picture == last.picture
                found = (offered.data, offered.panel) if offered is not None and again else None
        if found is None:
            raise NotFound(
                "Nothing is scheduled for this panel."
                if of == "wanted"
                else "That picture is not held here any more.",
                hint="`outpost content panels`, or GET /v1/content/panels, shows what is known of it.",
            )
        across, down = call.number("w"), call.number("h")
        within = (min(across or SIDE_MAX, SIDE_MAX), min(down or SIDE_MAX, SIDE_MAX)) if across or down else None
        small = await asyncio.to_thread(preview_png, *found, within)
        return web.Response(body=small, content_type=PNG, headers={"Cache-Control": "no-store"})

    async def receipts(self, call: Call) -> Answer:
        """GET /v1/content/receipts?device=."""
        named, limit = call.query("device"), call.limit()
        device_id = self._registry.get(named).id if named else ""
        before = call.cursor()
        found = await self._receipts.page(device_id, BEFORE_ALL if before is None else before, limit + 1)
        more = str(found[limit - 1].number) if len(found) > limit else None
        return Page([self._views.receipt(one) for one in found[:limit]], more)

    async def kinds(self, call: Call) -> Answer:
        """GET /v1/content/panel-kinds."""
        return Page([kind_view(panel) for panel in PANELS.values()])

    async def check(self, call: Call) -> Answer:
        """POST /v1/content/check."""
        return await self._checking.check(call.body)

    def _device(self, call: Call) -> Device:
        return self._registry.get(call.param("device"))

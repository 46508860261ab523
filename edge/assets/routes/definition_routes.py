"""/v1/assets: what is watched, by which input, and the reasons that people give to stops."""

from __future__ import annotations

from edge.assets.defined.definitions import Assets
from edge.assets.defined.reasons import StopReasons
from edge.assets.defined.views import AssetViews
from edge.assets.defined.wirings import Definition
from edge.devices.registry import Registry
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.assets import AssetView, ChangeAsset, GiveReason, NewAsset, StopView, Wire


class AssetRoutes:
    """The routes of assets and of reasons given."""

    def __init__(self, assets: Assets, views: AssetViews, reasons: StopReasons, registry: Registry) -> None:
        self._assets, self._views, self._reasons, self._registry = assets, views, reasons, registry

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, view, one = Role.VIEWER, Role.TECHNICIAN, AssetView, "/v1/assets/{id}"
        asked = ("line", "device", "removed")
        every = "Every machine that is watched, and how it stands; `removed=1`: removed ones too"
        wire = "Say which input tells of it, from now or `at` a time on"
        reason, give = one + "/stops/{stop}/reason", "Say why it stood still"
        return [
            Route("GET", "/v1/assets", self.every, every, viewer, returns=view, many=True, query=asked),
            Route("POST", "/v1/assets", self.add, "Watch one", tech, body=NewAsset, returns=view, created=True),
            Route("GET", one, self.one, "One machine, and how it stands", viewer, returns=view),
            Route("PATCH", one, self.change, "Change or remove it", tech, body=ChangeAsset, returns=view),
            Route("PUT", one + "/wiring", self.wire, wire, tech, body=Wire, returns=view),
            Route("PUT", reason, self.give, give, tech, body=GiveReason, returns=StopView),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/assets?line=&device=&removed=1: all of a site at once."""
        line, device = call.query("line"), call.query("device")
        found = self._assets.all(removed=call.query("removed") not in ("", "0"))
        if line:
            found = [one for one in found if one.line.casefold() == line.casefold()]
        if device:
            device_id = device if device in self._assets.devices() else self._registry.get(device).id
            found = [one for one in found if one.wired.device == device_id]
        return Page([await self._views.view(one) for one in found])

    async def add(self, call: Call) -> Answer:
        """POST /v1/assets."""
        wanted: NewAsset = call.body
        return Created(await self._views.view(await self._assets.add(wanted, actor=call.actor)))

    async def one(self, call: Call) -> Answer:
        """GET /v1/assets/{id}."""
        return await self._views.view(self._asset(call))

    async def change(self, call: Call) -> Answer:
        """PATCH /v1/assets/{id}."""
        wanted: ChangeAsset = call.body
        return await self._views.view(await self._assets.change(self._asset(call), wanted, actor=call.actor))

    async def wire(self, call: Call) -> Answer:
        """PUT /v1/assets/{id}/wiring."""
        wanted: Wire = call.body
        return await self._views.view(await self._assets.wire(self._asset(call), wanted, actor=call.actor))

    async def give(self, call: Call) -> Answer:
        """PUT /v1/assets/{id}/stops/{stop}/reason."""
        wanted: GiveReason = call.body
        return await self._reasons.give(self._asset(call), call.param("stop"), wanted, actor=call.actor)

    def _asset(self, call: Call) -> Definition:
        return self._assets.get(call.param("id"))

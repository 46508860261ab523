"""/v1 of what devices run, one by one and in all."""

from __future__ import annotations

from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route
from edge.updates.offers.offers import Offers
from edge.updates.rollouts.rollouts import Rollouts
from edge.updates.rollouts.summary import Summary
from edge.updates.rollouts.views import RolloutViews
from edge.wire.updates import AssignFirmware, DeviceFirmware, FirmwareSummary, MarkLegacy


class DeviceFirmwareRoutes:
    """The routes."""

    def __init__(
        self, rollouts: Rollouts, offers: Offers, views: RolloutViews, summary: Summary, registry: Registry
    ) -> None:
        self._rollouts, self._offers, self._views = rollouts, offers, views
        self._summary, self._registry = summary, registry

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, view, one = Role.VIEWER, Role.TECHNICIAN, DeviceFirmware, "/v1/devices/{id}/firmware"
        assign = "Let it run an artifact: a rollout of one"
        legacy = "Say whether it takes unsigned images, as older devices do"
        summary = "Which versions run, and what became of updates in 30 days"
        return [
            Route("GET", one, self.one, "What it runs, and shall run", viewer, returns=view),
            Route("PUT", one, self.assign, assign, tech, body=AssignFirmware, returns=view),
            Route("DELETE", one, self.unassign, "Take back what it is offered", tech),
            Route("PUT", one + "/legacy", self.legacy, legacy, Role.ADMIN, body=MarkLegacy, returns=view),
            Route("GET", "/v1/firmware/summary", self.summary, summary, viewer, returns=FirmwareSummary),
        ]

    async def one(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/firmware."""
        return await self._views.firmware(self._device(call).id)

    async def assign(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/firmware."""
        wanted: AssignFirmware = call.body
        device = self._device(call)
        await self._rollouts.assign(device, wanted.artifact, actor=call.actor)
        return await self._views.firmware(device.id)

    async def unassign(self, call: Call) -> Answer:
        """DELETE /v1/devices/{id}/firmware."""
        await self._rollouts.unassign(self._device(call), actor=call.actor)
        return None

    async def legacy(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/firmware/legacy."""
        wanted: MarkLegacy = call.body
        device = self._device(call)
        await self._offers.set_legacy(device, wanted.legacy, actor=call.actor)
        return await self._views.firmware(device.id)

    async def summary(self, call: Call) -> Answer:
        """GET /v1/firmware/summary."""
        return await self._summary.view()

    def _device(self, call: Call) -> Device:
        return self._registry.get(call.param("id"))

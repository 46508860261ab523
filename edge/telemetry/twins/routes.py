"""/v1/devices/{id}/twin: what a device shall be against what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from edge.clock import iso
from edge.commands.intake import not_approved
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route
from edge.telemetry.model import Value
from edge.telemetry.twins.model import Twin, pending
from edge.telemetry.twins.twins import Twins
from edge.wire.readings import ChangeTwin, TwinView


class Reported(Protocol):
    """What devices report; Telemetry is one."""

    def latest(self, device_id: str) -> Mapping[str, Newest]:
        """The newest reading by key."""


class Newest(Protocol):
    """The newest reading of a key."""

    @property
    def value(self) -> Value:
        """What was reported."""

    @property
    def received_us(self) -> int:
        """When the hub got it."""


def twin_view(twin: Twin, latest: Mapping[str, Newest]) -> TwinView:
    """A twin as /v1 shows it."""
    reported = {key: latest[key].value for key in twin.desired if key in latest}
    return TwinView(
        device=twin.device_id,
        version=twin.version,
        desired=dict(twin.desired),
        reported=reported,
        pending=pending(twin.desired, reported),
        changed_at=iso(twin.changed_us) if twin.version else None,
        changed_by=twin.changed_by,
    )


class TwinRoutes:
    """The routes of this capability."""

    def __init__(self, twins: Twins, telemetry: Reported, registry: Registry) -> None:
        self._twins, self._telemetry, self._registry = twins, telemetry, registry

    def all(self) -> list[Route]:
        """Every route."""
        path, view = "/v1/devices/{id}/twin", TwinView
        return [
            Route(
                "GET", path, self.show, "What it shall be against what it is", Role.VIEWER, app=True, returns=view
            ),
            Route(
                "PATCH",
                path,
                self.change,
                "Desire values of it; null takes a key away",
                Role.TECHNICIAN,
                app=True,
                body=ChangeTwin,
                returns=view,
            ),
        ]

    async def show(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/twin."""
        return self._view(self._device(call))

    async def change(self, call: Call) -> Answer:
        """PATCH /v1/devices/{id}/twin."""
        wanted: ChangeTwin = call.body
        device = self._device(call)
        if not device.approved:
            raise not_approved(device)
        await self._twins.change(device, wanted.desired, actor=call.actor)
        return self._view(device)

    def _device(self, call: Call) -> Device:
        return self._registry.get(call.param("id"))

    def _view(self, device: Device) -> TwinView:
        return twin_view(self._twins.of(device.id), self._telemetry.latest(device.id))

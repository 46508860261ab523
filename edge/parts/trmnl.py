"""TRMNL e-paper terminals: they ask the hub, instead of their maker's server, what to show."""

from __future__ import annotations

from aiohttp import web

from edge.compat.trmnl.facade import Trmnl
from edge.devices.model import Device
from edge.parts.content import ContentPart
from edge.parts.part import Core, Part
from edge.parts.telemetry import TelemetryPart


class TrmnlPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core, telemetry: TelemetryPart, panels: ContentPart) -> None:
        self._trmnl = Trmnl(
            gate=core.guard,
            knocks=core.knocking,
            clock=core.clock,
            registry=core.registry,
            presences=core.presences,
            device_log=core.device_log,
            readings=telemetry.telemetry,
            showing=panels.showing,
            receipts=panels.shown.receipts,
            body_s=core.settings.limits.body_s,
        )

    def legacy(self) -> list[web.RouteDef]:
        """Its own paths."""
        return self._trmnl.routes()

    async def forget(self, device: Device, actor: str) -> None:
        """It is not known any more."""
        self._trmnl.forget(device)

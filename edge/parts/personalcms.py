"""The older boards that update themselves over the air: they report here, and get firmware as all devices do."""

from __future__ import annotations

from aiohttp import web

from edge.compat.personalcms.facade import PersonalCms
from edge.devices.model import Device
from edge.parts.part import Core, Part
from edge.parts.rollouts import RolloutsPart
from edge.parts.telemetry import TelemetryPart
from edge.parts.updates import UpdatesPart


class PersonalCmsPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core, telemetry: TelemetryPart, updates: UpdatesPart, rollouts: RolloutsPart) -> None:
        settings = core.settings
        self._old = PersonalCms(
            gate=core.guard,
            knocks=core.knocking,
            clock=core.clock,
            registry=core.registry,
            presences=core.presences,
            device_log=core.device_log,
            readings=telemetry.telemetry,
            offers=rollouts.offers,
            rollouts=rollouts.rollouts,
            artifacts=updates.artifacts,
            downloads=updates.downloads,
            user=settings.personalcms.download_user,
            password=settings.personalcms.download_password,
            body_s=settings.limits.body_s,
        )

    def legacy(self) -> list[web.RouteDef]:
        """The older system's paths."""
        return self._old.routes()

    async def start(self) -> None:
        """Recall its boards."""
        self._old.start()

    def problems(self) -> list[str]:
        """What a person should look at."""
        return self._old.problems()

    async def forget(self, device: Device, actor: str) -> None:
        """It is not known any more."""
        self._old.forget(device)

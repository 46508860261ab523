"""The older boards that update themselves over the air: they report here, show what is scheduled for them, and get
firmware as all devices do."""

from __future__ import annotations

from aiohttp import web

from edge.compat.personalcms.facade import PersonalCms
from edge.compat.personalcms.people import Forget
from edge.devices.model import Device
from edge.parts.content import ContentPart
from edge.parts.part import Core, Part
from edge.parts.rollouts import RolloutsPart
from edge.parts.telemetry import TelemetryPart
from edge.parts.updates import UpdatesPart


class PersonalCmsPart(Part):
    """Built by the hub. `forget(device, actor)` is the hub's own, through which all parts let a device go."""

    def __init__(
        self,
        core: Core,
        telemetry: TelemetryPart,
        updates: UpdatesPart,
        rollouts: RolloutsPart,
        panels: ContentPart,
        forget: Forget,
    ) -> None:
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
            showing=panels.showing,
            library=panels.library,
            documents=panels.documents,
            groups=core.groups,
            forget=forget,
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
        await self._old.forget(device, actor)

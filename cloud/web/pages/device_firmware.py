"""The part of a device's page about its firmware: what it runs, what it shall run, and to give it another."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import msgspec

from cloud.web.frame import PageRoute, Result, Visit, Went
from cloud.web.links import device_page
from cloud.web.pages.device_acts import Asked, PageOf, device_in
from edge.errors import NotFound, OutpostError
from edge.serving.roles import Role
from edge.wire.centre import SiteDevice, SiteFirmware
from edge.wire.updates import ENDED, ArtifactView

CHOICES = 100  # the newest artifacts


class FirmwarePart(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn. `shall`: the artifact it was offered last, None where that is gone; `stands`: the offer is not
    over; `choices`: what it may be given."""

    told: SiteFirmware
    shall: ArtifactView | None
    stands: bool
    choices: list[ArtifactView]


async def part_of_page(visit: Visit, device: SiteDevice) -> FirmwarePart:
    """The part for this device."""
    told: SiteFirmware = await visit.get("/v1/devices/{id}/firmware", {"site": device.site}, id=device.id)
    shall, choices = None, list[ArtifactView]()
    if told.artifact:
        with contextlib.suppress(NotFound):
            shall = await visit.get("/v1/artifacts/{artifact}", artifact=told.artifact)
    if visit.may(Role.TECHNICIAN) and device.state == "approved":
        choices = (await visit.get("/v1/artifacts", {"limit": CHOICES})).items
    return FirmwarePart(
        told=told,
        shall=shall,
        stands=told.step is not None and told.step not in ENDED,
        choices=[one for one in choices if told.legacy or not one.legacy_only],
    )


class DeviceFirmwareActs:
    """The forms. `page`: the device's page, to show again when one is refused."""

    def __init__(self, page: PageOf) -> None:
        self._page = page

    def all(self, here: str) -> list[PageRoute]:
        """Every route, below `here`."""
        tech = Role.TECHNICIAN
        return [
            PageRoute("POST", here + "/firmware", self.assign, tech),
            PageRoute("POST", here + "/firmware/end", self.unassign, tech),
            PageRoute("POST", here + "/firmware/legacy", self.legacy, Role.ADMIN),
        ]

    async def assign(self, visit: Visit) -> Result:
        """Let it run an artifact."""
        body = {"artifact": visit.form.get("artifact", "")}
        return await self._do(visit, "PUT", "/v1/devices/{id}/firmware", body, "firmware_assigned")

    async def unassign(self, visit: Visit) -> Result:
        """Take back what it is offered."""
        return await self._do(visit, "DELETE", "/v1/devices/{id}/firmware", {}, "firmware_withdrawn")

    async def legacy(self, visit: Visit) -> Result:
        """Say whether it takes unsigned firmware; its hub does it."""
        body = {"legacy": visit.form.get("legacy") == "yes"}
        return await self._do(visit, "PUT", "/v1/devices/{id}/firmware/legacy", body, "firmware_legacy")

    async def _do(self, visit: Visit, method: str, path: str, body: Mapping[str, object], said: str) -> Result:
        site, device = visit.param("site"), device_in(visit)
        try:
            await visit.act(method, path, body, {"site": site}, "", id=device)
        except OutpostError as error:
            return await self._page(visit, Asked("firmware", visit.form, error))
        return Went(device_page(site, device) + "#firmware", said=said)

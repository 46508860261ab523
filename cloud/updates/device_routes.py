"""/v1 of what devices run, one by one and in all: by their hubs' word."""

from __future__ import annotations

from collections import Counter

from cloud.accounts.member import Member, member
from cloud.db.database import Database
from cloud.fleet.asking import Asking
from cloud.fleet.lookup import Found, find_device, find_site
from cloud.updates import end_store, seen
from cloud.updates import target_store as targets
from cloud.updates.rollouts import Rollouts
from edge.clock import Clock
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route
from edge.wire.centre import SiteFirmware
from edge.wire.updates import (
    AssignFirmware,
    FirmwareSeen,
    FirmwareSummary,
    MarkLegacy,
    ReasonCount,
    Step,
    VersionCount,
)

SITE = ("site",)
DAYS = 30
DAY_US = 86_400 * 1_000_000
REASONS_SHOWN = 50
LEGACY = "legacy"  # what an order to a hub is to do


class DeviceFirmwareRoutes:
    """The routes."""

    def __init__(self, rollouts: Rollouts, asking: Asking, database: Database, clock: Clock) -> None:
        self._rollouts, self._asking, self._db, self._clock = rollouts, asking, database, clock

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, view, one = Role.VIEWER, Role.TECHNICIAN, SiteFirmware, "/v1/devices/{id}/firmware"
        assign = "Let it run an artifact: a rollout of one"
        legacy = "Say whether it takes unsigned images, as older devices do"
        summary = "Which versions run, and what became of updates in 30 days"
        mark = MarkLegacy
        return [
            Route("GET", one, self.one, "What it runs, and shall run", viewer, returns=view, query=SITE),
            Route("PUT", one, self.assign, assign, tech, body=AssignFirmware, returns=view, query=SITE),
            Route("DELETE", one, self.unassign, "Take back what it is offered", tech, query=SITE),
            Route("PUT", one + "/legacy", self.legacy, legacy, Role.ADMIN, body=mark, returns=view, query=SITE),
            Route(
                "GET", "/v1/firmware/summary", self.summary, summary, viewer, returns=FirmwareSummary, query=SITE
            ),
        ]

    async def one(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/firmware?site=."""
        caller = member(call)
        return await self._view(caller, await self._device(call, caller))

    async def assign(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/firmware?site=."""
        caller, wanted = member(call), call.body
        device = await self._device(call, caller)
        await self._rollouts.assign(caller, device, wanted.artifact)
        return await self._view(caller, device)

    async def unassign(self, call: Call) -> Answer:
        """DELETE /v1/devices/{id}/firmware?site=."""
        caller = member(call)
        await self._rollouts.unassign(caller, await self._device(call, caller))
        return None

    async def legacy(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/firmware/legacy?site=: its hub does it."""
        caller, wanted = member(call), call.body
        device = await self._device(call, caller)
        body = {"do": LEGACY, "device": device.id, "legacy": wanted.legacy}
        await self._asking.ask(
            caller,
            device.place,
            "firmware",
            body,
            audit="firmware.legacy",
            subject=device.id,
            detail={"legacy": wanted.legacy},
        )
        return await self._view(caller, device)

    async def summary(self, call: Call) -> Answer:
        """GET /v1/firmware/summary?site=."""
        caller, site = member(call), call.query("site")
        since_us = self._clock.now().at_us - DAYS * DAY_US
        async with self._db.read() as connection:
            if site:
                await find_site(connection, caller, site)
            rows = await end_store.since(connection, caller, site, since_us)
            told = await seen.everything(connection, caller, site)
        counted = [(Step(step), reason, count) for step, reason, count in rows if step != Step.ALREADY]
        ended = sum(count for *_, count in counted)
        well = sum(count for step, _, count in counted if step is Step.CONFIRMED)
        reasons = [ReasonCount(step=step, reason=reason, devices=count) for step, reason, count in counted]
        return FirmwareSummary(
            versions=_versions([one for _, one in told]),
            reasons=reasons[:REASONS_SHOWN],
            ended=ended,
            success_rate=well / ended if ended else None,
        )

    async def _device(self, call: Call, caller: Member) -> Found:
        async with self._db.read() as connection:
            return await find_device(connection, caller, call.param("id"), call.query("site"))

    async def _view(self, caller: Member, device: Found) -> SiteFirmware:
        """By its hub's word; what is wanted of it and its hub does not tell of now, by what is kept here."""
        async with self._db.read() as connection:
            told = await seen.of_device(connection, caller, device)
            wanted = await targets.newest_of(connection, caller.tenant_id, (device.place.site_id, device.id))
        about = told[1] if told is not None else None
        of = about if about is not None and about.rollout is not None else None
        return SiteFirmware(
            device=device.id,
            version=about.version if about else "",
            app=about.app if about else "",
            image=about.image if about else "",
            security=about.security if about else 0,
            trial=about.trial if about else False,
            legacy=about.legacy if about else False,
            seen_at=about.seen_at if about else None,
            rollout=of.rollout if of else wanted["rollout"] if wanted else None,
            artifact=of.artifact if of else wanted["artifact"] if wanted else None,
            step=of.step if of else Step(wanted["step"]) if wanted else None,
            reason=of.reason if of else wanted["reason"] if wanted else "",
            held_off_until=about.held_off_until if about else None,
            site=device.place.slug,
            as_of=(told[0] if told is not None else device).as_of(),
            stale=device.place.stale(self._clock.now().at_us),
        )


def _versions(told: list[FirmwareSeen]) -> list[VersionCount]:
    """What devices run, by their own word."""
    counts = Counter((one.target, one.version) for one in told if one.seen_at is not None)
    return [
        VersionCount(target=target, version=version, devices=count)
        for (target, version), count in sorted(counts.items())
    ]

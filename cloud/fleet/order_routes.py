"""/v1 of what head office sets at a site's devices without commanding them: desired state, and who sits where."""

from __future__ import annotations

from typing import Any

import msgspec

from cloud.accounts.member import Member, member
from cloud.db.database import Database
from cloud.fleet import state_store
from cloud.fleet.asking import Asking
from cloud.fleet.lookup import Found, find_device, found
from cloud.fleet.views import device_view, twin_view
from edge.clock import Clock
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Route
from edge.wire.centre import SiteDevice, SiteTwin
from edge.wire.readings import ChangeTwin
from edge.wire.views import BindAgent

SEAT_TTL_S = 300.0  # who is told of a desk much later than that has found another
SITE = ("site",)


class OrderRoutes:
    """The routes of this capability."""

    def __init__(self, asking: Asking, database: Database, clock: Clock) -> None:
        self._asking, self._db, self._clock = asking, database, clock

    def all(self) -> list[Route]:
        """Every route."""
        tech, desk = Role.TECHNICIAN, "/v1/devices/{id}/agent"
        desire = "Desire values of it; null takes a key away"
        return [
            Route(
                "PATCH",
                "/v1/devices/{id}/twin",
                self.desire,
                desire,
                tech,
                app=True,
                body=ChangeTwin,
                returns=SiteTwin,
                query=SITE,
            ),
            Route(
                "PUT", desk, self.seat, "Seat an agent at it", tech, body=BindAgent, returns=SiteDevice, query=SITE
            ),
            Route("DELETE", desk, self.unseat, "End the agent's session", tech, query=SITE),
        ]

    async def desire(self, call: Call) -> Answer:
        """PATCH /v1/devices/{id}/twin?site=: the twin as asked for; done is what is not pending any more."""
        wanted: ChangeTwin = call.body
        caller = member(call)
        device = await self._device(call, caller)
        body = {"device": device.id, "desired": wanted.desired}
        await self._asking.ask(caller, device.place, "twin", body, audit="twin.changed", subject=device.id)
        return _desiring(await self._twin(caller, device), wanted.desired)

    async def seat(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/agent?site=: the device as its hub last told of it."""
        wanted: BindAgent = call.body
        caller = member(call)
        device = await self._device(call, caller)
        await self._link(caller, device, wanted.agent, wanted.name, "agent.seated")
        return device_view(await self._device(call, caller), self._clock.now().at_us)

    async def unseat(self, call: Call) -> Answer:
        """DELETE /v1/devices/{id}/agent?site=."""
        caller = member(call)
        await self._link(caller, await self._device(call, caller), "", "", "agent.unseated")
        return None

    async def _link(self, caller: Member, device: Found, agent: str, name: str, what: str) -> None:
        body = {"agent": agent, "name": name, "device": device.id}
        await self._asking.ask(caller, device.place, "link", body, ttl_s=SEAT_TTL_S, audit=what, subject=device.id)

    async def _device(self, call: Call, caller: Member) -> Found:
        async with self._db.read() as connection:
            return await find_device(connection, caller, call.param("id"), call.query("site"))

    async def _twin(self, caller: Member, device: Found) -> SiteTwin:
        async with self._db.read() as connection:
            rows = await state_store.states(
                connection, caller, "twin", site=device.place.slug, device=device.id, limit=1
            )
        now_us = self._clock.now().at_us
        if rows:
            return twin_view(found(rows[0], caller), now_us)
        return SiteTwin(
            device=device.id,
            version=0,
            desired={},
            reported={},
            pending=[],
            changed_at=None,
            changed_by="",
            site=device.place.slug,
            as_of=device.as_of(),
            stale=device.place.stale(now_us),
        )


def _desiring(twin: SiteTwin, changes: dict[str, Any]) -> SiteTwin:
    """The twin with these changes, which its hub may have told of already."""
    desired = {key: value for key, value in {**twin.desired, **changes}.items() if value is not None}
    pending = sorted(key for key, value in desired.items() if twin.reported.get(key) != value)
    return msgspec.structs.replace(twin, desired=desired, pending=pending)

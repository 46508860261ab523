"""/v1 of what there is at the sites: devices, slots, twins, who sits where; as hubs last told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from cloud.accounts.member import member
from cloud.db.database import Database
from cloud.fleet import state_store as sql
from cloud.fleet.cursor import behind_of, cursor_of
from cloud.fleet.lookup import Found, find_device, find_site, found
from cloud.fleet.views import agent_view, device_view, readable, slot_view, twin_view
from edge.clock import Clock
from edge.errors import NotFound
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.centre import SiteAgent, SiteDevice, SiteSlot, SiteTwin

T = TypeVar("T", bound=msgspec.Struct)
SITE = ("site",)


class DeviceRoutes:
    """The routes of what hubs tell of their things."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db, self._clock = database, clock

    def all(self) -> list[Route]:
        """Every route."""
        viewer, one = Role.VIEWER, "/v1/devices/{id}"
        slots = "Every slot: what lies in it, and whether it would vend now"
        return [
            Route(
                "GET",
                "/v1/devices",
                self.devices,
                "All devices of all sites, by id; `q`: those with this in their id, name or an alias",
                viewer,
                returns=SiteDevice,
                many=True,
                query=("site", "q"),
            ),
            Route(
                "GET", one, self.device, "One device, by id, alias or name", viewer, returns=SiteDevice, query=SITE
            ),
            Route(
                "GET",
                "/v1/slots",
                self.slots,
                slots,
                viewer,
                app=True,
                returns=SiteSlot,
                many=True,
                query=("site", "device"),
            ),
            Route(
                "GET",
                one + "/slots",
                self.slots_of,
                "The slots of one machine",
                viewer,
                app=True,
                returns=SiteSlot,
                many=True,
                query=SITE,
            ),
            Route(
                "GET",
                one + "/twin",
                self.twin,
                "What it shall be against what it is",
                viewer,
                app=True,
                returns=SiteTwin,
                query=SITE,
            ),
            Route(
                "GET", "/v1/agents", self.agents, "Who sits where", viewer, returns=SiteAgent, many=True, query=SITE
            ),
        ]

    async def devices(self, call: Call) -> Answer:
        """GET /v1/devices?site=&q=. A page of those that are searched for may have fewer than the limit."""
        wanted = call.query("q")
        page = await self._page(call, "device", device_view, wanted=wanted)
        return Page([device for device in page.items if _is_called(device, wanted.casefold())], page.next)

    async def device(self, call: Call) -> Answer:
        """GET /v1/devices/{id}?site=."""
        return device_view(await self._device(call, call.param("id")), self._clock.now().at_us)

    async def slots(self, call: Call) -> Answer:
        """GET /v1/slots?site=&device=."""
        named = call.query("device")
        return await self._page(call, "slot", slot_view, await self._device(call, named) if named else None)

    async def slots_of(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/slots?site=."""
        return await self._page(call, "slot", slot_view, await self._device(call, call.param("id")))

    async def twin(self, call: Call) -> Answer:
        """GET /v1/devices/{id}/twin?site=."""
        device = await self._device(call, call.param("id"))
        async with self._db.read() as connection:
            rows = await sql.states(
                connection, member(call), "twin", site=device.place.slug, device=device.id, limit=1
            )
        if not rows:
            raise NotFound(
                f"Nothing was told of the twin of {device.id}.", hint="Its hub tells it with the next state."
            )
        return twin_view(found(rows[0], member(call)), self._clock.now().at_us)

    async def agents(self, call: Call) -> Answer:
        """GET /v1/agents?site=."""
        return await self._page(call, "agent", agent_view)

    async def _device(self, call: Call, name: str) -> Found:
        async with self._db.read() as connection:
            return await find_device(connection, member(call), name, call.query("site"))

    async def _page(
        self,
        call: Call,
        kind: str,
        view: Callable[[Found, int], T],
        device: Found | None = None,
        *,
        wanted: str = "",
    ) -> Page:
        """One page of a kind; of one device when it is given."""
        caller, limit = member(call), call.limit()
        site = device.place.slug if device else call.query("site")
        behind = behind_of(call.query("cursor"))
        async with self._db.read() as connection:
            if site and device is None:
                await find_site(connection, caller, site)
            of_device = device.id if device else ""
            rows, more = await sql.page(
                connection, caller, kind, site=site, device=of_device, behind=behind, limit=limit, wanted=wanted
            )
        shown = [found(row, caller) for row in rows]
        last = shown[-1] if more and shown else None
        return Page(
            readable(view, shown, self._clock.now().at_us),
            None if last is None else cursor_of(last),
        )


def _is_called(device: SiteDevice, wanted: str) -> bool:
    return any(wanted in text.casefold() for text in (device.id, device.name, *device.aliases))

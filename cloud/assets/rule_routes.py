"""/v1/stop-reasons, /v1/shifts, /v1/planned: what holds for all assets of a site, as its hub told it; changes go to
the hub, and are told as pending until it has confirmed them.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from cloud.accounts.member import member
from cloud.assets.lookup import assets, rules_of
from cloud.db.database import Database
from cloud.fleet.asking import Asking
from cloud.fleet.lookup import Place, all_sites, find_site
from edge.assets.defined import forms
from edge.clock import Clock
from edge.errors import NotFound
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.assets import AssetRules, PlannedView, ReasonView, SetPlanned, SetReason, SetShift, ShiftView
from edge.wire.centre import SitePlanned, SiteReason, SiteShift

T = TypeVar("T", SiteReason, SiteShift, SitePlanned)
SITE = ("site",)
AUDIT = "asset.rules"


class RuleRoutes:
    """The routes of the rules of sites."""

    def __init__(self, asking: Asking, database: Database, clock: Clock) -> None:
        self._asking, self._db, self._clock = asking, database, clock

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, reason, shift, planned = Role.VIEWER, Role.TECHNICIAN, SiteReason, SiteShift, SitePlanned
        of_reason, of_shift, of_planned = "/v1/stop-reasons/{id}", "/v1/shifts/{id}", "/v1/planned/{id}"
        reasons, shifts = "The reasons that may be given to stops at each site", "The shifts of each site"
        make, work = "Make a reason, call it otherwise, or retire it", "Make or change a shift"
        plan, fewer, again = "Say when machines need not run", "Have a shift no more", "Have planned time no more"
        return [
            Route("GET", "/v1/stop-reasons", self.reasons, reasons, viewer, returns=reason, many=True, query=SITE),
            Route("PUT", of_reason, self.set_reason, make, tech, body=SetReason, returns=reason, query=SITE),
            Route("GET", "/v1/shifts", self.shifts, shifts, viewer, returns=shift, many=True, query=SITE),
            Route("PUT", of_shift, self.set_shift, work, tech, body=SetShift, returns=shift, query=SITE),
            Route("DELETE", of_shift, self.remove_shift, fewer, tech, query=SITE),
            Route(
                "GET", "/v1/planned", self.planned, "Planned time", viewer, returns=planned, many=True, query=SITE
            ),
            Route("PUT", of_planned, self.set_planned, plan, tech, body=SetPlanned, returns=planned, query=SITE),
            Route("DELETE", of_planned, self.remove_planned, again, tech, query=SITE),
        ]

    async def reasons(self, call: Call) -> Answer:
        """GET /v1/stop-reasons?site=."""
        return self._page(call, _of(await self._rules(call), "reasons", SiteReason))

    async def shifts(self, call: Call) -> Answer:
        """GET /v1/shifts?site=."""
        return self._page(call, _of(await self._rules(call), "shifts", SiteShift))

    async def planned(self, call: Call) -> Answer:
        """GET /v1/planned?site=."""
        return self._page(call, _of(await self._rules(call), "planned", SitePlanned))

    async def set_reason(self, call: Call) -> Answer:
        """PUT /v1/stop-reasons/{id}?site=."""
        return await self._set(call, forms.reason(call.param("id"), call.body), "reason", "reasons", SiteReason)

    async def set_shift(self, call: Call) -> Answer:
        """PUT /v1/shifts/{id}?site=."""
        return await self._set(call, forms.shift(call.param("id"), call.body), "shift", "shifts", SiteShift)

    async def set_planned(self, call: Call) -> Answer:
        """PUT /v1/planned/{id}?site=."""
        wanted, _ = forms.planned(call.param("id"), call.body, self._clock.now().at_us)
        wanted = msgspec.structs.replace(wanted, assets=await self._ids(call, wanted.assets))
        return await self._set(call, wanted, "planned", "planned", SitePlanned)

    async def remove_shift(self, call: Call) -> Answer:
        """DELETE /v1/shifts/{id}?site=."""
        await self._ask(call, "no_shift", "shift", {})
        return None

    async def remove_planned(self, call: Call) -> Answer:
        """DELETE /v1/planned/{id}?site=."""
        await self._ask(call, "no_planned", "planned", {})
        return None

    def _page(self, call: Call, rules: list[T]) -> Page:
        first, limit = call.cursor() or 0, call.limit()
        following = first + limit
        return Page(rules[first:following], str(following) if following < len(rules) else None)

    async def _rules(self, call: Call) -> dict[str, AssetRules]:
        async with self._db.read() as connection:
            places = await all_sites(connection, member(call), call.query("site"))
            return await rules_of(connection, member(call), places)

    async def _set(
        self, call: Call, wanted: ReasonView | ShiftView | PlannedView, do: str, field: str, kind: type[T]
    ) -> T:
        """Have it so, in the form in which hubs keep it: as the hub tells it by now, else as it was asked for."""
        form = msgspec.to_builtins(wanted)
        names = msgspec.to_builtins(call.body)
        request = {name: value for name in names if (value := form[name]) not in (None, "", [])}
        place = await self._ask(call, do, do, request)
        async with self._db.read() as connection:
            rules = await rules_of(connection, member(call), [place])
        asked = msgspec.convert({**form, "site": place.slug}, kind)
        told = next((one for one in _of(rules, field, kind) if one.id == asked.id), None)
        return asked if told == asked else msgspec.structs.replace(asked, pending=True)

    async def _ids(self, call: Call, names: list[str]) -> list[str]:
        """The ids of assets that may be called by their names; what is not known here is left to the hub."""
        if not names or not call.query("site"):
            return names
        async with self._db.read() as connection:
            there = await assets(connection, member(call), call.query("site"), self._clock.now().at_us)
        ids, by_name = {one.id for one in there}, {one.name.casefold(): one.id for one in there}
        return sorted({name if name in ids else by_name.get(name.casefold(), name) for name in names})

    async def _ask(self, call: Call, do: str, what: str, request: dict[str, Any]) -> Place:
        """Have the site's hub do it. Raises what it says against it."""
        caller, rule = member(call), call.param("id")
        if not call.query("site"):
            raise NotFound(
                "These are rules of one site, and none is named.", hint="Name it: ?site=ID, or --site ID."
            )
        async with self._db.read() as connection:
            place = await find_site(connection, caller, call.query("site"))
        body, detail = {"do": do, "id": rule, **request}, {"what": what, "do": do, **request}
        await self._asking.ask(caller, place, "asset", body, audit=AUDIT, subject=rule, detail=detail)
        return place


def _of(rules: dict[str, AssetRules], field: str, kind: type[T]) -> list[T]:
    """What of the rules of sites is of this kind."""
    return [
        msgspec.convert({**msgspec.to_builtins(one), "site": site}, kind)
        for site, theirs in rules.items()
        for one in getattr(theirs, field)
    ]

"""/v1/stop-reasons, /v1/shifts, /v1/planned: what holds for all assets of the site."""

from __future__ import annotations

from edge.assets.defined.definitions import Assets
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Page, Route
from edge.wire.assets import PlannedView, ReasonView, SetPlanned, SetReason, SetShift, ShiftView


class RuleRoutes:
    """The routes of the site's rules."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    def all(self) -> list[Route]:
        """Every route."""
        viewer, tech, reason, shift, planned = Role.VIEWER, Role.TECHNICIAN, ReasonView, ShiftView, PlannedView
        of_reason, of_shift, of_planned = "/v1/stop-reasons/{id}", "/v1/shifts/{id}", "/v1/planned/{id}"
        reasons, plan = "The reasons that may be given to stops", "Say when machines need not run"
        fewer, again = "Have a shift no more", "Have planned time no more"
        set_reason = "Make a reason, call it otherwise, or retire it"
        return [
            Route("GET", "/v1/stop-reasons", self.reasons, reasons, viewer, returns=reason, many=True),
            Route("PUT", of_reason, self.set_reason, set_reason, tech, body=SetReason, returns=reason),
            Route("GET", "/v1/shifts", self.shifts, "The site's shifts", viewer, returns=shift, many=True),
            Route("PUT", of_shift, self.set_shift, "Make or change a shift", tech, body=SetShift, returns=shift),
            Route("DELETE", of_shift, self.remove_shift, fewer, tech),
            Route("GET", "/v1/planned", self.planned, "Planned time", viewer, returns=planned, many=True),
            Route("PUT", of_planned, self.set_planned, plan, tech, body=SetPlanned, returns=planned),
            Route("DELETE", of_planned, self.remove_planned, again, tech),
        ]

    async def reasons(self, call: Call) -> Answer:
        """GET /v1/stop-reasons."""
        return Page(self._assets.rules().reasons)

    async def set_reason(self, call: Call) -> Answer:
        """PUT /v1/stop-reasons/{id}."""
        wanted: SetReason = call.body
        return await self._assets.set_reason(call.param("id"), wanted, actor=call.actor)

    async def shifts(self, call: Call) -> Answer:
        """GET /v1/shifts."""
        return Page(self._assets.rules().shifts)

    async def set_shift(self, call: Call) -> Answer:
        """PUT /v1/shifts/{id}."""
        wanted: SetShift = call.body
        return await self._assets.set_shift(call.param("id"), wanted, actor=call.actor)

    async def remove_shift(self, call: Call) -> Answer:
        """DELETE /v1/shifts/{id}."""
        await self._assets.remove_shift(call.param("id"), actor=call.actor)
        return None

    async def planned(self, call: Call) -> Answer:
        """GET /v1/planned."""
        return Page(self._assets.rules().planned)

    async def set_planned(self, call: Call) -> Answer:
        """PUT /v1/planned/{id}."""
        wanted: SetPlanned = call.body
        return await self._assets.set_planned(call.param("id"), wanted, actor=call.actor)

    async def remove_planned(self, call: Call) -> Answer:
        """DELETE /v1/planned/{id}."""
        await self._assets.remove_planned(call.param("id"), actor=call.actor)
        return None

"""/v1/devices and /v1/claims: who is there, approved, renamed, forgotten, and who sits where."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from edge.clock import iso
from edge.devices.agents.agents import Agents
from edge.devices.agents.model import Claim, agent_key
from edge.devices.model import Device
from edge.devices.registry import Registry
from edge.devices.trust import Approvals
from edge.serving.roles import Role
from edge.serving.routing import Answer, Call, Created, Page, Route
from edge.wire.views import (
    AddDevice,
    AgentView,
    Approve,
    BindAgent,
    BindWorkstation,
    ChangeDevice,
    ClaimDevice,
    ClaimView,
    DeviceView,
    NewDevice,
)

View = Callable[[Device], DeviceView]


class DeviceRoutes:
    """The routes of this capability. `view` draws a device together from all who know of it."""

    def __init__(
        self,
        registry: Registry,
        agents: Agents,
        view: View,
        forget: Callable[[Device, str], Awaitable[None]],
    ) -> None:
        self._registry, self._agents, self._view = registry, agents, view
        self._forget = forget
        self._approvals = Approvals(registry)

    def all(self) -> list[Route]:
        """Every route."""
        tech, viewer, view = Role.TECHNICIAN, Role.VIEWER, DeviceView
        one, desk, place = "/v1/devices/{id}", "/v1/devices/{id}/agent", "/v1/devices/{id}/workstation"
        add = "Add a device; its token is shown this once"
        approve = "Let it be told to act; with the code it shows, its key is sure"
        anew = "Give it a new token, shown this once; the old one ends"
        forget = "Take its approval and names away"
        return [
            Route(
                "GET", "/v1/devices", self.every, "All devices, pending ones first", viewer, returns=view, many=True
            ),
            Route("POST", "/v1/devices", self.add, add, tech, body=AddDevice, returns=NewDevice, created=True),
            Route("GET", one, self.one, "One device, by id, MAC, alias or name", viewer, returns=view),
            Route("PATCH", one, self.change, "Rename it", tech, body=ChangeDevice, returns=view),
            Route("DELETE", one, self.forget, forget, tech),
            Route("POST", one + "/approve", self.approve, approve, tech, body=Approve, returns=view, bare=True),
            Route("POST", one + "/confirm", self.confirm, "Let it act again, its flash erased", tech, returns=view),
            Route("POST", one + "/token", self.token, anew, tech, returns=NewDevice),
            Route("POST", one + "/revoke", self.revoke, "Take its token and key away", tech, returns=view),
            Route("PUT", desk, self.seat, "Seat an agent at it", tech, body=BindAgent, returns=view),
            Route("DELETE", desk, self.unseat, "End the agent's session", tech),
            Route(
                "PUT", place, self.bind, "Say at which computer it stands", tech, body=BindWorkstation, returns=view
            ),
            Route(
                "DELETE", place, self.unbind, "Undo that; `computer_name` names it", tech, query=("computer_name",)
            ),
            Route("GET", "/v1/agents", self.seated, "Who sits where", viewer, returns=AgentView, many=True),
            Route(
                "GET",
                "/v1/claims",
                self.claims,
                "Agents who wait for a display",
                viewer,
                returns=ClaimView,
                many=True,
            ),
            Route(
                "POST",
                "/v1/claims/{agent}/approve",
                self.grant,
                "Give a waiting agent a display",
                tech,
                body=ClaimDevice,
                returns=view,
            ),
            Route("DELETE", "/v1/claims/{agent}", self.dismiss, "Let a claim go", tech),
        ]

    async def every(self, call: Call) -> Answer:
        """GET /v1/devices."""
        return Page([self._view(device) for device in self._registry.all()])

    async def add(self, call: Call) -> Answer:
        """POST /v1/devices."""
        wanted: AddDevice = call.body
        device, token = await self._registry.add(wanted.name, wanted.kind, wanted.profile, actor=call.actor)
        return Created(NewDevice(id=device.id, name=device.name, kind=device.kind, token=token))

    async def one(self, call: Call) -> Answer:
        """GET /v1/devices/{id}."""
        return self._view(self._device(call))

    async def change(self, call: Call) -> Answer:
        """PATCH /v1/devices/{id}."""
        wanted: ChangeDevice = call.body
        return self._view(await self._registry.rename(self._device(call), wanted.name, actor=call.actor))

    async def forget(self, call: Call) -> Answer:
        """DELETE /v1/devices/{id}."""
        await self._forget(self._device(call), call.actor)
        return None

    async def approve(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/approve."""
        how: Approve = call.body
        device = await self._approvals.approve(
            self._device(call), actor=call.actor, code=how.code, same_as=how.same_as
        )
        return self._view(device)

    async def confirm(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/confirm."""
        return self._view(await self._registry.confirm_epoch(self._device(call), actor=call.actor))

    async def token(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/token."""
        device, token = await self._registry.new_token(self._device(call), actor=call.actor)
        return NewDevice(id=device.id, name=device.name, kind=device.kind, token=token)

    async def revoke(self, call: Call) -> Answer:
        """POST /v1/devices/{id}/revoke."""
        return self._view(await self._registry.revoke_token(self._device(call), actor=call.actor))

    async def seat(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/agent."""
        wanted: BindAgent = call.body
        device = self._device(call)
        await self._agents.seat(agent_key(wanted.agent), wanted.name, device.id, actor=call.actor)
        return self._view(device)

    async def unseat(self, call: Call) -> Answer:
        """DELETE /v1/devices/{id}/agent."""
        await self._agents.end(self._device(call).id, actor=call.actor)
        return None

    async def bind(self, call: Call) -> Answer:
        """PUT /v1/devices/{id}/workstation."""
        wanted: BindWorkstation = call.body
        device = self._device(call)
        await self._agents.bind_workstation(device.id, wanted.computer_name, actor=call.actor)
        return self._view(device)

    async def unbind(self, call: Call) -> Answer:
        """DELETE /v1/devices/{id}/workstation?computer_name=; without a name, every one bound to it."""
        device, named = self._device(call), call.query("computer_name")
        for name in [named] if named else self._agents.workstations(device.id):
            await self._agents.unbind_workstation(device.id, name, actor=call.actor)
        return None

    async def seated(self, call: Call) -> Answer:
        """GET /v1/agents."""
        return Page(
            [
                AgentView(agent=s.agent, name=s.name, since=iso(s.started_us), how=s.how, device=s.device_id)
                for s in self._agents.sessions()
            ]
        )

    async def claims(self, call: Call) -> Answer:
        """GET /v1/claims."""
        return Page([_claim(claim) for claim in await self._agents.claims()])

    async def grant(self, call: Call) -> Answer:
        """POST /v1/claims/{agent}/approve."""
        wanted: ClaimDevice = call.body
        device = self._registry.get(wanted.device)
        await self._agents.approve_claim(call.param("agent"), device.id, actor=call.actor)
        return self._view(device)

    async def dismiss(self, call: Call) -> Answer:
        """DELETE /v1/claims/{agent}."""
        await self._agents.dismiss_claim(call.param("agent"), actor=call.actor)
        return None

    def _device(self, call: Call) -> Device:
        return self._registry.get(call.param("id"))


def _claim(claim: Claim) -> ClaimView:
    return ClaimView(
        agent=claim.agent,
        name=claim.name,
        device=claim.device_id,
        computer_name=claim.computer_name,
        why=claim.why,
        asked_at=iso(claim.asked_us),
        count=claim.count,
    )

"""One device, drawn together from all who know of it."""

from __future__ import annotations

from edge.clock import iso
from edge.commands.commands import Commands
from edge.commands.shown import Shown
from edge.content.codes.screens import Screens
from edge.devices.agents.agents import Agents
from edge.devices.model import Device, Trust
from edge.devices.presence import Presences
from edge.store.boots import Boots
from edge.wire.commands import State
from edge.wire.views import AgentView, DeviceView


class DeviceViews:
    """Builds DeviceViews. `links` names the link of each device that has one now."""

    def __init__(
        self,
        presences: Presences,
        agents: Agents,
        commands: Commands,
        shown: Shown,
        screens: Screens,
        links: dict[str, str],
        boots: Boots,
    ) -> None:
        self._presences, self._agents, self._commands = presences, agents, commands
        self._shown, self._screens, self._links, self._boots = shown, screens, links, boots

    def of(self, device: Device) -> DeviceView:
        """The device as it is now."""
        shown_today, shown_total = self._shown.of(device.id)
        presence = self._presences.of(device.id)
        age_s = self._presences.age_s(device)
        open_commands = self._commands.open_for(device.id)
        link = self._links.get(device.id, "")
        if not link and device.profile == "nic-client" and self._presences.online(device):
            link = "poll"
        return DeviceView(
            id=device.id,
            name=device.name,
            kind=device.kind,
            profile=device.profile,
            state=device.state.value,
            online=self._presences.online(device),
            link=link,
            evidence=presence.how if presence else "",
            evidence_at=iso(self._boots.of(presence.stamp)) if presence else None,
            evidence_age_s=round(age_s, 1) if age_s is not None else None,
            panel=device.panel,
            aliases=list(dict.fromkeys(alias for _, alias in device.aliases)),
            workstations=self._agents.workstations(device.id),
            agent=self._agent(device.id),
            screen=self._screens.of(device.id),
            queued=sum(command.state in (State.QUEUED, State.SENT) for command in open_commands),
            in_doubt=sum(command.state is State.IN_DOUBT for command in open_commands),
            shown_today=shown_today,
            shown_total=shown_total,
            facts={name: value for name, value in device.facts.items() if name != "code"},
            created_at=iso(device.created_us),
            approved_at=iso(device.approved_us) if device.approved_us else None,
            trust=device.trust.value,
            code_wanted=device.trust is Trust.PAIRED and bool(device.facts.get("code")),
            epoch_new=device.epoch_new,
            owner=device.owner,
        )

    def _agent(self, device_id: str) -> AgentView | None:
        session = self._agents.at(device_id)
        if session is None:
            return None
        return AgentView(
            agent=session.agent,
            name=session.name,
            since=iso(session.started_us),
            how=session.how,
            device=device_id,
        )

"""Bus events as live events: each thing that changed, as it is now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from edge.bus import Event
from edge.clock import Clock, iso
from edge.commands.events import CommandChanged
from edge.commands.views import command_view
from edge.content.codes.screens import ScreenChanged
from edge.devices.agents.events import AgentLeft, AgentSeated, ClaimMade, ClaimSettled, WorkstationBound
from edge.devices.log.log import DeviceSaid
from edge.devices.model import Device, DeviceState
from edge.devices.presence import DeviceChanged
from edge.devices.registry import Registry
from edge.links.events import PortChanged
from edge.store.boots import Boots
from edge.wire.views import DeviceView, LiveEvent, LogLine

ABOUT_A_DEVICE = (DeviceChanged, ScreenChanged, AgentSeated, AgentLeft, WorkstationBound)


class Translator:
    """Makes a LiveEvent of a bus event, None of those that are nobody's business outside."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        view: Callable[[Device], DeviceView],
        boots: Boots,
        others: Sequence[Callable[[Event], Awaitable[LiveEvent | None]]] = (),
    ) -> None:
        self._registry, self._clock, self._view, self._boots = registry, clock, view, boots
        self._others = others

    async def __call__(self, event: Event) -> LiveEvent | None:
        """The thing as it is now."""
        if isinstance(event, CommandChanged):
            view = command_view(event.command, self._clock.now(), self._boots)
            return LiveEvent(topic="command", data=msgspec.to_builtins(view))
        if isinstance(event, ABOUT_A_DEVICE):
            return self._device(event.device_id)
        if isinstance(event, DeviceSaid):
            line = LogLine(
                at=iso(event.at_us),
                level=event.level,
                text=event.text,
                device=event.device_id,
                direction=event.direction,
                channel=event.channel,
            )
            return LiveEvent(topic="log", data=msgspec.to_builtins(line))
        if isinstance(event, PortChanged):
            return LiveEvent(topic="port", data=msgspec.to_builtins(event.view))
        if isinstance(event, ClaimMade | ClaimSettled):
            return LiveEvent(topic="claim", data={"agent": event.agent})
        for translate in self._others:
            told = await translate(event)
            if told is not None:
                return told
        return None

    def _device(self, device_id: str) -> LiveEvent:
        device = self._registry.known(device_id)
        if device.state is DeviceState.FORGOTTEN:
            return LiveEvent(topic="device", data={"id": device_id, "state": device.state.value})
        return LiveEvent(topic="device", data=msgspec.to_builtins(self._view(device)))

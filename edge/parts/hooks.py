"""Outgoing webhooks, and the log of what went to and came from each device."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine

from edge import __version__
from edge.automation.hooks.hooks import HookChanged, Hooks
from edge.automation.hooks.routes import HookRoutes
from edge.automation.hooks.sender import Sender
from edge.automation.hooks.watch import Watch
from edge.bus import Event, Missed
from edge.commands.dispatch import CABLE
from edge.commands.model import Command
from edge.devices.log.routes import LogRoutes
from edge.devices.model import Device
from edge.devices.presence import DeviceChanged
from edge.errors import StorageError
from edge.outbound import Outbound, networks
from edge.parts.part import Core, Part
from edge.serving.metrics import Sample
from edge.serving.routing import Route
from edge.store.ledger import facts
from edge.telemetry.events import ReadingsArrived
from edge.wire.commands import State
from edge.wire.views import LiveEvent

RESULTS = {State.SUCCEEDED: "info", State.FAILED: "warning"}
TOLD_BY_DOOR = {"native": ("in", "out"), "vending": ("in",)}
"""What the HTTP doors of these devices put into the log themselves, in the words that were said there."""


class HooksPart(Part):
    """Built by the hub."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._log = core.device_log
        hub, bus, clock = core.store.hub, core.bus, core.clock
        outbound = Outbound(networks(core.settings.hooks.allow, "hooks.allow"))
        self.hooks = Hooks(hub, bus, clock, outbound, site=core.settings.site.name, names=self._name_of)
        self.sender = Sender(self.hooks, hub, outbound, bus, clock, user_agent=f"Outpost/{__version__}")
        self._watch = Watch(
            self.hooks,
            core.commands,
            clock,
            lambda after, limit: facts(hub, after, limit),
            lambda: hub.writer.facts,
        )
        core.commands.follow_with(self._note)

    def routes(self) -> list[Route]:
        """/v1/hooks, /v1/log, /v1/devices/{id}/log."""
        registry = self._core.registry
        return [
            *HookRoutes(self.hooks, lambda name: registry.get(name).id).all(),
            *LogRoutes(registry, self._log).all(),
        ]

    async def start(self) -> None:
        """Load the webhooks."""
        await self.hooks.start()

    def tasks(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        """Writing the log; watching for what webhooks want; sending it."""
        return {
            "communication-log": self._log.run,
            "hook-events": self._listen,
            "hook-watch": self._watch.run,
            "hook-sender": self.sender.run,
        }

    def samples(self) -> list[Sample]:
        """What the log and the webhooks count."""
        sent = {'{outcome="sent"}': float(self.sender.sent), '{outcome="failed"}': float(self.sender.failed)}
        return [
            Sample("device_polls_total", "counter", "Polls without anything new.", {"": self._log.polls}),
            Sample("device_log_shed_total", "counter", "Lines of the log left out.", {"": self._log.shed}),
            Sample("hook_attempts_total", "counter", "Messages sent to webhooks, by outcome.", sent),
        ]

    async def translate(self, event: Event) -> LiveEvent | None:
        """A webhook has changed, or something has happened to one of its messages."""
        if not isinstance(event, HookChanged):
            return None
        hook = self.hooks.find(event.hook_id)
        about = {"name": hook.name, "enabled": hook.enabled} if hook else {"gone": True}
        return LiveEvent(topic="hook", data={"id": event.hook_id, **about})

    async def forget(self, device: Device, actor: str) -> None:
        """Counting for it ends; its lines stay."""
        self._log.forget(device.id)
        self._watch.forget(device.id)

    async def stop(self) -> None:
        """Write the last lines and readings."""
        with contextlib.suppress(StorageError):
            await self._log.flush()
            await self._watch.send_readings()

    async def _listen(self) -> None:
        """Hand readings and presence on to the watch; runs until cancelled."""
        subscription = self._core.bus.subscribe(only=(ReadingsArrived, DeviceChanged, HookChanged))
        try:
            subscription.ignore(self._ignored())
            async for event in subscription:
                if isinstance(event, ReadingsArrived):
                    self._watch.reading(event.device_id, event.at_us, event.values)
                elif isinstance(event, DeviceChanged):
                    await self._seen(self._core.registry.known(event.device_id))
                elif isinstance(event, HookChanged):
                    subscription.ignore(self._ignored())
                elif isinstance(event, Missed):
                    self._watch.readings_left_out += event.count
                    for device in self._core.registry.all():
                        await self._seen(device)
        finally:
            subscription.close()

    def _ignored(self) -> tuple[type[Event], ...]:
        """Thousands of readings a second cost nothing here while no webhook wants them."""
        return () if self._watch.wants_readings else (ReadingsArrived,)

    async def _seen(self, device: Device) -> None:
        with contextlib.suppress(StorageError):
            await self._watch.presence(device.id, self._core.presences.online(device))

    def _name_of(self, device_id: str) -> str:
        device = self._core.registry.find(device_id)
        return device.name if device else ""

    def _note(self, command: Command) -> None:
        """A command handed out, or what became of it: its kind, id and number, never its arguments."""
        device = self._core.registry.known(command.device_id)
        carrier = self._core.commands.carrier(command)
        on_serial = (carrier or self._core.dispatcher.links.get(device.id, "")).startswith(CABLE)
        told = () if carrier and on_serial else TOLD_BY_DOOR.get(device.profile, ())
        channel = "serial" if on_serial else "http"
        name = f"{command.kind} {command.id} seq {command.seq}"
        reason = f": {command.reason}" if command.reason else ""
        if command.state is State.SENT and "out" not in told:
            self._log.exchange(device.id, "out", channel, f"{name}, attempt {command.attempts}")
        elif command.state is State.IN_DOUBT:
            self._log.exchange(device.id, "", "", f"{name} in doubt{reason}", level="warning")
        elif command.state in RESULTS and command.attempts and "in" not in told:
            said = f"{name} {command.state.value}{reason}"
            self._log.exchange(device.id, "in", channel, said, level=RESULTS[command.state])

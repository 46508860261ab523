"""A conversation on a port becomes a device: taken in, met, seen, served; and let go when the link is down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from edge.bus import Bus
from edge.commands.dispatch import CABLE, Dispatcher
from edge.commands.field_line import FieldLine, FieldSide
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device, Facts
from edge.devices.panels import panel_name
from edge.devices.presence import DeviceChanged, Presences
from edge.devices.registry import Registry
from edge.errors import OutpostError
from edge.links.conversation import Conversation, DeviceEvent, Telling
from edge.wire.cable import Fetch, Readings, Report, Shown, Told
from edge.wire.native import Log, State

log = logging.getLogger(__name__)

OPEN_PORT_S = 10.0  # an old display says nothing by itself: its open port is the evidence, renewed this often
OPEN_PORT = "its port is open"
ALIAS_SYSTEM = "serial"
FACTS_KEPT = ("fw", "build", "boot", "epoch", "name")

OnScreen = Callable[[str, str, str | None], None]


class Attachments:
    """Every device on a port now. `links` names the link of each; `on_screen` hears what a panel shows."""

    def __init__(
        self,
        registry: Registry,
        presences: Presences,
        dispatcher: Dispatcher,
        device_log: DeviceLog,
        bus: Bus,
        on_screen: OnScreen,
    ) -> None:
        self._registry, self._presences, self._dispatcher = registry, presences, dispatcher
        self._log, self._bus, self._on_screen = device_log, bus, on_screen
        self._devices: dict[Conversation, str] = {}
        self._side: FieldSide | None = None
        self._lines: dict[Conversation, tuple[FieldLine, asyncio.Task[None]]] = {}
        self._live: set[Conversation] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.links: dict[str, str] = {}

    def serve_field_with(self, side: FieldSide) -> None:
        """Let devices with our firmware have their readings taken, and hear what they shall be and run."""
        self._side = side

    def look(self, device_id: str) -> None:
        """Something about this device may have changed that it ought to hear."""
        for conversation, (line, _) in self._lines.items():
            if self._devices.get(conversation) == device_id:
                line.look()

    def up(self, conversation: Conversation) -> None:
        """A conversation has begun: its device is taken in and served."""
        self._live.add(conversation)
        self._start(self._attach(conversation))

    def down(self, conversation: Conversation, reason: str) -> None:
        """It has ended: the device is offline at once."""
        self._live.discard(conversation)
        device_id = self._devices.pop(conversation, None)
        if device_id is None:
            return
        self.links.pop(device_id, None)
        self._dispatcher.down(device_id, conversation)
        if conversation in self._lines:
            self._lines.pop(conversation)[1].cancel()
        if device_id in self._dispatcher.links:  # it is there over WiFi too
            self._bus.publish(DeviceChanged(device_id=device_id))
        else:
            self._presences.gone(device_id)
        self._start(self._log.add(device_id, "hub", f"link down: {reason}"))

    def again(self, device_id: str) -> None:
        """Take the device on a port in anew, as after unplugging it: it has been forgotten meanwhile."""
        for conversation, attached in list(self._devices.items()):
            if attached == device_id:
                self.down(conversation, "the device was forgotten")
                self.up(conversation)

    async def run(self) -> None:
        """Renew the evidence of devices that say nothing by themselves; runs until cancelled."""
        try:
            while True:
                await asyncio.sleep(OPEN_PORT_S)
                for device_id in self.links:
                    if self._registry.known(device_id).profile != "native":
                        self._presences.seen(device_id, OPEN_PORT)
        finally:
            for task in (*self._tasks, *(talk for _, talk in self._lines.values())):
                task.cancel()

    async def _attach(self, conversation: Conversation) -> None:
        try:
            device = await self._device(conversation)
        except OutpostError:
            log.exception("a device on a port could not be taken in", extra={"port": conversation.port_path})
            return
        if device is None:
            log.warning("a device on a port was turned away: too many are pending")
            return
        if conversation not in self._live:
            return  # unplugged while it was being taken in
        self._devices[conversation] = device.id
        link = f"{CABLE}{conversation.port_path} @{conversation.baud}"
        self.links[device.id] = link
        self._presences.seen(device.id, "handshake" if conversation.hello.get("answered", True) else OPEN_PORT)
        self._begin_talk(conversation, device)
        conversation.on_event = lambda event: self._hear(conversation, device.id, event)
        self._dispatcher.up(device.id, conversation, link)
        self._bus.publish(DeviceChanged(device_id=device.id))
        await self._log.add(device.id, "hub", f"link up: {link}")

    async def _device(self, conversation: Conversation) -> Device | None:
        hello = conversation.hello
        facts: Facts = {name: value for name, value in hello.items() if isinstance(value, str | int | float | bool)}
        device = await self._registry.take_in(
            ALIAS_SYSTEM,
            conversation.identity,
            conversation.profile.value,
            name=str(hello.get("name") or ""),
            kind=str(hello.get("kind") or "") if conversation.profile.value == "native" else "",
            facts={name: facts[name] for name in FACTS_KEPT if name in facts},
        )
        if device is None or conversation.profile.value != "native":
            return device
        device = await self._registry.met(
            device,
            epoch=str(hello["epoch"]),
            last_seq=int(hello["hwm"]),
            panel=panel_name(conversation.panel, str(hello["kind"])),
            kind=str(hello["kind"]),
        )
        if self._side is not None and isinstance(conversation, Telling) and conversation.running is not None:
            await self._side.updates.runs(device.id, conversation.running)
        return device

    def _begin_talk(self, conversation: Conversation, device: Device) -> None:
        if self._side is None or not isinstance(conversation, Telling):
            return
        running, display = conversation.running, device.kind == "display"
        if display and running is None and conversation.panel is None:
            return  # its firmware cannot be updated, and there is nothing else to say
        line = FieldLine(device.id, conversation, self._side, display=display, running=running)
        talk = asyncio.create_task(line.run(), name=f"field-line-{device.id}")
        talk.add_done_callback(self._done)
        self._lines[conversation] = line, talk

    def _hear(self, conversation: Conversation, device_id: str, event: DeviceEvent) -> None:
        if isinstance(event, Readings | Report | Fetch | Told | Shown):
            self._presences.seen(device_id, "its readings")
            if conversation in self._lines:
                self._lines[conversation][0].hear(event)
        elif isinstance(event, State):
            self._presences.seen(device_id, "its own report")
            if not event.screen:
                return
            shows = event.screen if event.screen in ("qr", "idle", "picture") else "unknown"
            if shows == "picture" and event.rotating:
                shows = "rotation"
            self._on_screen(device_id, shows, event.command if shows == "qr" else None)
        elif isinstance(event, Log):
            self._presences.seen(device_id, "its log")
            self._start(self._log.add(device_id, event.level, event.text))
        else:
            self._presences.seen(device_id, event.what)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("what a device said could not be kept", exc_info=task.exception())

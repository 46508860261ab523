"""A supervisor over one path, which displays are plugged into and pulled from by pointing a link at ptys."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Self

from edge.clock import SystemClock
from edge.compat.nic.display import NicDisplay
from edge.compat.vending.line import VendingLine
from edge.links.conversation import Conversation, DeviceEvent, Openers
from edge.links.native_conversation import NativeConversation
from edge.links.spec import PortSpec, Profile
from edge.links.supervisor import Supervisor
from edge.sim.nic_display import OldDisplay
from edge.sim.on_tty import OnTty
from edge.sim.vending_machine import OldMachine
from edge.wire.orders import Order
from edge.wire.views import PortView

OPENERS: Openers = {
    Profile.NATIVE: NativeConversation.open,
    Profile.VENDING: VendingLine.open,
    Profile.NIC_DISPLAY: NicDisplay.open,
}


def order(
    kind: str = "display_qr", blob: bytes = b"", *, ttl_s: float = 60.0, number: int = 1, **args: int
) -> Order:
    """An order as the queue hands it over."""
    return Order(id=f"c-{number}", seq=number, kind=kind, ttl_ms=int(ttl_s * 1000), args={**args}, blob=blob)


class Site:
    """`up` and `down` list what the hub was told; `now` is the present conversation."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "port"
        self.up: list[Conversation] = []
        self.down: list[str] = []
        self.views: list[PortView] = []
        self.events: list[DeviceEvent] = []
        self.now: Conversation | None = None
        self.fault: Exception | None = None  # raised when a device is told of
        self.supervisor: Supervisor
        self._task: asyncio.Task[None] | None = None
        self._plugged: list[OnTty[OldDisplay] | OnTty[OldMachine]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for plugged in self._plugged:
            plugged.unplug()

    def own(self, profile: Profile | None = None, baud: int | None = None, *, scan: bool = False) -> None:
        """Start the hub's side, told of the one path."""
        self._start([PortSpec(str(self.path), profile, baud)], scan=scan)

    def scan(self) -> None:
        """Start the hub's side, told nothing: it takes what appears in the folder under a USB port's name."""
        self._start([], scan=True)

    def _start(self, specs: list[PortSpec], *, scan: bool) -> None:
        self.supervisor = Supervisor(
            specs,
            openers=OPENERS,
            clock=SystemClock(),
            on_up=self._on_up,
            on_down=self._on_down,
            on_port=self.views.append,
            scan=scan,
            dev=self.path.parent,
        )
        self._task = asyncio.create_task(self.supervisor.run())

    async def plug(self, display: OldDisplay) -> OnTty[OldDisplay]:
        """Plug a display in: a new pty, and the link leads to it."""
        plugged, path = OnTty.on_pty(display)
        self._plugged.append(plugged)
        await plugged.__aenter__()
        self.lead_to(path)
        return plugged

    async def plug_machine(self, machine: OldMachine) -> OnTty[OldMachine]:
        """Plug an old vending machine in."""
        plugged, path = OnTty.on_pty(machine)
        self._plugged.append(plugged)
        await plugged.__aenter__()
        self.lead_to(path)
        return plugged

    def lead_to(self, path: Path) -> None:
        """Let the link lead to another tty."""
        new = self.path.with_suffix(".new")
        new.symlink_to(path)
        new.replace(self.path)

    @property
    def view(self) -> PortView:
        """The port as the hub tells of it."""
        return self.supervisor.views()[0]

    def is_in(self, state: str) -> bool:
        """Whether the hub tells this state of the port."""
        views = self.supervisor.views()
        return bool(views) and views[0].state == state

    def _on_up(self, conversation: Conversation) -> None:
        if self.fault is not None:
            raise self.fault
        conversation.on_event = self.events.append
        self.up.append(conversation)
        self.now = conversation

    def _on_down(self, conversation: Conversation, reason: str) -> None:
        assert conversation is self.now
        self.down.append(reason)
        self.now = None

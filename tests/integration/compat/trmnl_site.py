"""A hub with TRMNL terminals around it; time is moved by hand."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge.clock import ManualClock
from edge.devices.model import Device
from edge.devices.trust import Approvals
from edge.hub import Hub
from edge.serving.server import Listen, Server
from edge.settings import Hub as HubSettings
from edge.settings import Limits, Serial, Settings
from edge.sim.trmnl import Terminal
from edge.wire.content import DocumentKind
from tests.integration.compat.old_boards import PATIENT_S
from tests.integration.running_hub import until

LIMITS = Limits(authenticated_per_minute=1_000_000, anonymous_per_minute=1_000_000)


class Walls:
    """The hub, its address, and a technician."""

    def __init__(self, hub: Hub, clock: ManualClock, base: str) -> None:
        self.hub, self.clock, self.base = hub, clock, base

    def terminal(self, number: int = 2, **more: Any) -> Terminal:
        """A terminal out of its box, at an address of its own."""
        more.setdefault("mac", f"AA:BB:CC:00:00:{number:02X}")
        more.setdefault("server", self.base)
        more.setdefault("source", f"127.0.0.{number}")
        return Terminal(read_s=PATIENT_S, **more)

    def device(self, terminal: Terminal) -> Device:
        """The hub's device of a terminal, by the id on its panel."""
        [found] = [one for one in self.hub.registry.all() if one.facts.get("friendly_id") == terminal.friendly_id]
        return found

    async def approve(self, terminal: Terminal, same_as: str = "") -> Device:
        """A technician has compared the id."""
        return await Approvals(self.hub.registry).approve(self.device(terminal), actor="tess", same_as=same_as)

    async def on(self, number: int = 2, **more: Any) -> Terminal:
        """A terminal that is approved."""
        terminal = self.terminal(number, **more)
        await terminal.wake()
        await self.approve(terminal)
        return terminal

    async def publish(self, kind: str, name: str, body: dict[str, Any]) -> None:
        """A person saves and publishes a document."""
        await publish(self.hub, kind, name, body)

    async def shows(self, terminal: Terminal, text: str, *, refresh_s: int = 600) -> None:
        """A person schedules a screen with this text on a terminal."""
        device = self.device(terminal)
        name = f"of-{device.id.lower()}"
        await self.publish("layout", name, words(text))
        schedule = {"devices": [device.id], "rules": [{"layout": name}], "refresh_s": refresh_s}
        await self.publish("schedule", name, schedule)

    def receipt(self, terminal: Terminal) -> tuple[str, str]:
        """The picture that is known to be on its panel, and by which evidence."""
        return receipt(self.hub, self.device(terminal))

    async def shown(self, terminal: Terminal, evidence: str) -> str:
        """The picture that is known to be on its panel by this evidence, once it is: its last byte is told after it
        has come."""

        async def is_known() -> bool:
            return self.receipt(terminal)[1] == evidence

        await until(is_known)
        return self.receipt(terminal)[0]


def words(text: str) -> dict[str, Any]:
    """A layout with one text."""
    return {"elements": [{"kind": "text", "box": {"x": 5, "y": 5, "w": 90, "h": 90}, "text": text}]}


async def publish(hub: Hub, kind: str, name: str, body: dict[str, Any]) -> None:
    """A person saves and publishes a document."""
    documents, of = hub.panels.documents, DocumentKind(kind)
    known = documents.find(of, name)
    kept = await documents.save(of, name, body, known.standing.revision if known else 0, "", actor="tess")
    await documents.publish(of, name, revision=kept.standing.revision, actor="tess")
    hub.panels.showing.changed()  # as the task does that follows what is published


def receipt(hub: Hub, device: Device) -> tuple[str, str]:
    """The picture that is known to be on a device's panel, and by which evidence."""
    found = hub.panels.shown.receipts.of(device.id)
    return (found.picture, found.evidence) if found is not None else ("", "")


@contextlib.asynccontextmanager
async def walls_at(folder: Path, clock: ManualClock, **more: Any) -> AsyncIterator[Walls]:
    """A hub over `folder`. `more`: sections of its settings."""
    hub = Hub(
        folder, Settings(**{"hub": HubSettings(), "serial": Serial(scan=False), "limits": LIMITS, **more}), clock
    )
    async with hub.opened():
        server = Server(hub.app)
        [listen] = await server.start([Listen("127.0.0.1", 0, tls=False)], None, folder / "hub.sock")
        try:
            yield Walls(hub, clock, listen.url.rstrip("/"))
        finally:
            await server.stop()
            for part in reversed(hub.parts):
                await part.stop()

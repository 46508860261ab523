"""A conversation becomes a device, is served, and is let go the moment its link is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.commands.attach import Attachments
from edge.devices.log.log import DeviceLog
from edge.devices.model import Device
from edge.devices.presence import Presences
from edge.errors import StorageError
from edge.links.conversation import DeviceEvent, Heard
from edge.links.spec import Profile
from edge.wire import cable, field
from edge.wire.cable import ToDevice
from edge.wire.commands import State as CommandState
from edge.wire.native import Log, Panel, Running, State
from tests.fakes.panels import FakePanels
from tests.unit.commands.offered import Offered
from tests.unit.commands.queue_site import DEADLINE_S, QueueSite, Scripted, dispatching, queue_site

CHIP = "A4CF12000001"


class Live(Scripted):
    """A live conversation of a native or an old display."""

    baud = 115200

    def __init__(self, profile: Profile = Profile.NATIVE, identity: str = CHIP, **hello: Any) -> None:
        super().__init__()
        self.profile, self.identity, self.port_path = profile, identity, "/dev/ttyUSB0"
        self.hello: Mapping[str, Any] = {
            "epoch": "e1",
            "hwm": 7,
            "fw": "1.0",
            "kind": "display",
            "name": "Till",
            **hello,
        }
        self.panel = Panel(width=320, height=480, format="1bpp-zlib") if profile is Profile.NATIVE else None
        self.on_event = self._nobody

    def _nobody(self, event: DeviceEvent) -> None:
        """Nobody listens yet."""

    async def wait_closed(self) -> str:
        """Never ends by itself."""
        return await asyncio.Future()

    async def close(self) -> None:
        """Nothing to close."""


class Attached:
    """Attachments over a queue site."""

    def __init__(self, site: QueueSite, attachments: Attachments, presences: Presences, log: DeviceLog) -> None:
        self.site, self.attachments, self.presences, self.log = site, attachments, presences, log
        self.shown: list[tuple[str, str, str | None]] = []

    async def device(self, identity: str = CHIP) -> Device:
        """Wait until the device is served."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                device = self.site.registry.by_alias("serial", identity)
                if device is not None and device.id in self.attachments.links:
                    return device
                await self.settled()

    async def last_line(self, device: Device) -> str:
        """The newest line of its log."""
        lines, _ = await self.log.search(device_id=device.id, limit=1)
        return lines[0].text

    async def settled(self) -> None:
        """Wait for all that the attachments have begun."""
        while self.attachments._tasks:
            await asyncio.gather(*self.attachments._tasks, return_exceptions=True)


@asynccontextmanager
async def attached(folder: Path) -> AsyncIterator[Attached]:
    """Attachments with a dispatcher running."""
    async with queue_site(folder) as site, dispatching(site) as dispatcher:
        presences, log = (
            Presences(site.store.hub, site.bus, site.clock),
            DeviceLog(site.store.readings, site.bus, site.clock),
        )
        attachments = Attachments(
            site.registry, presences, dispatcher, log, site.bus, lambda *what: made.shown.append(what)
        )
        made = Attached(site, attachments, presences, log)
        yield made
        await made.settled()


async def test_a_native_device_is_taken_in_with_what_it_said(tmp_path: Path) -> None:
    async with attached(tmp_path) as hub:
        hub.attachments.up(Live())
        device = await hub.device()
        assert (device.id, device.name, device.approved) == (CHIP, "Till", False)
        assert (device.epoch, device.last_seq, device.panel) == ("e1", 7, "tft-320x480")
        assert hub.presences.online(device)
        assert hub.attachments.links == {CHIP: "serial /dev/ttyUSB0 @115200"}


async def test_numbers_go_on_behind_the_devices_own(tmp_path: Path) -> None:
    async with attached(tmp_path) as hub:
        line = Live()
        hub.attachments.up(line)
        device = await hub.site.registry.approve(await hub.device(), actor="tess")
        command = await hub.site.qr(device)
        await hub.site.ends_as(command, CommandState.SUCCEEDED)
        assert [order.seq for order in line.orders] == [8]


async def test_a_link_that_is_down_is_down_at_once(tmp_path: Path) -> None:
    async with attached(tmp_path) as hub:
        line = Live()
        hub.attachments.up(line)
        device = await hub.device()
        hub.attachments.down(line, "unplugged")
        assert not hub.presences.online(device)
        assert hub.attachments.links == {}
        await hub.settled()
        assert await hub.last_line(device) == "link down: unplugged"


async def test_unplugged_while_it_is_taken_in_it_is_not_served(tmp_path: Path) -> None:
    async with attached(tmp_path) as hub:
        line = Live()
        hub.attachments.up(line)
        hub.attachments.down(line, "unplugged")
        await hub.settled()
        assert hub.attachments.links == {}


async def test_the_same_board_under_another_name_is_the_same_device(tmp_path: Path) -> None:
    async with attached(tmp_path) as hub:
        first, second = Live(), Live(hwm=9)
        second.port_path = "/dev/ttyUSB7"
        hub.attachments.up(first)
        before = await hub.device()
        hub.attachments.down(first, "unplugged")
        hub.attachments.up(second)
        after = await hub.device()
        assert (after.id, after.last_seq) == (before.id, 9)
        assert len(hub.site.registry.all()) == 1


async def test_what_a_device_says_is_a_sign_of_life(tmp_path: Path) -> None:
    async with attached(tmp_path) as hub:
        line = Live(Profile.NIC_DISPLAY, "port-dev-ttyUSB0")
        hub.attachments.up(line)
        device = await hub.device("port-dev-ttyUSB0")
        for event in (Heard("an answer"), Log(level="info", text="a\x1b[31mb")):
            hub.site.clock.advance(60.0)
            assert not hub.presences.online(device)
            line.on_event(event)
            assert hub.presences.online(device)
        await hub.settled()
        assert await hub.last_line(device) == "a\\x1b[31mb"


async def test_a_device_that_cannot_be_kept_is_reported_and_the_next_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with attached(tmp_path) as hub:

        async def failing(*_: Any, **__: Any) -> Device:
            raise StorageError("full")

        with monkeypatch.context() as patched:
            patched.setattr(hub.site.registry, "take_in", failing)
            hub.attachments.up(Live())
            await hub.settled()
        assert "could not be taken in" in caplog.text
        hub.attachments.up(Live())
        assert (await hub.device()).id == CHIP


@pytest.mark.parametrize(
    ("screen", "rotating", "shows", "command"),
    [
        ("qr", False, "qr", "cmd_1"),
        ("picture", True, "rotation", None),
        ("picture", False, "picture", None),
        ("idle", True, "idle", None),
        ("something new", True, "unknown", None),
    ],
)
async def test_the_screen_is_what_the_device_says(
    tmp_path: Path, screen: str, rotating: bool, shows: str, command: str | None
) -> None:
    async with attached(tmp_path) as hub:
        line = Live()
        hub.attachments.up(line)
        await hub.device()
        line.on_event(State(screen=screen, rotating=rotating, command="cmd_1", shown_ms=0))
        assert hub.shown == [(CHIP, shows, command)]


class Telling(Live):
    """A board without a screen, to which more than commands can be said."""

    def __init__(self) -> None:
        super().__init__(kind="sensor")
        self.panel, self.running = None, Running(version="20261121.000000")
        self.told: asyncio.Queue[ToDevice] = asyncio.Queue()

    async def tell(self, message: ToDevice, blob: bytes = b"") -> None:
        """Keep it."""
        await self.told.put(message)


class FieldSide:
    """The hub's side of what such a board says."""

    def __init__(self) -> None:
        self.updates, self.panels = Offered(), FakePanels()
        self.batches: list[tuple[str, field.Readings]] = []

    async def welcome(self, device_id: str) -> cable.Welcome:
        """Approved."""
        return cable.Welcome(approved=True, now_us=1, quality="ntp", next=0)

    async def readings(self, device_id: str, batch: field.Readings) -> field.Taken:
        """All of it."""
        self.batches.append((device_id, batch))
        return field.Taken(next=batch.first + len(batch.records))

    async def report(self, device_id: str, report: field.Report) -> None:
        """Nothing."""

    def desired(self, device_id: str) -> field.Desired | None:
        """Nothing."""
        return None


async def test_a_sensor_on_a_cable_alone_has_its_readings_taken(tmp_path: Path) -> None:
    async with attached(tmp_path) as hub:
        side, line = FieldSide(), Telling()
        hub.attachments.serve_field_with(side)
        hub.attachments.up(line)
        device = await hub.device()
        assert (device.kind, device.panel) == ("sensor", "")
        async with asyncio.timeout(DEADLINE_S):
            assert isinstance(await line.told.get(), cable.Welcome)
            batch = cable.Readings(epoch="e1", first=0, boot=1, uptime_ms=1, records=[(1, 1, 0, {"t": 21.5})])
            line.on_event(batch)
            assert await line.told.get() == cable.Taken(next=1)
        assert side.batches == [(CHIP, batch)]
        assert side.updates.running == [line.running]
        line.on_event(State(heap_free=80_000))
        assert hub.shown == []
        hub.attachments.down(line, "unplugged")
        line.on_event(batch)
        await hub.settled()
        assert len(side.batches) == 1


async def test_a_board_that_is_there_over_wifi_too_stays_online_when_it_is_unplugged(tmp_path: Path) -> None:
    async with attached(tmp_path) as hub:
        line = Live()
        hub.attachments.up(line)
        device = await hub.device()
        hub.attachments._dispatcher.up(device.id, Scripted(), "wifi 10.0.0.9")
        hub.attachments.down(line, "unplugged")
        assert hub.presences.online(device)

"""The old display on a port of the hub, from plugging it in to the picture on its screen."""

from __future__ import annotations

import time

import pytest

from edge.links.spec import Profile
from edge.sim.nic_display import OldDisplay
from edge.sim.on_tty import OnTty
from edge.sim.uart import UartLine
from edge.wire.native import State
from edge.wire.orders import Verdict
from tests.integration.serial.site import order

PICTURE = bytes(i * 7 % 256 for i in range(2600))  # two whole parts and a rest, every byte value in it
OLD_RX_BYTES = 2048  # the old firmware's receive buffer: a chunk and more


async def test_it_is_found_without_being_named(site, until):
    await site.plug(OldDisplay())
    site.own()
    await until(lambda: site.now)
    assert site.now.profile == Profile.NIC_DISPLAY
    assert site.view.state == "online"
    assert site.view.device == site.now.identity == f"port-{str(site.path).strip('/').replace('/', '-')}"
    assert site.now.hello == {"kind": "display", "answered": True, "free_kb": 1240.0}


async def test_its_rate_is_found_too(site, until):
    """On a line that turns everything at another rate into noise, as a real one does."""
    display = OldDisplay()
    async with (
        UartLine(baud=9600, rx_bytes=OLD_RX_BYTES) as line,
        OnTty.on_tty(display, line.device_tty, baud=9600),
    ):
        site.lead_to(line.host_tty)
        site.own()
        await until(lambda: site.now)
        assert (site.now.profile, site.now.baud) == (Profile.NIC_DISPLAY, 9600)
        assert (await site.now.deliver(order(blob=b"picture"))).verdict is Verdict.DONE
        assert display.shown == b"picture"


async def test_a_picture_arrives_byte_for_byte_and_stays(site, until):
    display = OldDisplay()
    await site.plug(display)
    site.own(Profile.NIC_DISPLAY, 9600)
    await until(lambda: site.now)
    outcome = await site.now.deliver(order(blob=PICTURE))
    assert outcome.verdict is Verdict.DONE, outcome.reason
    await until(lambda: not display.rotating)
    assert display.shown == PICTURE
    assert display.heard_lines[-2:] == [f"sending**1.jpeg**{len(PICTURE)}**1024", "stoprotation"]
    assert [event.screen for event in site.events if isinstance(event, State)] == ["qr"]
    outcome = await site.now.deliver(order("start_rotation", number=2))
    assert outcome.verdict is Verdict.DONE
    assert display.rotating


@pytest.mark.parametrize("baud", [9600, 115200])
async def test_a_picture_at_the_lines_own_pace(site, until, baud):
    display = OldDisplay()
    async with (
        UartLine(baud=baud, rx_bytes=OLD_RX_BYTES) as line,
        OnTty.on_tty(display, line.device_tty, baud=baud),
    ):
        site.lead_to(line.host_tty)
        site.own(Profile.NIC_DISPLAY, baud)
        await until(lambda: site.now)
        began, sent = time.monotonic(), line.to_device.sent_bytes
        outcome = await site.now.deliver(order(blob=PICTURE))
        took_s = time.monotonic() - began
        assert outcome.verdict is Verdict.DONE, outcome.reason
        assert display.shown == PICTURE
        sent = line.to_device.sent_bytes - sent
        print(f"{baud} baud: {len(PICTURE)} bytes of picture, {sent} on the line, {took_s:.2f} s")
        assert sent < 1.1 * len(PICTURE)
        assert line.to_device.dropped_bytes == 0

"""A board with our firmware on a port of the hub: found by asking, known by its chip wherever it is plugged in."""

from __future__ import annotations

import asyncio
import contextlib

from edge.links.spec import Profile
from edge.sim.uart import UartLine
from edge.wire.orders import Verdict
from tests.firmware.board import Board
from tests.integration.serial.site import order
from tests.patience import AT_ONCE_S

CHIP = "A0B1C2D3E4F5"


async def test_it_is_the_same_device_again_on_another_port(site, until, tmp_path):
    site.scan()
    async with UartLine() as line, booted(tmp_path, line):
        (tmp_path / "ttyUSB0").symlink_to(line.host_tty)
        await until(lambda: site.now)
        assert (site.now.profile, site.now.identity) == (Profile.NATIVE, CHIP)
        assert site.now.hello["kind"] == "display"
        assert (site.now.panel.width, site.now.panel.height) == (320, 480)
        assert site.view.path == site.now.port_path == str(tmp_path / "ttyUSB0")
        assert (await site.now.deliver(order("stop_rotation"))).verdict is Verdict.DONE
        line.close()
        async with asyncio.timeout(AT_ONCE_S):
            await until(lambda: site.down)
        (tmp_path / "ttyUSB0").unlink()
        await until(lambda: not site.supervisor.views())
    async with UartLine() as line, booted(tmp_path, line):
        (tmp_path / "ttyUSB1").symlink_to(line.host_tty)
        await until(lambda: site.now)
        assert site.now.identity == CHIP
        assert site.view.path == str(tmp_path / "ttyUSB1")


async def test_a_pinned_baud_is_kept_and_a_free_one_raised(site, until, tmp_path):
    async with UartLine() as line, booted(tmp_path, line):
        site.lead_to(line.host_tty)
        site.own(Profile.NATIVE, 115200)
        await until(lambda: site.now)
        assert site.now.baud == 115200


@contextlib.asynccontextmanager
async def booted(tmp_path, line):
    board = Board(tmp_path, line)
    await board.boot()
    try:
        yield board
    finally:
        await board.cut_power()

"""A port is lent for a while, and comes back whatever happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from edge.errors import Busy, LinkError
from edge.links.serial_port import SerialPort
from edge.links.spec import Profile
from edge.sim.nic_display import OldDisplay
from tests.integration.serial.site import Site

Until = Callable[..., Awaitable[None]]
WORK = "a board is being given its WiFi"


async def test_a_lent_port_comes_back(site: Site, until: Until) -> None:
    await site.plug(OldDisplay())
    site.own(Profile.NIC_DISPLAY, 115_200)
    await until(lambda: site.is_in("online"))
    path = str(site.path)
    async with site.supervisor.lent(path, WORK) as spec:
        assert (site.view.owner, site.view.detail, spec.path) == ("lent", WORK, path)
        assert site.now is None
        port = await SerialPort.open(path, baud=115_200)  # it is free, at once
        await port.close()
        for work in (site.supervisor.release, site.supervisor.own, site.supervisor.reset):
            with pytest.raises(Busy, match="WiFi"):
                await work(path)
        with pytest.raises(Busy):
            async with site.supervisor.lent(path, "flashing"):
                pass
        assert site.supervisor.failures() == []  # it is somebody's will
    await until(lambda: site.is_in("online"))

    with pytest.raises(LinkError):
        async with site.supervisor.lent(path, WORK):
            raise LinkError("the board went away")
    await until(lambda: site.is_in("online"))

    await site.supervisor.release(path)
    async with site.supervisor.lent(path, WORK):
        pass
    assert (site.view.owner, site.view.state) == ("ignored", "failed")  # given up before, and still

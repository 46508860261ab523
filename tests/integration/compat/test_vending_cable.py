"""An old vending machine on the hub's cable, and one on cable and WiFi at once: still one turn for an order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge.devices.model import DeviceState
from edge.settings import Serial
from edge.sim.on_tty import OnTty
from edge.sim.vending_machine import Faults, OldMachine
from edge.sim.vending_wifi import WifiMachine
from tests.integration.compat.old_vending import MAC, OPEN, PACE, Shop, shop_in
from tests.integration.running_hub import until


class Cable:
    """A hub with one port, and a machine on it."""

    def __init__(self, shop: Shop, machine: OldMachine, plugged: OnTty[OldMachine], path: Path) -> None:
        self.shop, self.machine, self.plugged, self.path = shop, machine, plugged, path

    async def met(self) -> str:
        """Wait until the hub has met it; its device's id."""

        async def so() -> bool:
            return bool(self.shop.hub.attachments.links)

        await until(so)
        [device_id] = self.shop.hub.attachments.links
        return device_id

    async def approved(self) -> str:
        """Met, and approved by itself."""
        device_id = await self.met()
        await self.shop.hub.registry.approve(self.shop.hub.registry.known(device_id), actor="tess")
        return device_id


@pytest.fixture
async def cable(tmp_path: Path) -> AsyncIterator[Cable]:
    machine = OldMachine(MAC)
    plugged, tty = OnTty.on_pty(machine)
    path = tmp_path / "port"
    path.symlink_to(tty)
    settings = msgspec.structs.replace(OPEN, serial=Serial(scan=False, ports=(f"{path}=vending",)))
    async with plugged, shop_in(tmp_path / "hub", settings) as shop:
        owning = asyncio.create_task(shop.hub.ports.run())
        try:
            yield Cable(shop, machine, plugged, path)
        finally:
            owning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await owning


async def joined(cable: Cable, wifi: WifiMachine) -> str:
    """The machine on WiFi approved first, then its cable joined to it, as a technician does."""
    shop = cable.shop
    shop.switch_on(wifi)
    await shop.seen()
    await shop.approve()
    known = shop.device()
    pending = await cable.met()

    async def offered() -> bool:
        return shop.hub.registry.known(pending).facts.get("same_board_as") == known.id

    await until(offered)
    answer = await shop.running.ask("POST", f"/v1/devices/{pending}/approve", {"same_as": known.id})
    assert answer.status == 200, answer.body

    async def moved() -> bool:
        return list(shop.hub.attachments.links) == [known.id]

    await until(moved)
    assert shop.hub.registry.known(pending).state is DeviceState.FORGOTTEN
    return known.id


async def test_the_page_vends_over_the_cable(cable: Cable) -> None:
    device_id = await cable.approved()
    shop = cable.shop
    assert device_id == MAC
    answer = await shop.vend(3)
    assert (answer.status, answer.body["communication"]) == (200, "serial")
    assert answer.body["device_port"] == str(cable.path)
    await shop.stands("succeeded")
    assert cable.machine.turns == {3: 1}
    status = (await shop.page("GET", "/esp32/serial/status")).body
    assert (status["connected"], status["port"]) == (True, str(cable.path))
    assert (await shop.page("GET", "/esp32/communication/mode")).body["current_mode"] == "serial"
    [port] = (await shop.page("GET", "/esp32/serial/scan")).body["ports"]
    assert (port["port"], port["is_esp32"]) == (str(cable.path), True)


async def test_a_pending_machine_on_the_cable_vends_nothing(cable: Cable) -> None:
    await cable.met()
    assert (await cable.shop.vend(3)).status == 503
    assert (await cable.shop.vend(3, device_id=MAC)).status == 409
    assert not cable.machine.turns


async def test_disconnect_gives_the_port_up_and_connect_takes_it_again(cable: Cable) -> None:
    await cable.approved()
    shop = cable.shop
    assert (await shop.page("POST", "/esp32/serial/connect", {"port": "/dev/ttyNone"})).status == 400
    assert (await shop.page("POST", "/esp32/serial/disconnect")).body["status"] == "disconnected"
    assert (await shop.vend(3)).status == 503
    assert (await shop.page("GET", "/esp32/serial/status")).body["connected"] is False
    assert (await shop.page("POST", "/esp32/serial/disconnect")).status == 400
    assert (await shop.page("POST", "/esp32/serial/connect", {"port": str(cable.path)})).status == 200
    await cable.met()
    assert (await shop.vend(3)).status == 200
    await shop.stands("succeeded")


async def test_one_bad_byte_ends_nothing_and_a_reset_in_mid_vend_is_in_doubt(cable: Cable) -> None:
    await cable.approved()
    shop = cable.shop
    cable.plugged.say(b"\xff\xfe\xc3\x28")
    await shop.vend(1)
    await shop.stands("succeeded")
    cable.machine.faults.resets_in_vend = True
    await shop.vend(2)
    await shop.stands("succeeded", "in_doubt")
    cable.machine.faults.resets_in_vend = False
    await cable.met()

    async def vends_again() -> bool:
        return (await shop.vend(4)).status == 200

    await until(vends_again)
    await shop.stands("succeeded", "in_doubt", "succeeded")
    assert cable.machine.turns == {1: 1, 2: 1, 4: 1}


async def test_cable_and_wifi_of_one_machine_share_its_orders_and_each_is_done_once(cable: Cable) -> None:
    wifi = WifiMachine(cable.shop.url, MAC, pace=PACE)
    await joined(cable, wifi)
    shop = cable.shop
    for count in range(1, 5):
        assert (await shop.vend(3)).status == 200
        await shop.stands(*["succeeded"] * count)
    await shop.polls(wifi)
    assert wifi.turns[3] + cable.machine.turns[3] == 4


async def test_only_a_pending_machine_is_joined_to_an_approved_one(cable: Cable) -> None:
    shop = cable.shop
    pending = await cable.met()
    shop.switch_on(WifiMachine(shop.url, MAC, pace=PACE))
    await shop.seen()
    path, known = f"/v1/devices/{pending}/approve", shop.device()
    assert (await shop.running.ask("POST", path, {"same_as": known.id})).status == 409  # it waits itself
    await shop.approve()
    await cable.approved()
    assert (await shop.running.ask("POST", path, {"same_as": known.id})).status == 409
    assert shop.device().id == known.id != pending


async def test_what_the_cable_may_have_done_never_goes_over_wifi_too(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.compat.vending.serial.VEND_S", 0.3)
    wifi = WifiMachine(cable.shop.url, MAC, pace=0.5)
    await joined(cable, wifi)
    cable.machine.faults = Faults(mute=True)
    polled = wifi.polls

    async def just_polled() -> bool:
        return wifi.polls > polled

    await until(just_polled)  # the next one is a second away: the cable is first
    await cable.shop.vend(3)
    await cable.shop.stands("in_doubt")
    await cable.shop.polls(wifi, 2)
    assert (wifi.turns, cable.machine.turns) == ({}, {3: 1})
    assert (await cable.shop.vend(3)).status == 409


async def test_what_certainly_never_left_over_the_cable_goes_over_wifi(cable: Cable) -> None:
    wifi = WifiMachine(cable.shop.url, MAC, pace=PACE)
    await joined(cable, wifi)
    cable.plugged.unplug()
    await cable.shop.polls(wifi)
    assert (await cable.shop.vend(3)).status == 200
    await cable.shop.stands("succeeded")
    assert (wifi.turns, cable.machine.turns) == ({3: 1}, {})


async def test_a_confirmation_over_wifi_does_not_settle_what_the_cable_has_under_way(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.compat.vending.serial.VEND_S", 0.6)
    wifi = WifiMachine(cable.shop.url, MAC, pace=5.0)
    await joined(cable, wifi)
    cable.machine.faults = Faults(mute=True)
    await cable.shop.vend(3)

    async def under_way() -> bool:
        return await cable.shop.states() == ["sent"]

    await until(under_way)
    await wifi._confirm(3, success=True, message="of something else")
    assert await cable.shop.states() == ["sent"]
    await cable.shop.stands("in_doubt")

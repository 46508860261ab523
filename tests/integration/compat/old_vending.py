"""A hub with old vending machines on its network, each polling in a task of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec

from edge.devices.model import Device
from edge.settings import Settings, Vending
from edge.sim.vending_wifi import Faults, WifiMachine
from tests.integration.running_hub import QUIET, Answer, RunningHub, started, until

MAC, OTHER_MAC = "6CC8404FE03C", "A0B765AA0102"
PACE = 0.02  # a poll each 40 ms, a motor's turn of 20 ms
COLONS = "6C:C8:40:4F:E0:3C"
REGISTER = {"device_id": f"ESP32_{MAC}", "ip_address": "192.168.1.50", "status": "online", "slots_available": 5}
OPEN = msgspec.structs.replace(QUIET, vending=Vending(pages=("127.0.0.0/8",)))


class Shop:
    """The hub, its machines and the old page."""

    def __init__(self, running: RunningHub) -> None:
        self.running, self.hub, self.url = running, running.hub, running.url
        self._tasks: set[asyncio.Task[None]] = set()

    def switch_on(self, machine: WifiMachine) -> asyncio.Task[None]:
        """Give a machine power; cancelling the task takes it away."""
        task = asyncio.create_task(machine.run())
        self._tasks.add(task)
        return task

    async def machine(
        self, mac: str = MAC, *, approved: bool = True, faults: Faults | None = None, source: str = ""
    ) -> WifiMachine:
        """A machine that polls, seen by the hub."""
        machine = WifiMachine(self.url, mac, faults=faults, pace=PACE, source=source)
        self.switch_on(machine)
        await self.seen(mac)
        if approved:
            await self.approve(mac)
        return machine

    async def seen(self, mac: str = MAC) -> None:
        """Wait until the hub has taken the machine in."""

        async def known() -> bool:
            return self.hub.registry.by_alias("vending", mac) is not None

        await until(known)

    async def approve(self, mac: str = MAC) -> None:
        """As a technician does."""
        await self.hub.registry.approve(self.device(mac), actor="tess")

    def device(self, mac: str = MAC) -> Device:
        """The hub's device of a machine."""
        device = self.hub.registry.by_alias("vending", mac)
        assert device is not None
        return device

    async def page(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        """A request of the old page: no key, and a JSON content type even without a body."""
        headers.setdefault("Content_Type", "application/json")
        return await self.running.ask(method, path, json, key="", **headers)

    async def vend(self, slot: int | str, **body: Any) -> Answer:
        """The page's button."""
        return await self.page("POST", f"/vend/{slot}", body or None)

    async def states(self) -> list[str]:
        """How every vend stands, oldest first."""
        return [vend.state.value for vend in reversed(await self.hub.vending.inventory.vends(limit=100))]

    async def stands(self, *wanted: str) -> None:
        """Wait until the vends stand like this."""

        async def so() -> bool:
            return await self.states() == list(wanted)

        await until(so)

    async def polls(self, machine: WifiMachine, more: int = 4) -> None:
        """Let a machine poll a few times more."""
        enough = machine.polls + more

        async def so() -> bool:
            return machine.polls >= enough

        await until(so)

    async def log(self, mac: str = MAC) -> list[str]:
        """What the hub has written of a machine, newest first."""
        lines, _ = await self.hub.device_log.search(device_id=self.device(mac).id, limit=50)
        return [line.text for line in lines]

    async def switch_off(self) -> None:
        """Take all power away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def shop_in(folder: Path, settings: Settings = OPEN) -> AsyncIterator[Shop]:
    """A hub over `folder`, with nobody's machines yet."""
    async with started(folder, settings) as running:
        shop = Shop(running)
        try:
            yield shop
        finally:
            await shop.switch_off()


def confirmation(slot: int = 3, *, success: bool = True) -> dict[str, object]:
    """What the machine posts when it has vended."""
    return {
        "device_id": COLONS,
        "slot": slot,
        "success": success,
        "message": "Item dispensed successfully",
        "timestamp": 81234,
    }


async def by_hand(shop: Shop) -> None:
    """A machine that is approved and does what the test does."""
    assert (await shop.page("POST", "/esp32/register", REGISTER)).status == 200
    await shop.approve()
    assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body is None


async def fetched(shop: Shop, slot: int = 3) -> None:
    """A vend that the machine has been handed."""
    assert (await shop.vend(slot)).status == 200
    assert (await shop.page("GET", f"/esp32/commands/ESP32_{MAC}")).body["slot"] == slot

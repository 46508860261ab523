"""kill -9 of the real hub at random moments, with old vending machines vending: no motor turns twice for an order.

The machines are the virtual old ones, over the network, and keep their power. Each order that was accepted is there
afterwards with an end that its motor agrees with, and the counts in the slots agree too.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from edge.sim.vending_wifi import Faults, WifiMachine
from tests.hub_process import HubProcess
from tests.tools import share

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

KILLS = share(2, 100)
SEED = 20261121
MACS = [f"6CC8404FE0{number:02X}" for number in range(3)]
FILLED = 500
LOAD_S = 0.8  # how long the hub may serve before it is killed, at most
SETTLE_S = 100.0  # the longest time to live, and the time for a confirmation


class Customers:
    """Press buttons, and note what was accepted: command to machine and slot."""

    def __init__(self, chance: random.Random) -> None:
        self.accepted: dict[str, tuple[str, int]] = {}
        self._chance = chance

    async def press(self, session: aiohttp.ClientSession) -> None:
        """Until the hub is gone, or cancelled."""
        while True:
            mac, slot = self._chance.choice(MACS), self._chance.randint(1, 5)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.post(f"/vend/{slot}", json={"device_id": f"ESP32_{mac}"}) as response:
                    body = await response.json()
                    if response.status == 200:
                        self.accepted[body["command_id"]] = mac, slot
            await asyncio.sleep(0.02)


async def test_no_kill_turns_a_motor_twice(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    hub = HubProcess(tmp_path / "hub", more={"OUTPOST_HUB__AUTO_APPROVE": "true"})
    machines = {mac: WifiMachine(mac=mac, faults=Faults(registers=False), pace=0.03) for mac in MACS}
    power = [asyncio.create_task(machine.run()) for machine in machines.values()]
    customers = Customers(chance)
    await hub.start()
    await stock(hub, machines)
    try:
        for _ in range(KILLS):
            async with hub.session() as session:
                pressing = asyncio.create_task(customers.press(session))
                await asyncio.sleep(chance.uniform(0.05, LOAD_S))
                await hub.kill()
                pressing.cancel()
                await asyncio.gather(pressing, return_exceptions=True)
            await hub.start()
            for machine in machines.values():
                machine.server = hub.url
        await agree(hub, machines, customers)
    finally:
        for task in power:
            task.cancel()
        await hub.stop()


async def stock(hub: HubProcess, machines: dict[str, WifiMachine]) -> None:
    """Let the machines show up, and fill them."""
    for machine in machines.values():
        machine.server = hub.url
    async with hub.session() as session:
        for mac in MACS:
            for slot in range(1, 6):
                async with asyncio.timeout(60):
                    while not await filled(session, mac, slot):  # noqa: ASYNC110 - it is behind a socket
                        await asyncio.sleep(0.05)


async def filled(session: aiohttp.ClientSession, mac: str, slot: int) -> bool:
    """Whether the slot could be filled: the machine has to be known first."""
    path = f"/v1/devices/{mac}/slots/{slot}/restock"
    async with session.post(path, json={"count": FILLED}) as response:
        return response.status == 200


async def agree(hub: HubProcess, machines: dict[str, WifiMachine], customers: Customers) -> None:
    """Wait until nothing is under way, then compare orders, motors and counts."""
    async with hub.session() as session:
        async with asyncio.timeout(SETTLE_S):
            while vends := await items(session, "/v1/transactions?state=open&limit=500"):
                if all(vend["state"] == "in_doubt" for vend in vends):
                    break
                await asyncio.sleep(0.5)
        for machine in machines.values():
            polled = machine.polls
            while machine.polls < polled + 3:  # noqa: ASYNC110 - a machine has no event to wait for
                await asyncio.sleep(0.02)
        vends = await items(session, "/v1/transactions?limit=500")
        states = {vend["id"]: vend["state"] for vend in vends}
        assert set(customers.accepted) <= set(states), "an accepted order was lost"
        for mac in MACS:
            here = [vend for vend in vends if vend["device"] == mac]
            for slot in range(1, 6):
                count = Counter(vend["state"] for vend in here if vend["slot"] == slot)
                turned = machines[mac].turns[slot]
                assert count["succeeded"] <= turned <= count["succeeded"] + count["in_doubt"], (mac, slot, count)
            for stood in await items(session, f"/v1/slots?device={mac}"):
                taken = sum(v["state"] == "succeeded" for v in here if v["slot"] == stood["slot"])
                assert stood["count"] == FILLED - taken
        async with session.get("/v1/vending/agreement") as response:
            assert (await response.json())["disagreements"] == []
        assert any(state == "succeeded" for state in states.values())


async def items(session: aiohttp.ClientSession, path: str) -> list[dict[str, object]]:
    """A list of the hub's, all its pages."""
    found: list[dict[str, object]] = []
    cursor = ""
    while True:
        async with session.get(path + (f"&cursor={cursor}" if cursor else "")) as response:
            assert response.status == 200, await response.text()
            page = await response.json()
        found += page["items"]
        cursor = page["next"]
        if not cursor:
            return found

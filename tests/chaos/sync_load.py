"""What goes on at a site and at head office while everything fails: readings, commands, vends, people's work.

Each notes what was accepted, and nobody repeats a request that was not answered: so all that is found twice was
made twice by hub or centre.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator

import aiohttp

from edge.sim.vending_wifi import Faults, WifiMachine
from tests.centre_process import CentreProcess
from tests.hub_process import HubProcess

MACS = [f"6CC8404FE0{number:02X}" for number in range(2)]
SLOTS = range(1, 6)
FILLED = 5000
SENSORS, DESKS = 3, 2
PAUSE_S = 0.02
TRIES_S = 30.0


class Load:
    """All of it; `async with load.going():` around what shall happen meanwhile."""

    def __init__(self, hub: HubProcess, centre: CentreProcess, site: str, chance: random.Random) -> None:
        self._hub, self._centre, self._site, self._chance = hub, centre, site, chance
        self.readings: set[tuple[str, str, float]] = set()  # accepted, as the books have them
        self.given: dict[str, str] = {}  # commands accepted at the hub and at the centre, and where
        self.vends: dict[str, tuple[str, int]] = {}
        self.machines = {mac: WifiMachine(mac=mac, faults=Faults(registers=False), pace=0.03) for mac in MACS}
        self._numbers = itertools.count(1)
        self._sensors: list[str] = []
        self._desks: list[str] = []
        self._buying = asyncio.Event()
        self._buying.set()

    async def prepare(self) -> None:
        """Add the devices and fill the machines."""
        self.hub_has_started()
        power = [asyncio.create_task(machine.run()) for machine in self.machines.values()]
        try:
            async with self._hub.session() as session:
                self._sensors = [await _added(session, f"sensor {n}", "sensor") for n in range(SENSORS)]
                self._desks = [await _added(session, f"desk {n}", "display") for n in range(DESKS)]
                for mac, slot in itertools.product(MACS, SLOTS):
                    async with asyncio.timeout(TRIES_S):
                        while not await _filled(session, mac, slot):  # noqa: ASYNC110 - it is behind a socket
                            await asyncio.sleep(PAUSE_S)
        finally:
            for task in power:
                task.cancel()
            await asyncio.gather(*power, return_exceptions=True)

    def hub_has_started(self) -> None:
        """The hub has another port with each start; the machines have its address from elsewhere."""
        for machine in self.machines.values():
            machine.server = self._hub.url

    @contextlib.asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Everything goes on until the end of the block; the machines keep their power."""
        works = [
            *(self._measure(sensor) for sensor in self._sensors),
            self._buy(),
            self._work_at_the_site(),
            self._work_at_head_office(),
            *(machine.run() for machine in self.machines.values()),
        ]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            yield
            assert not [task for task in tasks if task.done()], [task for task in tasks if task.done()]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def nobody_buys(self) -> AsyncIterator[None]:
        """Customers wait, and what they ordered is done when the block begins."""
        self._buying.clear()
        for machine in self.machines.values():
            polled = machine.polls
            with contextlib.suppress(TimeoutError):  # the hub may be away: then nothing is vended either
                async with asyncio.timeout(2):
                    while machine.polls < polled + 3:  # noqa: ASYNC110 - a machine has no event to wait for
                        await asyncio.sleep(PAUSE_S)
        try:
            yield
        finally:
            self._buying.set()

    async def _measure(self, device: str) -> None:
        while True:
            number = float(next(self._numbers))
            answer = await self._ask_hub("POST", f"/v1/devices/{device}/readings", {"values": {"n": number}})
            if answer is not None and answer.get("accepted") == 1:
                self.readings.add((device, "n", number))
            await asyncio.sleep(PAUSE_S)

    async def _buy(self) -> None:
        while True:
            await self._buying.wait()
            mac, slot = self._chance.choice(MACS), self._chance.choice(SLOTS)
            answer = await self._ask_hub("POST", f"/vend/{slot}", {"device_id": f"ESP32_{mac}"})
            if answer is not None:
                self.vends[str(answer["command_id"])] = mac, slot
            await asyncio.sleep(3 * PAUSE_S)

    async def _work_at_the_site(self) -> None:
        for number in itertools.count():
            await self._command(
                self._hub, f"/v1/devices/{self._chance.choice(self._desks)}/commands", "hub", number
            )
            mac, slot = self._chance.choice(MACS), self._chance.choice(SLOTS)
            await self._ask_hub("POST", f"/v1/devices/{mac}/slots/{slot}/restock", {"count": FILLED})
            await asyncio.sleep(3 * PAUSE_S)

    async def _work_at_head_office(self) -> None:
        for number in itertools.count():
            path = f"/v1/devices/{self._chance.choice(self._desks)}/commands?site={self._site}"
            await self._command(self._centre, path, "centre", number)
            await asyncio.sleep(5 * PAUSE_S)

    async def _command(self, side: HubProcess | CentreProcess, path: str, where: str, number: int) -> None:
        body: dict[str, object] = {
            "kind": "display_qr",
            "args": {"payload": f"upi://pay?pa=a@b&tr={where}-{number}"},
        }
        answer = await _ask(side, "POST", path, body)
        if answer is not None:
            self.given[str(answer["id"])] = where

    async def _ask_hub(self, method: str, path: str, body: dict[str, object]) -> dict[str, object] | None:
        return await _ask(self._hub, method, path, body)


async def _ask(
    side: HubProcess | CentreProcess, method: str, path: str, body: dict[str, object]
) -> dict[str, object] | None:
    """The answer, None for none and for a refusal."""
    try:
        async with side.session() as session, session.request(method, path, json=body) as response:
            answer = await response.json()
            return dict(answer) if response.status in (200, 201) else None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None


async def _added(session: aiohttp.ClientSession, name: str, kind: str) -> str:
    async with session.post("/v1/devices", json={"name": name, "kind": kind, "profile": "native"}) as response:
        assert response.status == 201, await response.text()
        return str((await response.json())["id"])


async def _filled(session: aiohttp.ClientSession, mac: str, slot: int) -> bool:
    path = f"/v1/devices/{mac}/slots/{slot}/restock"
    async with session.post(path, json={"count": FILLED}) as response:
        return response.status == 200

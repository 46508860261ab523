"""kill -9 of the real hub and power cuts of a machine at random moments of its vends, over real HTTP.

The machine is of the older kind: it knows no command numbers and confirms once. Its motor is the truth: it turns
at most once for each vend that was asked for, and when a person has settled the doubts by what he saw, the
transactions and the counts are what the motor did.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge.sim.vending_wifi import Faults, WifiMachine
from tests.hub_process import HubProcess
from tests.tools import share

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

ROUNDS = share(3, 200)
ENOUGH = 50  # rounds, to tell that vends still succeed between kills
SEED = 20261121
SLOTS, STOCK = range(1, 6), 1000
PACE = 0.05  # a vend takes 65 ms, a poll comes every 100 ms
LIFE_S = 0.8  # how long the hub may live when it serves, at most
AFTER_S = 0.15  # how long the machine may outlive it
TTL_S = 8.0  # a kill and a start fit in
SETTLE_S = 60.0
OPEN = ("queued", "sent")


class Site:
    """A hub that is killed again and again, its machine, and people who press buttons and repeat what got lost."""

    def __init__(self, folder: Path) -> None:
        self.chance = random.Random(SEED)
        more = {"OUTPOST_HUB__AUTO_APPROVE": "true"}
        self.hub = HubProcess(folder / "data", more=more)
        self.machine = WifiMachine(pace=PACE, faults=Faults())
        self.device = ""
        self.accepted: dict[str, str] = {}  # by idempotency key: the command
        self.unanswered: list[tuple[int, str]] = []
        self.pressed = 0

    async def install(self) -> None:
        """The machine is known, and full."""
        async with self.running() as session:
            await self.machine.boot()
            (device,) = (await ask(session, "GET", "/v1/devices"))["items"]
            self.device = device["id"]
            for slot in SLOTS:
                await ask(session, "POST", self.path(slot, "/restock"), {"add": STOCK})

    def path(self, slot: int, rest: str) -> str:
        return f"/v1/devices/{self.device}/slots/{slot}{rest}"

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        """The hub serves, and the machine knows where; yields somebody with a key. At the end it is killed."""
        await self.hub.start()
        self.machine.server = self.hub.url
        try:
            async with self.hub.session() as session:
                yield session
        finally:
            await self.hub.kill()

    async def round(self) -> None:
        """One life of the hub."""
        lucky = self.chance.random() < 0.5
        self.machine.faults.lost_replies = 0 if lucky else self.chance.randrange(2)
        self.machine.faults.broken_polls = 0 if lucky else self.chance.randrange(2)
        self.machine.faults.lost_confirms = 0 if lucky else self.chance.randrange(2)
        self.machine.faults.resets_in_vend = 0 if lucky else self.chance.randrange(2)
        async with self.running() as session:
            await self.settle(session)
            power = asyncio.create_task(self.machine.run())
            people = asyncio.create_task(self.press(session))
            await asyncio.sleep(self.chance.random() * LIFE_S)  # a random moment of its work
            await self.hub.kill()
            await people
        await asyncio.sleep(self.chance.random() * AFTER_S)  # a random moment of the machine's
        power.cancel()
        await asyncio.gather(power, return_exceptions=True)

    async def press(self, session: aiohttp.ClientSession) -> None:
        """Until the hub is gone. Who got no answer asks again with the same key."""
        while True:
            self.pressed += 1
            slot, key = self.chance.choice(SLOTS), f"press-{self.pressed}"
            if self.unanswered:
                slot, key = self.unanswered.pop()
            headers = {"Idempotency-Key": key}
            try:
                async with session.post(
                    self.path(slot, "/vend"), json={"ttl_s": TTL_S}, headers=headers
                ) as response:
                    answer = await response.json()
            except (aiohttp.ClientError, TimeoutError):
                self.unanswered.append((slot, key))
                return
            if response.status == 201:
                command_id = answer["command"]["id"]
                assert self.accepted.setdefault(key, command_id) == command_id, "one press, two vends"
            else:
                assert response.status == 409, answer
            await asyncio.sleep(self.chance.random() * 0.02)

    async def settle(self, session: aiohttp.ClientSession) -> None:
        """The machine is at rest: a person looks at what it did, and says so."""
        done = Counter(vend["slot"] for vend in await self.vends(session) if vend["state"] == "succeeded")
        for vend in await self.vends(session):
            if vend["state"] != "in_doubt":
                continue
            turned = self.machine.turns[vend["slot"]] - done[vend["slot"]]
            assert turned in (0, 1), f"the motor of slot {vend['slot']} turned {turned} times for one vend"
            said = {"outcome": "succeeded" if turned else "failed", "note": "I looked."}
            await ask(session, "POST", f"/v1/commands/{vend['id']}/resolve", said)

    async def vends(self, session: aiohttp.ClientSession) -> list[dict[str, Any]]:
        """Every transaction there ever was."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = await ask(session, "GET", f"/v1/transactions?limit=500{cursor}")
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"


async def ask(session: aiohttp.ClientSession, method: str, path: str, body: Any = None) -> Any:
    """One request that must succeed."""
    async with session.request(method, path, json=body) as response:
        assert response.status in (200, 201), (path, response.status, await response.text())
        return await response.json()


async def test_no_kill_makes_a_motor_turn_twice(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.install()
    for _ in range(ROUNDS):
        await site.round()
    async with site.running() as session:
        async with asyncio.timeout(SETTLE_S):  # what still waits runs out, since the machine is off
            while any(vend["state"] in OPEN for vend in await site.vends(session)):  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.2)
        await site.settle(session)
        vends = await site.vends(session)
        slots = (await ask(session, "GET", "/v1/slots"))["items"]
        agreement = await ask(session, "GET", "/v1/vending/agreement")
    succeeded = Counter(vend["slot"] for vend in vends if vend["state"] == "succeeded")
    states = Counter((vend["state"], vend["evidence"]) for vend in vends)
    assert succeeded == site.machine.turns, f"seed {SEED}"
    assert {slot["slot"]: STOCK - slot["count"] for slot in slots} == {n: site.machine.turns[n] for n in SLOTS}
    assert agreement["disagreements"] == []
    assert set(site.accepted.values()) <= {vend["id"] for vend in vends}, "accepted vends were lost"
    assert len(set(site.accepted.values())) == len(site.accepted)
    assert ROUNDS < ENOUGH or states["succeeded", "machine"] >= ROUNDS / 4, states
    assert ROUNDS < ENOUGH or states["succeeded", "person"] + states["failed", "person"] >= ROUNDS / 8, states

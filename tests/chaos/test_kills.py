"""kill -9 of the real hub at random points of a command's life, with load on and a real board on the line.

Each command that was answered with 201 is there afterwards; none was done twice as a new act, told by the board's
own memory; the ledger chain is whole; and what the hub says was done is what the board did.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from edge.bus import Bus
from edge.clock import SystemClock
from edge.sim.board import Board
from edge.sim.uart import UartLine
from edge.store.database import Store
from edge.store.ledger import verify
from tests.hub_process import HubProcess
from tests.tools import share

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

KILLS = share(5, 200)
ENOUGH = 100  # kills, that one of them falls where it is to
SEED = 20261121
CHIP = "A0B7650C2D31"
CALLERS = 3
LOAD_S = 0.6  # how long the hub may serve before it is killed, at most
EARLY = 5  # one start in so many is killed before it serves
SETTLE_S = 90.0  # the longest time to live, and some


class Witness:
    """Reads the board's memory of what it did, all the time: only the last 16 results are kept."""

    def __init__(self, flash: Path) -> None:
        self._nvs = flash / "nvs"
        self.acts: dict[str, dict[int, str]] = {}  # command to the numbers it was done under, and what came of it

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(0.05)

    def look(self) -> None:
        """Read the ring once."""
        for file in self._nvs.glob("result*"):
            try:
                result = json.loads(file.read_text())
            except (OSError, ValueError):
                continue  # just being replaced
            self.acts.setdefault(result["id"], {})[result["seq"]] = result["err"]


class Load:
    """Callers that post one command after another, whatever becomes of the hub."""

    def __init__(self, hub: HubProcess, chance: random.Random) -> None:
        self._hub, self._chance = hub, chance
        self.accepted: set[str] = set()

    async def run(self) -> None:
        """Post until cancelled or until the hub is gone."""
        async with self._hub.session() as session, asyncio.TaskGroup() as group:
            for number in range(CALLERS):
                group.create_task(self._call(session, number))

    async def _call(self, session: aiohttp.ClientSession, number: int) -> None:
        serial = 0
        while True:
            serial += 1
            body = {"kind": "stop_rotation", "args": {}}
            if self._chance.random() < 0.4:
                body = {"kind": "display_qr", "args": {"payload": f"upi://pay?tr={number}-{serial}"}}
            try:
                async with session.post(f"/v1/devices/{CHIP}/commands", json=body) as response:
                    answer = await response.json()
                    if response.status == 201:
                        self.accepted.add(answer["id"])
            except (aiohttp.ClientError, TimeoutError):
                return
            await asyncio.sleep(self._chance.random() * 0.1)


async def test_a_killed_hub_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    accepted: set[str] = set()
    async with a_board(tmp_path) as (tty, witness):
        hub = HubProcess(tmp_path / "data", serial=[f"{tty}=native"])
        try:
            for number in range(KILLS):
                accepted |= await life(hub, chance, early=number % EARLY == EARLY - 1)
                await hub.kill()
            await hub.start()
            await until_all_ended(hub)
        finally:
            await hub.stop()
        witness.look()
    assert len(accepted) > KILLS, "the load did not get through"
    await check(tmp_path / "data", accepted, witness.acts)


async def life(hub: HubProcess, chance: random.Random, *, early: bool) -> set[str]:
    """One run of the hub up to its last moment; what it accepted."""
    await hub.launch()
    if early:
        await asyncio.sleep(chance.random())  # a random moment of its start
        return set()
    await hub.ready()
    async with hub.session() as session:
        await approved(session)
    load = Load(hub, chance)
    task = asyncio.create_task(load.run())
    await asyncio.sleep(chance.random() * LOAD_S)  # a random moment of its work
    await hub.kill()
    await task
    return load.accepted


async def approved(session: aiohttp.ClientSession) -> None:
    """Wait until the board is known, and approve it."""
    async with asyncio.timeout(60):
        while True:
            async with session.post(f"/v1/devices/{CHIP}/approve") as response:
                if response.status == 200:
                    return
            await asyncio.sleep(0.02)


async def until_all_ended(hub: HubProcess) -> None:
    """Wait until nothing is queued or under way."""
    async with hub.session() as session, asyncio.timeout(SETTLE_S):
        while True:
            async with session.get("/v1/commands", params={"state": "open"}) as response:
                items = (await response.json())["items"]
                if not [item for item in items if item["state"] != "in_doubt"]:
                    return
            await asyncio.sleep(0.1)


async def check(data: Path, accepted: set[str], acts: dict[str, dict[int, str]]) -> None:
    """Compare what was promised, what the hub has written down and what the board did."""
    store = Store(data, Bus(), SystemClock(), free_floor_mb=0, ballast_mb=1)
    await store.open()
    try:
        await verify(store.hub)
        rows = await store.hub.read("SELECT id, state, attempts FROM commands")
    finally:
        await store.close()
    known = {row[0]: tuple(row) for row in rows}
    assert not accepted - set(known), "accepted commands were lost"
    assert not set(acts) - set(known), "the board did what no hub knows of"
    twice = {id_: numbers for id_, numbers in acts.items() if len(numbers) > 1}
    assert not twice, f"done twice as new acts (seed {SEED}): {twice}"
    done = {id_ for id_, numbers in acts.items() if "" in numbers.values()}
    succeeded = {id_ for id_, row in known.items() if row[1] == "succeeded"}
    assert succeeded <= done, "the hub says done what the board did not do"
    # a result lost in a kill is asked for again, unless a newer picture came meanwhile or its time ran out
    untold = {id_: known[id_][1:3] for id_ in done - succeeded}
    assert all(state in ("superseded", "in_doubt") and tries for state, tries in untold.values()), untold
    between = any(tries > 1 for _, _, tries in known.values())
    assert between or KILLS < ENOUGH, "no kill fell between a command and its result"


@asynccontextmanager
async def a_board(folder: Path) -> AsyncIterator[tuple[Path, Witness]]:
    """A board that stays on its line whatever becomes of the hub; yields the hub's end."""
    async with UartLine() as line:
        board = Board(str(line.device_tty), folder / "board", chip=CHIP)
        witness = Witness(folder / "board" / "flash")
        tasks = [asyncio.create_task(board.run()), asyncio.create_task(witness.watch())]
        try:
            yield line.host_tty, witness
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

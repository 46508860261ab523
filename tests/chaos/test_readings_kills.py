"""kill -9 in the middle of taking readings: what was answered is there, each once, and its hours add up."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.hub_process import HubProcess
from tests.tools import share

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

HERE = Path(__file__).parent
CLIENTS = 8


async def test_a_buffer_is_taken_once_whenever_the_hub_dies(tmp_path: Path) -> None:
    """The workload begins each time before where it was, as a device does that has missed the answer."""
    chance = random.Random(3)
    following, singles = 0, set()
    for _ in range(share(3, 100)):
        batches, answered = await killed_after(tmp_path, following, chance.uniform(0.0, 0.25))
        following, singles = max(following, *batches, 0), singles | answered
    with sqlite3.connect(tmp_path / "readings.db") as database:
        rows = database.execute(
            "SELECT key, value FROM readings JOIN series ON series.id = series_id ORDER BY seq"
        ).fetchall()
        numbers = [value for key, value in rows if key == "n"]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= following > 0
        stored = Counter(value for key, value in rows if key == "single")
        assert singles <= stored.keys()
        assert all(stored[number] == 1 for number in singles)
        ((folded,),) = database.execute("SELECT seq FROM progress WHERE name = 'folded'")
        for table in ("SELECT COUNT(*) FROM history", "SELECT SUM(count) FROM rollups"):
            assert database.execute(table).fetchone() == (folded,)


async def killed_after(folder: Path, first: int, seconds: float) -> tuple[list[int], set[int]]:
    """What the workload was answered until it was killed, so long after its first answer."""
    command = [sys.executable, str(HERE / "readings_workload.py"), str(folder), str(first)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    lines = [await asyncio.wait_for(process.stdout.readline(), 60)]
    await asyncio.sleep(seconds)  # the moment of the kill is what is random
    process.kill()
    rest, _ = await process.communicate()
    said = [line.split() for line in (lines[0] + rest).decode().splitlines(keepends=True) if line.endswith("\n")]
    return [int(n) for what, n in said if what == "batch"], {int(n) for what, n in said if what == "single"}


async def test_what_the_hub_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    chance, hub = random.Random(4), HubProcess(tmp_path)
    await hub.start()
    async with hub.session() as session:
        body = {"name": "sensor", "kind": "display", "profile": "native"}
        device = (await (await session.post("/v1/devices", json=body)).json())["id"]
    answered: set[int] = set()
    for turn in range(share(2, 40)):
        clients = [
            asyncio.create_task(writing(hub, device, answered, (turn * CLIENTS + client) * 1_000_000))
            for client in range(CLIENTS)
        ]
        await asyncio.sleep(chance.uniform(0.1, 0.6))  # the moment of the kill is what is random
        await hub.kill()
        await asyncio.gather(*clients)
        await hub.start()
    stored = await history(hub, device)
    await hub.stop()
    assert answered
    assert answered <= stored.keys()
    assert set(stored.values()) == {1}


async def writing(hub: HubProcess, device: str, answered: set[int], number: int) -> None:
    """Write one reading after the other until the hub is gone."""
    async with hub.session() as session:
        while True:
            number += 1
            try:
                url = f"/v1/devices/{device}/readings"
                async with session.post(url, json={"values": {"n": number}}) as response:
                    if response.status == 200 and (await response.json())["accepted"] == 1:
                        answered.add(number)
            except (aiohttp.ClientError, ConnectionError):
                return


async def history(hub: HubProcess, device: str) -> Counter[int]:
    """Every value, and how often it is there."""
    found: Counter[int] = Counter()
    cursor: Any = ""
    async with hub.session() as session:
        while cursor is not None:
            query = {"limit": "10000", "from": "-7d", "cursor": cursor}
            async with session.get(f"/v1/devices/{device}/readings", params=query) as response:
                body = await response.json()
            found.update(item["value"] for item in body["items"])
            cursor = body["next"]
    return found

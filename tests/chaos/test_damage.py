"""Flipped bytes in the files of a hub: found at the start, never served from; only readings are started anew."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge.access.keys import Keys
from edge.errors import StorageDamaged
from edge.store.ledger import verify
from tests.chaos.power_workload import Site
from tests.hub_process import HubProcess
from tests.tools import share

pytestmark = pytest.mark.chaos

ROUNDS = share(8, 200)
DEVICES = 60


async def made(folder: Path) -> None:
    """A hub with enough in it to hit something."""
    site = Site(folder)
    await site.open()
    for number in range(DEVICES):
        device = await site.registry.take_in("test", f"device-{number}", "native", facts={"fw": "1" * 50})
        assert device is not None
        await site.commands.accept(device, "stop_rotation", {}, actor="test")
    await site.close()


def flip(path: Path, chance: random.Random) -> None:
    """Spoil one page of a file."""
    content = bytearray(path.read_bytes())
    at = chance.randrange(0, len(content), 4096)
    content[at : at + 64] = chance.randbytes(64)
    path.write_bytes(content)


async def test_damage_to_hub_db_is_found_before_anything_is_served(tmp_path: Path) -> None:
    await made(tmp_path)
    whole = (tmp_path / "hub.db").read_bytes()
    for seed in range(ROUNDS):
        (tmp_path / "hub.db").write_bytes(whole)
        flip(tmp_path / "hub.db", random.Random(seed))
        with pytest.raises(StorageDamaged) as damage:
            await Site(tmp_path).open()
        assert "outpost restore" in damage.value.advice, seed


async def test_a_damaged_readings_file_is_set_aside_and_told(tmp_path: Path) -> None:
    await made(tmp_path)
    flip(tmp_path / "readings.db", random.Random(1))
    site = Site(tmp_path)
    await site.open()
    try:
        [gap] = await site.store.hub.read("SELECT body FROM ledger WHERE kind = 'gap'")
        [aside] = tmp_path.glob("readings.damaged-*.db")
        assert aside.name in gap[0]
        assert await site.store.readings.read("SELECT * FROM device_log") == []
        assert await verify(site.store.hub) > DEVICES
        assert isinstance(site.keys, Keys)
    finally:
        await site.close()


async def test_the_hub_says_how_to_go_on(tmp_path: Path) -> None:
    hub = HubProcess(tmp_path)
    await hub.start()
    await hub.stop()
    (tmp_path / "hub.db").write_bytes(b"SQLite format 3\0" + bytes(8192))
    with pytest.raises(AssertionError):
        await hub.start()
    await hub.stop()
    assert "outpost restore FILE" in hub.log()

"""Power cuts, replayed: whatever was promised is there afterwards, and the database is whole.

A hub's writing is traced call by call; then the files are rebuilt as a cut at a random call would leave them, and
opened with the hub's own code. That the same test loses facts without FULL commits shows that it can see.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.access.model import hash_secret
from edge.errors import OutpostError
from edge.store.backup import back_up
from edge.store.connection import quick_check
from edge.store.ledger import verify
from tests.chaos.power_disk import Disk
from tests.chaos.power_trace import Event, trace
from tests.chaos.power_workload import BACKUP, Site
from tests.tools import needs_tool, share

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1200)]

ROUNDS = 50
CUTS = share(50, 1000)
RESTORE_CUTS = share(12, 250)
SEED = 20261121


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory, where there is one: a thousand rebuilt disks are not a thousand real ones."""
    parent = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=parent, prefix="outpost-cut-") as folder:
        yield Path(folder)


async def test_nothing_promised_is_lost_in_a_power_cut(tmp_path: Path, memory: Path) -> None:
    lost = await cut(work(tmp_path), memory, CUTS)
    assert not lost, f"{len(lost)} of {CUTS} cuts: {lost[:5]}"


async def test_without_full_commits_it_would_be(tmp_path: Path, memory: Path) -> None:
    lost = await cut(work(tmp_path, "NORMAL"), memory, 20)
    assert len(lost) > 5


async def test_a_restore_leaves_the_old_hub_or_the_restored_one(tmp_path: Path, memory: Path) -> None:
    source, data = tmp_path / "kept.db", tmp_path / "data"
    await furnish(data, "before the backup")
    back_up(data / "hub.db", source)
    await furnish(data, "after it")
    before = Disk()
    for path in (part for part in data.iterdir() if part.is_file()):
        before.feed(Event("open", path.name))
        before.feed(Event("write", path.name, 0, path.read_bytes()))
        before.feed(Event("sync", path.name))
    before.feed(Event("sync", "."))
    command = [sys.executable, "-m", "edge.cli", "restore", str(source), "--data-dir", str(data)]
    done = trace(needs_tool("strace"), command, data, tmp_path / "trace")
    renaming = [place for place, event in enumerate(done, 1) if event.op in ("rename", "link", "unlink")]
    points = sorted(3 * renaming + random.Random(SEED).choices(range(len(done) + 1), k=RESTORE_CUTS))
    for number, (point, disk) in enumerate(replay(done, points, before)):
        folder = memory / "data"
        folder.mkdir()
        disk.leave(folder, random.Random(number))
        names = await devices(folder)
        assert names in ({"before the backup"}, {"before the backup", "after it"}), (point, names)
        shutil.rmtree(folder)


def work(folder: Path, synchronous: str = "FULL") -> list[Event]:
    """The trace of a hub's writing."""
    data = folder / "data"
    data.mkdir()
    command = [sys.executable, "-m", "tests.chaos.power_workload", str(data), str(ROUNDS), synchronous]
    return trace(needs_tool("strace"), command, data, folder / "trace")


async def cut(events: list[Event], memory: Path, cuts: int) -> list[str]:
    """Cut the power at `cuts` random calls; what was found wrong."""
    chance = random.Random(SEED)
    points = sorted(chance.choices(range(len(events) + 1), k=cuts))
    wrong = []
    for number, (point, disk) in enumerate(replay(events, points, Disk())):
        folder = memory / str(number)
        folder.mkdir()
        disk.leave(folder, random.Random(chance.random()))
        try:
            await check(folder, disk.said)
        except (AssertionError, OutpostError, sqlite3.Error, OSError) as error:
            wrong.append(f"at call {point} of {len(events)} (seed {SEED}, cut {number}): {error!r}"[:400])
        shutil.rmtree(folder)
    return wrong


def replay(events: list[Event], points: list[int], disk: Disk) -> Iterator[tuple[int, Disk]]:
    """The disk at each of the sorted `points`."""
    fed = 0
    for point in points:
        for event in events[fed:point]:
            disk.feed(event)
        fed = point
        yield point, disk


async def check(folder: Path, said: list[str]) -> None:
    """Start a hub's store over what a cut left; all that was said must be true. Raises what is wrong."""
    if any(line.startswith("backup") for line in said):
        quick_check(folder / BACKUP)
    site = Site(folder)
    await site.open()
    try:
        assert not list(folder.glob("*.damaged*")), "readings.db was set aside"
        for database in (site.store.hub, site.store.readings):
            [(verdict,)] = await database.read("PRAGMA integrity_check")
            assert verdict == "ok", verdict
        await verify(site.store.hub)
        facts = await site.store.hub.read("SELECT kind, subject FROM ledger ORDER BY seq")
        told = Counter(f"{kind} {subject}" for kind, subject in facts)
        promised = Counter(line for line in said if not line.startswith("backup"))
        assert not promised - told, f"lost: {promised - told}"
        await _tables_agree(site, {subject: kind for kind, subject in facts if kind.startswith("command.")})
        secret = (folder / "admin.key").read_text().strip()
        assert hash_secret(secret) in {key.hash for key, _ in site.keys.listed()}, "nobody has the admin key"
    finally:
        await site.close()


async def _tables_agree(site: Site, last: dict[str, str]) -> None:
    """A command's state is what the ledger last said of it, or queued again."""
    for id_, state in await site.store.hub.read("SELECT id, state FROM commands"):
        assert last[id_] == f"command.{state}" or (state == "queued" and last[id_] == "command.sent"), (id_, state)


async def furnish(data: Path, name: str) -> None:
    """A hub's life with one device more."""
    site = Site(data)
    await site.open()
    await site.registry.take_in("test", name, "native", facts={})
    await site.close()


async def devices(folder: Path) -> set[str]:
    """The names of the devices of a hub started there."""
    site = Site(folder)
    await site.open()
    try:
        await verify(site.store.hub)
        return {device.name for device in site.registry.all()}
    finally:
        await site.close()
        await asyncio.sleep(0)

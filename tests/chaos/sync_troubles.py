"""What goes wrong between a site and its centre: each of these does it to the real processes, and ends with both
running again and the line as it was. Whether all was caught up meanwhile is not waited for.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.chaos.line import CLEAR, STORM
from tests.chaos.sync_books import HubBooks
from tests.chaos.sync_site import HUB, Site
from tests.hub_process import HubProcess

Trouble = Callable[[Site], Awaitable[None]]

TWO_WEEKS_S = 14 * 86_400.0
ROOM_LEFT = 200_000  # bytes, on a disk that is filled
FILES = ("hub.db", "readings.db")
PARTS = ("", "-wal", "-shm")


async def kill_hub(site: Site) -> None:
    """kill -9 of the hub."""
    await site.hub.kill()
    await site.look()
    await site.start_hub()


async def kill_centre(site: Site) -> None:
    """kill -9 of the centre."""
    await site.centre.kill()
    await _a_while(site, 0.5)
    await site.centre.start()


async def kill_both(site: Site) -> None:
    """The power goes everywhere."""
    await asyncio.gather(site.hub.kill(), site.centre.kill())
    await site.look()
    await asyncio.gather(site.start_hub(), site.centre.start())


async def kill_at_start(site: Site) -> None:
    """kill -9 of the hub while it starts."""
    await site.hub.kill()
    await site.hub.launch()
    await _a_while(site, 1.5)
    await site.hub.kill()
    await site.start_hub()


async def cut_line(site: Site) -> None:
    """Every connection breaks, and none is taken for a while."""
    await site.line.cut()
    await _a_while(site, 1.5)
    site.line.mend()


async def hush_line(site: Site) -> None:
    """The line falls silent; both ends think that it stands."""
    site.line.hush()
    await _a_while(site, 2.0)
    if site.chance.random() < 0.5:
        await site.line.cut()
    site.line.mend()


async def storm(site: Site) -> None:
    """Delays, lost answers, cut requests, requests out of order; some are captured."""
    site.line.weather = STORM
    await _a_while(site, 3.0)
    site.line.weather = CLEAR


async def replay(site: Site) -> None:
    """Requests captured at any time come again, in any order."""
    answers = await site.line.replay(30)
    assert not [status for status in answers if status >= 500 and status != 503], answers


async def restart_database(site: Site) -> None:
    """PostgreSQL is stopped and started as its service manager does it."""
    if site.server is not None:
        await asyncio.to_thread(site.server.restart)


async def kill_database(site: Site) -> None:
    """kill -9 of all of PostgreSQL."""
    if site.server is not None:
        await asyncio.to_thread(site.server.restart, hard=True)


async def fill_disk(site: Site) -> None:
    """The hub's disk is full for a while."""
    if not os.path.ismount(site.data.parent):
        return
    filler = site.data.parent / "filler"
    free = shutil.disk_usage(site.data).free
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - ROOM_LEFT))
    await _a_while(site, 2.0)
    filler.unlink()
    await asyncio.sleep(1.1)  # the hub looks once a second


async def back_up(site: Site) -> None:
    """`outpost backup`, for a later `restore`."""
    target = site.folder / f"backup-{len(site.backups)}.db"
    await site.run("backup", str(target))
    site.backups.append(target)


async def restore(site: Site) -> None:
    """`outpost restore` of a backup made at some time."""
    if not site.backups:
        await back_up(site)
        await _a_while(site, 1.0)
    await (site.hub.kill() if site.chance.random() < 0.5 else site.hub.stop())
    await site.look()
    await site.run("restore", str(site.chance.choice(site.backups)))
    await site.start_hub()


async def take_image(site: Site) -> None:
    """The files as a kill leaves them, for a later `copy_back`.

    No vend waits in it: one that did, put back within its minute, would be vended again, and nothing on the machine
    could know.
    """
    async with site.load.nobody_buys():
        await site.hub.kill()
    image = site.folder / f"image-{len(site.images)}"
    image.mkdir()
    for file in _files(site.data):
        shutil.copy2(file, image / file.name)
    site.images.append(image)
    await site.look()
    await site.start_hub()


async def copy_back(site: Site) -> None:
    """The files of some earlier day are put in the place of both, or of one, and nobody is told."""
    if not site.images:
        await take_image(site)
        await _a_while(site, 1.0)
    await (site.hub.kill() if site.chance.random() < 0.5 else site.hub.stop())
    before = await site.look()
    image = site.chance.choice(site.images)
    for name in site.chance.choice([FILES, FILES, FILES[:1], FILES[1:]]):
        for part in PARTS:
            (site.data / (name + part)).unlink(missing_ok=True)
            if (image / (name + part)).exists():
                shutil.copy2(image / (name + part), site.data / (name + part))
    site.let_go |= set(before.readings) - set(HubBooks.of(site.data).readings)
    await site.start_hub()


async def set_clock(site: Site) -> None:
    """The wall clock goes two weeks back while everything runs, and right again later."""
    site.wall.shift(-TWO_WEEKS_S)
    await _a_while(site, 2.0)
    if site.chance.random() < 0.5:
        await kill_hub(site)
    site.wall.shift(0)


async def second_hub(site: Site) -> None:
    """A second hub over a copy of the directory, token and all: it must not speak for the site."""
    await site.hub.stop()
    await site.look()
    copy = site.folder / f"second-{site.chance.random():.6f}"
    shutil.copytree(site.data, copy)
    first_back = site.chance.random() < 0.7  # else the second one is alone for a while
    if first_back:
        await site.start_hub()
    second = HubProcess(copy, prefix=site.wall.prefix, more=HUB)
    try:
        await second.start()
        async with asyncio.timeout(60), second.session() as session:
            while True:
                async with session.get("/v1/sync") as response:
                    view = await response.json()
                if view["state"] == "refused":
                    break
                await asyncio.sleep(0.05)
        assert view["problem"], view
        assert view["hint"], view
        async with second.session() as session:  # it works on by itself, and writes what nobody else has
            device = {"name": "elsewhere", "kind": "sensor", "profile": "native"}
            async with session.post("/v1/devices", json=device) as response:
                assert response.status == 201, await response.text()
    finally:
        await second.kill()
    if not first_back:
        await site.start_hub()
    strange = set(HubBooks.of(copy).facts) - set(site.seen)
    assert strange, "the second hub wrote nothing of its own"
    assert not (strange & set(await site.books.facts())) - set(HubBooks.of(site.data).facts), "it was believed"
    shutil.rmtree(copy)


def _files(data: Path) -> list[Path]:
    return [file for name in FILES for part in PARTS if (file := data / (name + part)).exists()]


async def _a_while(site: Site, most_s: float) -> None:
    await asyncio.sleep(site.chance.uniform(0.2, 1.0) * most_s)


LIGHT: tuple[Trouble, ...] = (
    kill_hub, kill_centre, kill_both, kill_at_start, cut_line, hush_line, storm, storm, replay, restart_database,
    kill_database, fill_disk, back_up, take_image, set_clock,
)  # fmt: skip
HEAVY: tuple[Trouble, ...] = (restore, copy_back, second_hub)
EACH = tuple(dict.fromkeys((*LIGHT, *HEAVY)))


def whole(file: Path) -> bool:
    """Whether SQLite finds a file whole."""
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return [tuple(row) for row in database.execute("PRAGMA quick_check")] == [("ok",)]
    finally:
        database.close()

"""A hub, its centre and the line between them, all real processes, for a coordinator that ruins them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.centre_process import CentreProcess
from tests.chaos.line import Line
from tests.chaos.sync_books import CentreBooks, Fact, HubBooks, Measured
from tests.chaos.sync_load import Load
from tests.chaos.wall_clock import WallClock
from tests.hub_process import HubProcess
from tests.postgres import PostgresServer

HUB = {
    "OUTPOST_HUB__AUTO_APPROVE": "true",
    "OUTPOST_DISK__FREE_FLOOR_MB": "4",
    "OUTPOST_DISK__BALLAST_MB": "2",
    "OUTPOST_SITE__NAME": "chaos",
}
DISK_MB = 96


class Site:
    """The whole; made by `a_site`. `seen` is every fact the hub's files have ever held."""

    def __init__(self, folder: Path, data: Path, server: PostgresServer | None, url: str, seed: int) -> None:
        self.folder, self.data, self.server = folder, data, server
        self.chance = random.Random(seed)
        self.wall = WallClock(folder)
        self.hub = HubProcess(data, prefix=self.wall.prefix, more=HUB, log=folder / "test-hub.log")
        self.centre = CentreProcess(folder / "centre", database=url)
        self.line = Line(lambda: self.centre.url, self.chance)
        self.books = CentreBooks(folder / "centre" / "cloud.db", server, url)
        self.slug = ""
        self.load: Load
        self.seen: dict[Fact, tuple[str, str]] = {}
        self.measured: set[Measured] = set()
        self.let_go: set[Measured] = set()  # readings that went with a file that was copied over
        self.there: set[Fact] = set()  # facts seen at the centre, at any time
        self.images: list[Path] = []
        self.backups: list[Path] = []

    async def enrol(self) -> None:
        """Make the site at the centre and give the hub its code; the hub speaks over the line."""
        made = await _posted(self.centre, "/v1/sites", {"name": "Chaos"})
        self.slug = made["site"]
        await _posted(self.hub, "/v1/sync/enrol", {"code": made["code"], "url": self.line.url})
        self.load = Load(self.hub, self.centre, self.slug, self.chance)

    async def start_hub(self) -> None:
        """Start it, and tell the machines where it is."""
        await self.hub.start()
        self.load.hub_has_started()

    async def look(self) -> HubBooks:
        """Note all that hub and centre hold now. Raises AssertionError where the centre has lost something."""
        books = HubBooks.of(self.data)
        self.seen |= books.facts
        self.measured |= set(books.readings)
        there = await self.books.facts()
        lost = self.there - set(there)
        assert not lost, f"the centre has lost {sorted(lost)[:5]}"
        self.there |= set(there)
        return books

    async def run(self, *verb: str) -> str:
        """A verb of `outpost` over the hub's directory; what it said."""
        command = [*self.wall.prefix, sys.executable, "-m", "edge.cli", *verb, "--data-dir", str(self.data)]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def synced(self, seconds: float) -> None:
        """Wait until the hub says that nothing waits. Raises TimeoutError with what it said last."""
        view: dict[str, Any] = {"state": "not heard"}
        try:
            async with asyncio.timeout(seconds), self.hub.session() as session:
                while True:
                    assert self.hub.runs, f"the hub ended by itself: {self.hub.log()[-3000:]}"
                    with contextlib.suppress(aiohttp.ClientError):
                        async with session.get("/v1/sync") as response:
                            view = await response.json()
                        if view["state"] == "live" and not any(lane["waiting"] for lane in view["lanes"]):
                            return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise TimeoutError(f"not synced within {seconds:g} s: {view}\n{self.hub.log()[-1500:]}") from None


@contextlib.asynccontextmanager
async def a_site(folder: Path, server: PostgresServer | None, url: str, seed: int) -> AsyncIterator[Site]:
    """Everything running, enrolled and with devices; the hub's files on a small disk of their own where root may
    make one."""
    with small_disk(folder / "disk") as disk:
        site = Site(folder, disk / "hub", server, url, seed)
        async with site.line:
            try:
                await site.centre.start()
                await site.hub.start()
                await site.enrol()
                await site.load.prepare()
                yield site
            finally:
                await site.hub.kill()
                await site.centre.kill()


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of DISK_MB in memory; where that cannot be made, a plain folder."""
    folder.mkdir()
    mounted = os.geteuid() == 0 and (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", str(folder)], check=False
        ).returncode
        == 0
    )
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)


async def _posted(side: HubProcess | CentreProcess, path: str, body: dict[str, str]) -> dict[str, str]:
    async with side.session() as session, session.post(path, json=body) as response:
        assert response.status in (200, 201), await response.text()
        return dict(await response.json())

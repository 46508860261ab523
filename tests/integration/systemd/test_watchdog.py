"""The service manager hears from the hub only what is true: ready when it serves, alive while it works."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.systemd.service import BLOCKABLE_HUB, STANDS_STILL, STANDSTILL_S, Service
from tests.tools import needs_root, needs_tool

FED = "WATCHDOG=1"
WATCHDOG_S = 1.0  # so the hub feeds it every 0.5 s
MARGIN_S = 10.0  # a busy test machine


async def test_ready_fed_with_a_status_and_stopped(tmp_path: Path) -> None:
    async with Service(tmp_path, watchdog_s=WATCHDOG_S) as hub:
        fed = await hub.told(FED, within_s=MARGIN_S)
        assert "STATUS=0 of 0 devices online, 0 queued, 0 in doubt" in fed
        assert await hub.stop() == 0
        await hub.told("STOPPING=1", within_s=MARGIN_S)


async def test_not_fed_while_the_loop_stands_still(tmp_path: Path) -> None:
    async with Service(tmp_path, watchdog_s=WATCHDOG_S, hub=BLOCKABLE_HUB) as hub:
        await hub.told(FED, within_s=MARGIN_S)
        hub.signal(signal.SIGUSR1)
        await hub.logged(STANDS_STILL, within_s=MARGIN_S)
        hub.forget()
        assert await hub.never_told(FED, for_s=STANDSTILL_S - 1)
        await hub.told(FED, within_s=MARGIN_S)


async def test_not_fed_while_nothing_can_be_committed(tmp_path: Path) -> None:
    async with Service(tmp_path, watchdog_s=WATCHDOG_S) as hub:
        await hub.told(FED, within_s=MARGIN_S)
        with _locked(hub.data_dir / "hub.db"):
            hub.forget()
            assert await hub.never_told(FED, for_s=4 * WATCHDOG_S)
        await hub.told(FED, within_s=MARGIN_S)


async def test_not_fed_when_the_disk_does_not_take_what_is_written(tmp_path: Path) -> None:
    """A commit that writes nothing succeeds also on a dead disk: the probe must write."""
    strace = needs_tool("strace")
    needs_root("reach into a process that runs")
    async with Service(tmp_path, watchdog_s=WATCHDOG_S) as hub:
        await hub.told(FED, within_s=MARGIN_S)
        dead_disk = await asyncio.create_subprocess_exec(
            *(strace, "-f", "-qq", "-o", str(tmp_path / "trace"), "-p", str(hub.pid)),
            *("-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"),
        )
        try:
            await hub.logged("the hub is not healthy", within_s=MARGIN_S)
            hub.forget()
            assert await hub.never_told(FED, for_s=3 * WATCHDOG_S)
        finally:
            dead_disk.terminate()
            await dead_disk.wait()
        await hub.told(FED, within_s=MARGIN_S)


@pytest.fixture(autouse=True)
def _short_folder(tmp_path: Path) -> None:
    """A unix socket's path is short; say so here rather than in a strange error."""
    assert len(str(tmp_path / "data" / "hub.sock")) < 107


@contextlib.contextmanager
def _locked(database: Path) -> Iterator[None]:
    """Hold the write lock of `database`, as a disk that does not come back would."""
    holder = sqlite3.connect(database, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
    finally:
        holder.close()

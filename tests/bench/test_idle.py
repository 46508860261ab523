"""What a hub costs that has nothing to do: memory and processor with one device, and the time to its `ready`."""

from __future__ import annotations

import asyncio
import os
import statistics
from pathlib import Path

import pytest

from edge.sim.board import Board
from edge.sim.uart import UartLine
from tests.bench.report import Report
from tests.bench.test_qr_time import CHIP, site
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

STARTS = 5
IDLE_S = 10.0
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


async def test_start_and_idle(tmp_path: Path, report: Report) -> None:
    starts = [await start_s(tmp_path / f"new-{number}") for number in range(STARTS)]
    again = [await start_s(tmp_path / "new-0") for _ in range(STARTS)]
    async with UartLine() as line:
        board = Board(str(line.device_tty), tmp_path / "board", chip=CHIP)
        running = asyncio.create_task(board.run())
        try:
            async with site(tmp_path / "data", f"{line.host_tty}=native") as (hub, _):
                pids = [hub.pid, *children(hub.pid)]
                before = [cpu_s(pid) for pid in pids]
                await asyncio.sleep(IDLE_S)
                used = [cpu_s(pid) - was for pid, was in zip(pids, before, strict=True)]
                memory = [rss_mb(pid) for pid in pids]
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    report(
        "A hub with one device and nothing to do",
        [
            ("start to ready, new data directory", f"{statistics.median(starts):.2f} s (worst {max(starts):.2f})"),
            ("start to ready, again", f"{statistics.median(again):.2f} s (worst {max(again):.2f})"),
            ("memory of the hub", f"{memory[0]:.0f} MB resident"),
            ("memory of its picture decoder", f"{sum(memory[1:]):.0f} MB resident"),
            ("processor", f"{100 * sum(used) / IDLE_S:.1f} % of one core over {IDLE_S:.0f} s"),
        ],
    )


async def start_s(data: Path) -> float:
    """Seconds from the start of the process to its `ready`."""
    hub = HubProcess(data)
    await hub.start()
    await hub.stop()
    return hub.start_s


def children(pid: int) -> list[int]:
    """The processes it has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_s(pid: int) -> float:
    """Processor time it has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def rss_mb(pid: int) -> float:
    """Resident memory."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024

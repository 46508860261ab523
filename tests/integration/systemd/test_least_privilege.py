"""The hub needs no more than its unit leaves it: run without privileges, and every system call it makes looked at.

systemd is not the first process here, so its sandbox is not put up; what the sandbox would refuse is looked for in
the trace of a hub that starts, drives a display, reads a stranger's picture in its decoder, and stops.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import segno

from edge.client import Client, connect
from edge.errors import OutpostError
from edge.sim.board import Board
from edge.sim.uart import UartLine
from edge.wire.views import NewCommand, PreviewRequest
from tests.integration.systemd import trace as tracing
from tests.integration.systemd import units
from tests.integration.systemd.service import HUB, Service
from tests.tools import needs_tool

UNIT = "outpost-hub.service"
CHIP = "A0B7650C2D31"
PATIENCE_S = 60.0  # everything is slower while it is traced


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> tracing.Trace:
    """Every system call of a whole life, as name and the rest of strace's line."""
    return asyncio.run(_life(tmp_path_factory.mktemp("life")))


async def _life(folder: Path) -> tracing.Trace:
    trace = folder / "trace"
    async with UartLine() as line, _board(line, folder):
        hub = (*HUB, "--serial", f"{line.host_tty}=native")
        async with (
            Service(folder, hub=hub, wrapper=tracing.wrapper(trace)) as service,
            connect(service.data_dir) as client,
        ):
            await _work(client)
            await service.told("WATCHDOG=1", within_s=PATIENCE_S)
            assert await service.stop() == 0
    return tracing.read(trace)


@contextlib.asynccontextmanager
async def _board(line: UartLine, folder: Path) -> AsyncIterator[None]:
    board = asyncio.create_task(Board(str(line.device_tty), folder / "display", chip=CHIP).run())
    try:
        yield
    finally:
        board.cancel()
        await asyncio.gather(board, return_exceptions=True)


async def _work(client: Client) -> None:
    """A QR shown on the display, and one read from a picture."""
    async with asyncio.timeout(PATIENCE_S):
        await _online(client)
        await client.send("POST", f"/v1/devices/{CHIP}/approve")
        wanted = NewCommand(kind="display_qr", args={"image": _picture("upi://pay?pa=a@b")})
        command = await client.send("POST", f"/v1/devices/{CHIP}/commands", wanted)
        while command["state"] in ("queued", "sent"):
            await asyncio.sleep(0.1)
            command = await client.get(f"/v1/commands/{command['id']}")
        assert command["state"] == "succeeded"
        await client.send("POST", "/v1/content/preview", PreviewRequest(panel="tft-320x480", image=_picture("x")))


async def _online(client: Client) -> None:
    """Wait until the display has said who it is."""
    while True:
        with contextlib.suppress(OutpostError):
            if (await client.get(f"/v1/devices/{CHIP}"))["online"]:
                return
        await asyncio.sleep(0.1)


def _picture(text: str) -> str:
    out = io.BytesIO()
    segno.make(text).save(out, kind="png", scale=4, border=4)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def test_it_makes_no_system_call_that_its_filter_refuses(trace: tracing.Trace) -> None:
    needs_tool("systemd-analyze")
    made = {name for name, _ in trace}
    assert {"execve", "fdatasync", "prlimit64"} <= made, "the trace saw the hub commit and the decoder bound itself"
    assert tracing.refused(trace, UNIT) == set()


def test_it_needs_no_memory_that_is_both_writable_and_executable(trace: tracing.Trace) -> None:
    assert units.settings(UNIT)["MemoryDenyWriteExecute"] == ["yes"]
    assert tracing.writable_and_executable(trace) == []


def test_it_opens_only_sockets_of_the_families_it_may(trace: tracing.Trace) -> None:
    assert tracing.families(trace) <= set(units.settings(UNIT)["RestrictAddressFamilies"][0].split())


def test_it_writes_in_its_data_directory_alone(trace: tracing.Trace) -> None:
    paths = tracing.written(trace)
    assert any(path.endswith("/data/hub.db-wal") for path in paths), "the trace saw it write"
    outside = {path for path in paths if "/data/" not in path and not path.startswith(("/dev/pts/", "/dev/ptmx"))}
    assert outside <= {"/dev/null"}


def test_it_enters_no_namespace_and_sets_no_id_bits(trace: tracing.Trace) -> None:
    assert tracing.namespaces_and_id_bits(trace) == []

"""Updates over the air: bytes and seconds on one board, how soon a canary is confirmed, what many downloads cost.

The boards are the real firmware on MicroPython with their app in two folders; the hub is a process. A virtual board
does not imitate how long a chip takes to write its flash and to verify: its seconds are those of the way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge.sim.board import FIRMWARE
from edge.sim.field_board import FieldBoard
from edge.wire.updates import PIECE_BYTES
from tests.bench.report import Report
from tests.bench.test_accept_rate import LOAD_CORE, ON_SERVER_CORE
from tests.bench.test_idle import cpu_s
from tests.e2e.network_site import Site, until
from tests.e2e.updating import (
    CHIP,
    SETTINGS,
    downloaded,
    firmware,
    here,
    on_the_network,
    reached,
    runs,
    taken_in,
    trust,
)
from tests.firmware.apps import App, app
from tests.firmware.two_slots import base, built_files, variant
from tests.firmware_keys import PUBLIC
from tests.hub_process import HubProcess

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

DEVICES = 50
TURNS = 5
TRIES = 3
BAUD = 115200
MARK = "\nMARK = {}\n"
HERE = Path(__file__).parent
ROOMY = {"OUTPOST_LIMITS__ANONYMOUS_PER_MINUTE": "1000000000"}


async def test_one_file_and_all_over_the_network(tmp_path: Path, report: Report) -> None:
    async with Site(tmp_path / "hub") as site, on_the_network(tmp_path, site, base()) as board:
        device = await taken_in(site, board)
        rows = await one_and_all(site, device)
        canaries = [await canary(site, device, f"20261105.00000{number}") for number in range(TRIES)]
    rows.append(
        (
            "one changed file from its upload to the canary confirmed",
            f"{statistics.median(canaries):.1f} s (worst {max(canaries):.1f})",
        )
    )
    report("An update of a board over the network (loopback)", rows)


async def test_one_file_and_all_over_a_cable(tmp_path: Path, report: Report) -> None:
    async with on_a_cable(tmp_path, "base", base()) as (site, device):
        rows = await one_and_all(site, device)
    report(f"An update of a board over a cable of {BAUD} baud", rows)


async def test_codes_on_a_display_that_downloads(tmp_path: Path, report: Report) -> None:
    async with on_a_cable(tmp_path, "display", variant("display")) as (site, device):
        took = []
        await assigned(site, device, variant("display", "20261102.000000", all_changed("display", 1)))
        await until(partial(reached, site, device, "downloading"))
        while await reached(site, device, "downloading"):
            began = time.perf_counter()
            wanted = {"kind": "display_qr", "args": {"payload": f"upi://pay?pa=cafe@example&tr={len(took)}"}}
            command = await site.ask("POST", f"/v1/devices/{device}/commands", wanted)
            await until(partial(succeeded, site, command["id"]))
            took.append(time.perf_counter() - began)
    said = f"{statistics.median(took):.2f} s (worst of {len(took)}: {max(took):.2f} s)"
    report(
        f"QR to shown and acknowledged while an update crosses the same cable, {BAUD} baud", [("half within", said)]
    )


async def test_many_that_download_at_once(tmp_path: Path, report: Report) -> None:
    wanted = app(built_files("vending"), version="20261102.000000", target="vending")
    files = {name: len(data) for name, data in wanted.by_hash().items() if len(name) == 64}
    (tmp_path / "files").mkdir()
    for name in files:
        (tmp_path / "files" / name).write_bytes(wanted.by_hash()[name])
    hub = HubProcess(tmp_path / "data", prefix=ON_SERVER_CORE, more=ROOMY)
    await hub.start()
    try:
        devices = await rolled_out(hub, wanted)
        common = {"devices": devices, "files": files, "piece": PIECE_BYTES}
        ours = {
            **common,
            "port": port(hub.url),
            "prefix": f"/v1/device/firmware/{wanted.id}/files/",
            "signed": True,
        }
        async with file_server(tmp_path / "files") as (bare, pid):
            plain = {**common, "port": port(bare), "prefix": "/files/", "signed": False}
            turns = [(await load(pid, plain), await load(hub.pid, ours)) for _ in range(TURNS)]
    finally:
        await hub.stop()
    ratios = sorted(of_bare["cpu_us"] / of_hub["cpu_us"] for of_bare, of_hub in turns)
    report(
        f"{DEVICES} devices download {wanted.size:,} bytes each at once, in pieces of {PIECE_BYTES:,}",
        [
            ("aiohttp's own file server", figures([of_bare for of_bare, _ in turns])),
            ("hub, verified and signed", figures([of_hub for _, of_hub in turns])),
            (
                "ratio of processor time, median of turns",
                f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            ),
        ],
    )


# --- one board


@contextlib.asynccontextmanager
async def on_a_cable(folder: Path, name: str, first: App) -> AsyncIterator[tuple[Site, str]]:
    """A hub and a board on a paced line, approved."""
    board = FieldBoard(
        folder / "board",
        variant=name,
        chip=CHIP,
        network="",
        settings=SETTINGS,
        console=False,
        layout="ab",
        baud=BAUD,
    )
    first.put(folder / "board" / "flash" / "a")
    async with board, Site(folder / "hub", cables=[board.host_tty]) as site:
        device = str((await until(partial(here, site)))["id"])
        await site.ask("POST", f"/v1/devices/{device}/approve", {})
        yield site, device


def all_changed(name: str, number: int) -> dict[str, str]:
    """Every module of a variant with another line."""
    modules = [path.removesuffix(".mpy") for path in built_files(name) if path.endswith(".mpy")]
    return {module: (FIRMWARE / f"{module}.py").read_text("utf-8") + MARK.format(number) for module in modules}


def one_changed(number: int) -> dict[str, str]:
    """One module with another line."""
    return {"outpost/dates": (FIRMWARE / "outpost" / "dates.py").read_text("utf-8") + MARK.format(number)}


async def one_and_all(site: Site, device: str) -> list[tuple[str, str]]:
    """An update of one file, then one of all."""
    rows = []
    for what, version, changes in (
        ("one file changed", "20261102.000000", one_changed(1)),
        ("all files changed", "20261103.000000", all_changed("base", 2)),
    ):
        wanted = await asyncio.to_thread(base, version, changes)
        before = await downloaded(site)
        staged_s, confirmed_s = await timed(site, device, partial(assigned, site, device, wanted))
        sent = await downloaded(site) - before
        said = f"{staged_s:.1f} s to the switch, {confirmed_s:.1f} s to confirmed"
        rows.append((what, f"{sent:,} of {wanted.size:,} bytes; {said}"))
        await until(partial(runs, site, device, wanted))
    return rows


async def timed(site: Site, device: str, begin: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Seconds until the board has switched, and until it is confirmed."""
    began = time.perf_counter()
    await begin()
    await until(partial(past_switch, site, device), seconds=300)
    staged_s = time.perf_counter() - began
    await until(partial(reached, site, device, "confirmed"), seconds=300)
    return staged_s, time.perf_counter() - began


async def canary(site: Site, device: str, version: str) -> float:
    """Seconds from the upload of one changed file to the canary's confirmation."""
    wanted = await asyncio.to_thread(base, version, one_changed(int(version[-1]) + 3))
    began = time.perf_counter()
    artifact = await site.upload(wanted.bundle())
    rollout = {
        "artifact": artifact["id"],
        "target": {"devices": [device]},
        "plan": {"waves": [0, 100], "soak_s": 0},
    }
    await site.ask("POST", "/v1/rollouts", rollout)
    await until(partial(confirmed_as, site, device, wanted))
    took_s = time.perf_counter() - began
    await until(partial(runs, site, device, wanted))
    return took_s


async def confirmed_as(site: Site, device: str, wanted: App) -> bool:
    """Whether this is confirmed."""
    state = await firmware(site, device)
    return bool(state["artifact"] == wanted.id and state["step"] == "confirmed")


async def assigned(site: Site, device: str, wanted: App) -> None:
    """Upload it and let the board run it."""
    await trust(site, "first")
    artifact = await site.upload(wanted.bundle())
    await site.ask("PUT", f"/v1/devices/{device}/firmware", {"artifact": artifact["id"]})


async def past_switch(site: Site, device: str) -> bool:
    """Whether it has switched."""
    return (await firmware(site, device))["step"] in ("staged", "testing", "confirmed")


async def succeeded(site: Site, command: str) -> bool:
    """Whether a command was done. Raises AssertionError when it never will be."""
    state = (await site.ask("GET", f"/v1/commands/{command}"))["state"]
    assert state in ("queued", "sent", "succeeded")
    return bool(state == "succeeded")


# --- many devices


async def rolled_out(hub: HubProcess, wanted: App) -> list[list[str]]:
    """Devices, each offered the app; with their tokens."""
    devices = []
    async with hub.session() as session:
        for number in range(DEVICES):
            async with session.post("/v1/devices", json={"name": f"m{number}", "kind": "vending"}) as response:
                made = await response.json()
                devices.append([made["id"], made["token"]])
        for path, body in (
            ("/v1/firmware-keys", {"name": "maker", "pem": PUBLIC["first"].pem}),
            ("/v1/artifacts", wanted.bundle()),
            ("/v1/rollouts", {"artifact": wanted.id, "target": {"kind": "vending"}, "plan": {"waves": [100]}}),
        ):
            sent: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
            async with session.post(path, **sent) as response:
                assert response.status == 201, await response.text()
    return devices


@contextlib.asynccontextmanager
async def file_server(folder: Path) -> AsyncIterator[tuple[str, int]]:
    """The yardstick's address, and its process."""
    command = [*ON_SERVER_CORE, sys.executable, str(HERE / "bare_files.py"), str(folder)]
    server = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert server.stdout is not None
    line = (await server.stdout.readline()).decode()
    try:
        yield line.split()[-1], server.pid  # taskset becomes what it starts
    finally:
        server.kill()
        await server.wait()


async def load(pid: int, wanted: dict[str, Any]) -> dict[str, float]:
    """One turn: seconds, bytes, and the server's processor time, in all and for each request."""
    program = [sys.executable, "-m", "tests.bench.download_load", str(LOAD_CORE)]
    root = HERE.parents[1]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    client = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, cwd=root, env=environ)
    before = cpu_s(pid)
    said, _ = await client.communicate(json.dumps(wanted).encode())
    assert client.returncode == 0
    turn: dict[str, float] = json.loads(said)
    used = cpu_s(pid) - before
    return {**turn, "cpu_s": used, "cpu_us": 1e6 * used / turn["requests"]}


def figures(turns: Sequence[dict[str, float]]) -> str:
    """The medians."""
    seconds, cpu, each = (
        statistics.median(turn[what] for turn in turns) for what in ("seconds", "cpu_s", "cpu_us")
    )
    rate = statistics.median(turn["bytes"] / turn["seconds"] for turn in turns) / 1e6
    return f"{seconds:.1f} s, {rate:.1f} MB/s; {cpu:.1f} s of one core, {each:.0f} us a piece"


def port(url: str) -> int:
    """Of an address."""
    return int(url.rsplit(":", 1)[1])

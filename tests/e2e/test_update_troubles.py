"""Updates that go wrong, or meet with trouble: the real firmware comes back on a good version and says why."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import os
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.sim.board import FIRMWARE
from edge.sim.field_board import FieldBoard
from tests.e2e.network_site import Site, until
from tests.e2e.updating import (
    CHIP,
    SETTINGS,
    assign,
    firmware,
    has,
    here,
    on_the_network,
    reached,
    runs,
    taken_in,
    trust,
)
from tests.firmware.apps import App, app
from tests.firmware.two_slots import base, built_files, variant
from tests.tools import needs_root

BALLAST = random.Random(8).randbytes(60_000)
FLASH_BYTES = 512 * 1024
PAYLOAD = "upi://pay?pa=cafe@example&am=125.00&cu=INR"
SHOWN = {"OUTPOST_CONTENT__QR_SHOW_S": "8"}
TRIAL = {"CONFIRM_MS = 90000": "CONFIRM_MS = 8000"}  # a minute and a half is long for a test
SILENT = {'when it is time for it. Given again until `reported`."""': 'never says."""\n        return None'}


def source(module: str, changes: dict[str, str]) -> dict[str, str]:
    """A module of the firmware with some of its text another."""
    text = (FIRMWARE / f"{module}.py").read_text()
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return {module: text}


def heavy(version: str, name: str = "base") -> App:
    """What takes a while to be sent."""
    return app({**built_files(name), "ballast.bin": BALLAST}, version=version, target=name)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path / "hub") as site:
        yield site


async def test_it_runs_what_its_own_keys_have_signed_and_its_bytes_prove(tmp_path: Path, site: Site) -> None:
    """Whom the hub trusts is not enough: a board asks the keys of the app that it runs, which the update before
    brought. And what the hub's disk has damaged is not installed."""
    files = built_files("base")
    stranger = app(files, version="20261102.000000", target="base", signed_by=("stranger",))
    rotated = app(files, version="20261103.000000", target="base", trusts=("second",))
    outdated = app(files, version="20261104.000000", target="base", trusts=("second",))
    next_one = app(files, version="20261105.000000", target="base", trusts=("second",), signed_by=("second",))
    damaged = app(
        {**files, "ballast.bin": BALLAST}, version="20261106.000000", target="base", trusts=("second",),
        signed_by=("second",),
    )  # fmt: skip
    async with on_the_network(tmp_path, site, base()) as board:
        device = await taken_in(site, board)
        await trust(site, "first", "second", "stranger")
        ends = [(stranger, "rejected"), (rotated, "confirmed"), (outdated, "rejected"), (next_one, "confirmed")]
        for wanted, end in ends:
            await assign(site, device, wanted)
            state = await until(functools.partial(ended, site, device, wanted))
            assert (state["step"], "trusted" in state["reason"]) == (end, end == "rejected"), state
        artifact = await site.upload(damaged.bundle())
        kept = site.folder / "firmware" / "files" / hashlib.sha256(BALLAST).hexdigest()
        before = kept.stat()
        kept.write_bytes(bytes(len(BALLAST)))
        os.utime(kept, ns=(before.st_atime_ns, before.st_mtime_ns))  # nobody wrote it: the disk forgot
        await site.ask("PUT", f"/v1/devices/{device}/firmware", {"artifact": artifact["id"]})
        state = await until(lambda: said(site, device, "wrong hash: ballast.bin"))
        assert state["step"] == "waiting"  # for another try
        assert await runs(site, device, next_one)


async def test_it_goes_back_unless_it_is_well_and_waits_while_it_is_paused(tmp_path: Path, site: Site) -> None:
    changes = source("outpost/updates", TRIAL) | source("outpost/reporting", SILENT)
    unwell, well = base("20261102.000000", changes), base("20261103.000000")
    async with on_the_network(tmp_path, site, base()) as board:
        device = await taken_in(site, board)
        first = (await until(lambda: firmware(site, device)))["app"]
        await assign(site, device, unwell)
        state = await until(lambda: said(site, device, "not well at its hub in 90 s"))
        assert state["step"] == "rolled-back"
        await until(lambda: back_to(site, device, first))

        slot = board.folder / "flash" / "nvs" / "slot"  # which folder starts
        before = slot.read_text()
        await assign(site, device, well)
        await until(lambda: switched(slot, before))
        await site.kill()
        await site.start()
        await until(lambda: reached(site, device, "confirmed"))

        large = heavy("20261104.000000")
        await assign(site, device, large)
        ballast = board.folder / "flash" / "offered" / f"part-{hashlib.sha256(BALLAST).hexdigest()[:16]}"
        await until(lambda: has(ballast, 6_000))
        rollout = f"/v1/rollouts/{(await firmware(site, device))['rollout']}"
        await site.ask("POST", f"{rollout}/pause", {})
        size = await until(lambda: settled(ballast))
        assert size < len(BALLAST)
        await site.ask("POST", f"{rollout}/resume", {})
        await until(lambda: has(ballast, size + 4_000))
        await site.ask("POST", f"{rollout}/abort", {})
        assert await reached(site, device, "withdrawn")
        assert await until(lambda: settled(ballast)) < len(BALLAST)
        await assign(site, device, large)
        await until(lambda: reached(site, device, "confirmed"))
        assert (board.folder / "flash" / ("ab"[int(slot.read_text())]) / "ballast.bin").read_bytes() == BALLAST


async def test_a_display_shows_its_codes_while_it_is_updated_and_then_restarts(tmp_path: Path) -> None:
    """A code comes while pieces cross the cable. The restart waits until it was shown for its time."""
    board = FieldBoard(
        tmp_path / "board", variant="display", chip=CHIP, network="", settings=SETTINGS, console=False, layout="ab"
    )
    variant("display").put(tmp_path / "board" / "flash" / "a")
    large = heavy("20261102.000000", "display")
    async with board, Site(tmp_path / "hub", cables=[board.host_tty], settings=SHOWN) as site:
        device = str((await until(lambda: here(site)))["id"])
        await site.ask("POST", f"/v1/devices/{device}/approve", {})
        await assign(site, device, large)
        ballast = board.folder / "flash" / "offered" / f"part-{hashlib.sha256(BALLAST).hexdigest()[:16]}"
        await until(lambda: has(ballast, 2_000))
        codes = []
        while await reached(site, device, "downloading"):
            wanted = {"kind": "display_qr", "args": {"payload": f"{PAYLOAD}&tr={len(codes)}"}}
            codes.append(await site.ask("POST", f"/v1/devices/{device}/commands", wanted))
            await until(lambda: over(site, codes[-1]))
        delayed = await until(lambda: reached(site, device, "delayed"))
        assert delayed["reason"] == "a QR is shown"
        await until(lambda: reached(site, device, "confirmed"))
        assert codes
        assert {(await over(site, code))["state"] for code in codes} == {"succeeded"}


async def test_a_board_whose_flash_has_no_room_says_so(tmp_path: Path, site: Site, small_flash: Path) -> None:
    large = app({**built_files("base"), "ballast.bin": BALLAST * 7}, version="20261102.000000", target="base")
    async with on_the_network(tmp_path, site, base()) as board:
        assert board.folder / "flash" == small_flash
        device = await taken_in(site, board)
        await assign(site, device, large)
        state = await until(lambda: said(site, device, "no room"))
        assert state["step"] == "waiting"
        assert state["version"] == "20261101.000000"


@pytest.fixture
def small_flash(tmp_path: Path) -> Iterator[Path]:
    """The board's flash is a small one."""
    needs_root("mount a small file system")
    folder = tmp_path / "board" / "flash"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FLASH_BYTES}", "small", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


async def ended(site: Site, device: str, wanted: App) -> Any:
    """How its update to this has ended."""
    state = await firmware(site, device)
    return state if state["artifact"] == wanted.id and state["step"] in ("confirmed", "rejected") else None


async def said(site: Site, device: str, words: str) -> Any:
    """The state in which its reason has these words."""
    state = await firmware(site, device)
    return state if words in state["reason"] else None


async def back_to(site: Site, device: str, artifact: str) -> bool:
    """Whether it runs that again, for good."""
    state = await firmware(site, device)
    return (state["app"], state["trial"]) == (artifact, False)


async def switched(slot: Path, before: str) -> bool:
    """Whether the next start is of the other folder."""
    return slot.read_text() != before


async def settled(file: Path) -> int:
    """Its size once that is the same for a second; 0 before."""
    size = file.stat().st_size
    await asyncio.sleep(1)
    return size if file.stat().st_size == size else 0


async def over(site: Site, command: dict[str, Any]) -> Any:
    """A command that has ended."""
    now = await site.ask("GET", f"/v1/commands/{command['id']}")
    return now if now["state"] not in ("queued", "sent") else None

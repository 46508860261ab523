"""Updates over the air, end to end: apps built and signed, a real hub, the real firmware in its two folders."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.sim.board import FIRMWARE
from edge.sim.field_board import FieldBoard
from tests.e2e.network_site import Site, until
from tests.e2e.updating import (
    CHIP,
    SETTINGS,
    assign,
    downloaded,
    has,
    here,
    kind,
    on_the_network,
    reached,
    runs,
    taken_in,
)
from tests.firmware.apps import app
from tests.firmware.two_slots import CRASH, base, built_files

DATES = (FIRMWARE / "outpost" / "dates.py").read_text()
CHANGED = {"outpost/dates": DATES + "\nMARK = 2\n"}
BALLAST = random.Random(7).randbytes(150_000)  # what no compiler makes smaller


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path / "hub") as site:
        yield site


async def test_what_changed_crosses_the_network_and_what_is_bad_goes_back(tmp_path: Path, site: Site) -> None:
    """One file of an app differs, and it alone is sent. The next app cannot be loaded: the board returns."""
    good, bad = base("20261102.000000", CHANGED), base("20261103.000000", {"outpost/clock": CRASH})
    async with on_the_network(tmp_path, site, base()) as board:
        device = await taken_in(site, board)
        await assign(site, device, good)
        state = await until(lambda: reached(site, device, "confirmed"))
        assert (state["version"], state["app"], state["trial"]) == ("20261102.000000", good.id, False)
        assert await downloaded(site) == len(good.files["outpost/dates.mpy"])
        assert await runs(site, device, good)

        await assign(site, device, bad)
        state = await until(lambda: reached(site, device, "rolled-back"))
        assert "RuntimeError" in state["reason"]
        assert state["held_off_until"] is not None
        await until(lambda: runs(site, device, good))


async def test_whatever_is_cut_in_the_middle_it_goes_on_where_it_was(tmp_path: Path, site: Site) -> None:
    """The board's power, the hub and the network, each while bytes flow: no byte is fetched much more than once."""
    heavy = app({**built_files("base"), "ballast.bin": BALLAST}, version="20261104.000000", target="base")
    async with on_the_network(tmp_path, site, base()) as board:
        device = await taken_in(site, board)
        await assign(site, device, heavy)
        ballast = board.folder / "flash" / "b" / "ballast.bin"
        await until(lambda: has(ballast, 20_000))
        await board.power_off()
        board.power_on()
        before = await downloaded(site)
        await until(lambda: has(ballast, 60_000))
        await site.kill()
        await site.start()
        await until(lambda: has(ballast, 100_000))
        board.network(up=False)
        board.network(up=True)
        await until(lambda: reached(site, device, "confirmed"))
        assert before + await downloaded(site) < len(BALLAST) * 1.5
        assert ballast.read_bytes() == BALLAST


async def test_base_and_blink_take_each_others_place_and_keep_what_was_set(tmp_path: Path, site: Site) -> None:
    """The WiFi, the hub, the key and the name stay."""
    blink = app(built_files("blink"), version="20261105.000000", target="blink")
    sensor = app(built_files("sensor"), version="20261106.000000", target="sensor")
    async with on_the_network(tmp_path, site, base()) as board:
        device = await taken_in(site, board)
        await assign(site, device, blink)
        await until(lambda: reached(site, device, "confirmed"))
        shown = await until(lambda: kind(site, device, "blink"))
        assert shown["name"] == SETTINGS["name"]
        await site.ask("PATCH", f"/v1/devices/{device}/twin", {"desired": {"led_mode": "on"}})
        await assign(site, device, sensor)  # what has pins of its own is not changed over the air
        state = await until(lambda: reached(site, device, "rejected"))
        assert "sensor" in state["reason"]


async def test_over_a_cable(tmp_path: Path) -> None:
    """A board that no network reaches is updated by the same steps, while it obeys."""
    board = FieldBoard(
        tmp_path / "board", variant="base", chip=CHIP, network="", settings=SETTINGS, console=False, layout="ab"
    )
    good = base("20261102.000000", CHANGED)
    base().put(tmp_path / "board" / "flash" / "a")
    async with board, Site(tmp_path / "hub", cables=[board.host_tty]) as site:
        found = await until(lambda: here(site))
        device = str(found["id"])
        await site.ask("POST", f"/v1/devices/{device}/approve", {})
        await assign(site, device, good)
        await until(lambda: reached(site, device, "confirmed"))
        await until(lambda: runs(site, device, good))

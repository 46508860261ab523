"""Boards with our firmware on a cable alone: the real firmware on MicroPython, a real hub, a paced line."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edge.sim.field_board import FieldBoard
from tests.e2e.network_site import Site, until
from tests.e2e.watching import (
    changes,
    ended,
    exists,
    online,
    reported,
    seconds,
    surroundings,
    switched,
    toggled_for,
    turns,
)
from tests.patience import AT_ONCE_S

CHIP = "A0B1C2D3E4F5"
FAST = {"read_s": 2, "debounce_ms": 0}


@asynccontextmanager
async def wired(tmp_path: Path, variant: str, **settings: object) -> AsyncIterator[tuple[Site, FieldBoard]]:
    """A hub, and a board on a cable of it that knows no network."""
    board = FieldBoard(
        tmp_path / "board", variant=variant, chip=CHIP, network="", settings={**FAST, **settings}, console=False
    )
    board.folder.mkdir()
    surroundings(board, temperature=21.5, d0=False)
    async with board, Site(tmp_path / "hub", cables=[board.host_tty]) as site:
        yield site, board


async def approved(site: Site, board: FieldBoard) -> str:
    """Wait until the board is there, pending, and let it in; its id."""
    device = await until(functools.partial(_only, site))
    assert (device["state"], device["online"], device["kind"]) == ("pending", True, board.variant)
    await site.ask("POST", f"/v1/devices/{device['id']}/approve", {})
    return str(device["id"])


async def _only(site: Site) -> Any:
    """The one device of the hub, once it is there."""
    devices = (await site.ask("GET", "/v1/devices"))["items"]
    assert len(devices) <= 1
    return devices[0] if devices and devices[0]["online"] else None


async def test_a_sensor_is_approved_once_and_its_readings_and_switches_go_over_the_cable(tmp_path: Path) -> None:
    async with wired(tmp_path, "sensor") as (site, board):
        device = await approved(site, board)
        assert device == CHIP  # its id is its MAC
        rows = await until(lambda: site.history(device, "temperature"))
        assert rows[0]["value"] == 21.5
        async with asyncio.timeout(AT_ONCE_S):
            await site.ask("PATCH", f"/v1/devices/{device}/twin", {"desired": {"v1": True, "v9": True}})
            await until(lambda: switched(board, v1=True))
            twin = await until(lambda: reported(site, device, v1=True))
        assert twin["pending"] == ["v9"]  # there is no such switch
        life = await until(lambda: _life(site, device))
        await board.power_off()
        (board.folder / "outputs.json").unlink()
        board.power_on()
        await until(lambda: switched(board, v1=True))  # it remembers
        await until(lambda: _life_after(site, device, life))
        assert (await _only(site))["state"] == "approved"


async def _life(site: Site, device: str) -> Any:
    """The number of its start, by its report."""
    latest = (await site.ask("GET", f"/v1/devices/{device}/latest"))["items"]
    return next((row["value"] for row in latest if row["key"] == "health.boot"), None)


async def _life_after(site: Site, device: str, life: object) -> bool:
    return bool(await _life(site, device) != life)


async def test_what_is_read_while_the_hub_is_away_arrives_over_the_cable_once_with_its_own_times(
    tmp_path: Path,
) -> None:
    async with wired(tmp_path, "sensor", read_s=3600) as (site, board):
        device = await approved(site, board)
        await until(lambda: site.history(device, "d0"))
        await site.kill()
        spread_s = await toggled_for(board, 40)
        await site.start()
        rows = await until(lambda: changes(site, device, 41))
        assert [row["value"] for row in rows][-40:] == [True, False] * 20
        assert abs(seconds(rows[-40]["at"], rows[-1]["at"]) - spread_s) < 0.5
        every = await site.history(device, "d0")
        assert len({row["at"] for row in every}) == len(every)  # each came once
        assert (await _only(site))["state"] == "approved"


async def test_a_vend_over_the_cable_succeeds_and_a_power_cut_in_one_leaves_it_in_doubt(
    tmp_path: Path,
) -> None:
    async with wired(tmp_path, "vending", motor_ms=100) as (site, board):
        device = await approved(site, board)
        stock = {"item": "Water", "price": 100, "currency": "EUR", "capacity": 9}
        await site.ask("PUT", f"/v1/devices/{device}/slots/1", stock)
        await site.ask("POST", f"/v1/devices/{device}/slots/1/restock", {"add": 9})
        done = await _vended(site, device)
        assert done["state"] == "succeeded"
        assert turns(board) == 1
        halted = board.folder / "halted"
        await board.power_off()
        board.board.halt = "turning"
        board.power_on()
        await until(lambda: online(site, device))
        asked = asyncio.create_task(_vended(site, device))
        await until(lambda: exists(halted))
        await board.power_off()
        board.board.halt = ""
        board.power_on()
        assert (await asked)["state"] == "in_doubt"
        assert turns(board) == 2
        (slot,) = [s for s in (await site.ask("GET", "/v1/slots"))["items"] if s["slot"] == 1]
        assert (slot["count"], slot["in_doubt"]) == (8, 1)
        assert (await site.ask("GET", "/v1/vending/agreement"))["disagreements"] == []


async def _vended(site: Site, device: str) -> Any:
    """Have one dispensed; the command at its end."""
    asked = await site.ask("POST", f"/v1/devices/{device}/slots/1/vend", {})
    return await until(lambda: ended(site, asked["command"]["id"]))

"""A board with our firmware on a cable and on the network of one hub at once: it is one device."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from edge.sim.field_board import FieldBoard
from tests.e2e.network_site import Site, until
from tests.e2e.watching import ended, online, surroundings, toggled, turns

CHIP = "A0B1C2D3E4F5"
ASKED = 4  # of each sort


@asynccontextmanager
async def wired(tmp_path: Path, variant: str, **settings: object) -> AsyncIterator[tuple[Site, FieldBoard]]:
    """A board that was approved over the network, and now has a cable to the same hub besides."""
    told = {"read_s": 2, "debounce_ms": 0, **settings}
    folder = tmp_path / "board"
    both = FieldBoard(folder, variant=variant, chip=CHIP, network="-", settings=told, console=False)
    async with Site(tmp_path / "hub", cables=[both.host_tty]) as site:
        told["hub_url"] = site.url
        async with FieldBoard(folder, variant=variant, chip=CHIP, network="-", settings=told) as alone:
            id = await site.approve(CHIP, await alone.code())
            await until(lambda: online(site, id))
        async with both:
            await until(lambda: _has(site, "serial "))
            yield site, both


async def _has(site: Site, link: str) -> dict[str, Any] | None:
    """The only device there is, once its best link begins so."""
    (device,) = (await site.ask("GET", "/v1/devices"))["items"]
    return device if device["link"].startswith(link) else None


async def test_readings_come_once_whichever_link_takes_them(tmp_path: Path) -> None:
    async with wired(tmp_path, "sensor", read_s=3600) as (site, board):
        surroundings(board, d0=False)
        await until(lambda: site.history(CHIP, "d0"))
        await toggled(board, 6)
        board.network(up=False)  # in the middle, so that the cable goes on where the network was
        await toggled(board, 6)
        board.network(up=True)
        await toggled(board, 6)
        # each once; not in which order: the clock is set anew on the other link, by as much as an answer took
        every = await until(lambda: _so_many(site, 19))
        assert Counter(row["value"] for row in every) == {False: 10, True: 9}
        await _has(site, "serial ")


async def test_a_command_goes_over_one_link_and_over_the_network_once_the_cable_is_cut(tmp_path: Path) -> None:
    async with wired(tmp_path, "vending", motor_ms=50) as (site, board):
        stock = {"item": "Water", "price": 100, "currency": "EUR", "capacity": 9}
        await site.ask("PUT", f"/v1/devices/{CHIP}/slots/1", stock)
        await site.ask("POST", f"/v1/devices/{CHIP}/slots/1/restock", {"add": 9})
        vend = f"/v1/devices/{CHIP}/slots/1/vend"
        done = [await _ended(site, f"/v1/devices/{CHIP}/commands", kind="machine_status") for _ in range(ASKED)]
        done += [await _ended(site, vend) for _ in range(ASKED)]
        assert [(one["state"], one["attempts"]) for one in done] == [("succeeded", 1)] * len(done)
        board.cable(up=False)
        await until(lambda: _has(site, "wifi "))
        done.append(await _ended(site, vend))
        assert done[-1]["state"] == "succeeded"
        assert turns(board) == ASKED + 1
        lines = (await site.ask("GET", f"/v1/devices/{CHIP}/log?limit=500"))["items"]
        for command in done:
            said = [(line["direction"], line["channel"]) for line in lines if command["id"] in line["text"]]
            assert len(said) == len(set(said)), said  # of too many in a second some are left out
            assert len({channel for _, channel in said}) <= 1, said
        assert said == [("in", "http"), ("out", "http")]
        assert (await site.ask("GET", "/v1/vending/agreement"))["disagreements"] == []


async def _ended(site: Site, path: str, **body: object) -> Any:
    """Ask for a command; it at its end."""
    asked = await site.ask("POST", path, body)
    return await until(lambda: ended(site, (asked.get("command") or asked)["id"]))


async def _so_many(site: Site, count: int) -> list[dict[str, Any]] | None:
    """All readings of d0, once there are so many."""
    rows = await site.history(CHIP, "d0")
    return rows if len(rows) >= count else None

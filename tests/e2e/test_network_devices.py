"""Boards with our firmware on the network: the real firmware on MicroPython, a real hub, real sockets."""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from edge.sim.field_board import CODE, FieldBoard
from tests.e2e.air import air
from tests.e2e.network_site import Site, until
from tests.e2e.strangers import responder, stranger
from tests.e2e.watching import (
    changes,
    ended,
    exists,
    online,
    reported,
    seconds,
    surroundings,
    switched,
    toggled,
    toggled_for,
    turns,
)
from tests.firmware.backlog import backlog

CHIP = "A0B1C2D3E4F5"
FAST = {"read_s": 2, "debounce_ms": 0}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path / "hub") as site:
        yield site


def board(tmp_path: Path, site: Site, variant: str = "sensor", **settings: object) -> FieldBoard:
    """One that was told where its hub is."""
    told = {"hub_url": site.url, **FAST, **settings}
    return FieldBoard(tmp_path / "board", variant=variant, chip=CHIP, network="-", settings=told)


async def test_from_power_up_to_readings_and_switches(tmp_path: Path) -> None:
    """Nobody tells it anything: it finds the hub, shows a code, is approved with it once, and obeys."""
    async with Site(tmp_path / "hub", discovery=True) as site:
        network = f"127.255.255.255:{site.udp_port}"
        async with FieldBoard(
            tmp_path / "board", variant="sensor", chip=CHIP, network=network, settings=FAST
        ) as board:
            surroundings(board, temperature=21.5, d0=True)
            code = await asyncio.wait_for(board.code(), 60)
            pending = await until(lambda: site.device(CHIP))
            assert (pending["state"], pending["kind"], pending["trust"]) == ("pending", "sensor", "paired")
            device = await site.approve(CHIP, code)
            rows = await until(lambda: site.history(device, "temperature"))
            assert rows[0]["value"] == 21.5
            began = time.monotonic()
            await site.ask("PATCH", f"/v1/devices/{device}/twin", {"desired": {"v1": True, "v9": True}})
            await until(lambda: switched(board, v1=True))
            took_s = time.monotonic() - began
            print(f"a switch over the network: {took_s * 1000:.0f} ms")
            twin = await until(lambda: reported(site, device, v1=True))
            assert twin["pending"] == ["v9"]  # there is no such switch
            await board.power_off()
            (board.folder / "outputs.json").unlink()
            board.power_on()
            await until(lambda: switched(board, v1=True))  # it remembers


async def test_what_is_read_while_the_hub_is_away_arrives_once_in_order_with_its_own_times(
    tmp_path: Path, site: Site
) -> None:
    async with board(tmp_path, site) as device:
        id = await site.approve(CHIP, await device.code())
        surroundings(device, d0=False)
        await until(lambda: site.history(id, "d0"))
        await site.kill()
        before = await toggled_for(device, 12)
        await site.start()
        rows = await until(lambda: changes(site, id, 13))
        values = [row["value"] for row in rows][-12:]
        assert values == [True, False] * 6
        times = [row["at"] for row in rows]
        assert len(set(times)) == len(times)
        spread_s = seconds(times[-12], times[-1])
        assert abs(spread_s - before) < 0.5
        device.network(up=False)  # and now the other way round: the hub is there, the network is not
        await toggled(device, 4)
        assert await changes(site, id, 17) is None
        device.network(up=True)
        assert [row["value"] for row in await until(lambda: changes(site, id, 17))][-4:] == [True, False] * 2


async def test_an_hours_backlog_survives_a_hub_killed_in_the_middle_of_it(tmp_path: Path, site: Site) -> None:
    """3,600 readings of one a second, made while the hub was away for an hour; it is killed while it takes them."""
    async with board(tmp_path, site, read_s=3600) as device:
        id = await site.approve(CHIP, await device.code())
        await until(lambda: online(site, id))
        await device.power_off()
        begin_us = int(time.time() * 1_000_000) - 3_700_000_000
        backlog(device.folder / "flash", [(begin_us + n * 1_000_000, {"n": n}) for n in range(3600)])
        device.power_on()
        await until(lambda: site.history(id, "n"))
        await site.kill()
        await site.start()
        rows = await until(lambda: _whole(site, id, 3600))
        assert [row["value"] for row in rows] == list(range(3600))
        assert abs(seconds(rows[0]["at"], rows[-1]["at"]) - 3599) < 0.01
        assert abs(datetime.fromisoformat(rows[0]["at"]).timestamp() * 1_000_000 - begin_us) < 1000


async def _whole(site: Site, device: str, count: int) -> list[dict[str, Any]] | None:
    rows = await site.history(device, "n")
    return rows if len(rows) >= count else None


async def test_a_board_that_loses_power_while_it_writes_loses_little_and_repeats_nothing(
    tmp_path: Path, site: Site
) -> None:
    async with board(tmp_path, site, read_s=3600) as device:
        id = await site.approve(CHIP, await device.code())
        for cut in range(4):
            flips = asyncio.create_task(_flip_for_ever(device))
            await asyncio.sleep(0.3 + cut * 0.07)  # wherever that hits
            flips.cancel()
            await device.power_off()
            device.power_on()
        surroundings(device, d0=True, last=1)
        await until(lambda: site.history(id, "last"))
        rows = await site.history(id, "d0")
        assert len({row["at"] for row in rows}) == len(rows) > 8
        latest = (await site.ask("GET", f"/v1/devices/{id}/latest"))["items"]
        lost = next(row["value"] for row in latest if row["key"] == "health.buffer_lost")
        assert lost <= 4


async def _flip_for_ever(device: FieldBoard) -> None:
    on = False
    while True:
        on = not on
        surroundings(device, d0=on)
        await asyncio.sleep(0.06)


async def test_a_stranger_who_answers_first_is_left_alone(tmp_path: Path) -> None:
    """He answers the search before the hub does, and every request; he has not got the board's key."""
    async with Site(tmp_path / "hub") as site, stranger() as (address, asked):
        answers = [f"OUTPOST 1 {address} {'5' * 32}", f"OUTPOST 1 127.0.0.1 {site.port} {'6' * 32}"]
        async with board(tmp_path, site) as paired:
            id = await site.approve(CHIP, await paired.code())
            await until(lambda: online(site, id))
        async with responder(answers) as udp_port:
            network = f"127.255.255.255:{udp_port}"
            (tmp_path / "board" / "flash" / "nvs" / "hub").unlink(missing_ok=True)
            async with FieldBoard(
                tmp_path / "board", variant="sensor", chip=CHIP, network=network, settings={"hub_url": ""}
            ) as searching:
                surroundings(searching, found=1)
                await until(lambda: site.history(id, "found"))
        assert asked
        assert set(asked) == {"/v1/device/hello"}  # no pairing with him


async def test_out_of_the_wifis_reach_readings_wait_and_then_arrive_once_in_order(tmp_path: Path) -> None:
    """Nothing arrives any more and nobody is told; the hub restarts meanwhile, so no connection outlives it."""
    async with air() as link, Site(tmp_path / "hub", link.host, discovery=True) as site:
        network = f"{link.broadcast}:{site.udp_port}"
        async with FieldBoard(
            tmp_path / "board", variant="sensor", chip=CHIP, network=network, settings=FAST, inside=link.inside
        ) as device:
            id = await site.approve(CHIP, await device.code())
            surroundings(device, d0=False)
            await until(lambda: site.history(id, "d0"))
            await link.cut()
            spread_s = await toggled_for(device, 8)
            await site.kill()
            await site.start()
            assert len(await site.history(id, "d0")) < 8
            await link.mend()
            rows = await until(lambda: changes(site, id, 9))
            assert [row["value"] for row in rows][-8:] == [True, False] * 4
            assert abs(seconds(rows[-8]["at"], rows[-1]["at"]) - spread_s) < 0.5


async def test_a_hub_is_found_by_mdns_alone(tmp_path: Path) -> None:
    async with (
        air() as link,
        Site(tmp_path / "hub", link.host, discovery=True, mdns=True) as site,
        FieldBoard(tmp_path / "board", variant="base", chip=CHIP, network="-", inside=link.inside) as device,
    ):
        await site.approve(CHIP, await asyncio.wait_for(device.code(), 60))


POINTS = (  # where the power goes, how the command may end, how often the motor may have turned
    ("before:claim", {"succeeded"}, 1),
    ("after:claim", {"failed"}, 0),
    ("before:motor", {"failed"}, 0),
    ("after:motor", {"in_doubt"}, 0),
    ("turning", {"in_doubt"}, 1),
    ("before:result", {"in_doubt"}, 1),
    ("after:result", {"succeeded"}, 1),
)


async def test_a_machine_that_loses_power_anywhere_in_a_vend_turns_at_most_once(tmp_path: Path, site: Site) -> None:
    async with board(tmp_path, site, "vending", motor_ms=100) as machine:
        id = await site.approve(CHIP, await machine.code())
        await until(lambda: online(site, id))
        await _commands_arrive_at_once(site, id)
        stock = {"item": "Water", "price": 100, "currency": "EUR", "capacity": 9}
        await site.ask("PUT", f"/v1/devices/{id}/slots/1", stock)
        await site.ask("POST", f"/v1/devices/{id}/slots/1/restock", {"add": 9})
        for point, ends, turned in POINTS:
            before = turns(machine)
            done = await _vend_cut_at(site, id, machine, point)
            print(f"{point}: {done['state']} {done['reason']}")
            assert done["state"] in ends, (point, done)
            assert turns(machine) - before == turned, point
            if done["state"] == "in_doubt":
                end = "succeeded" if turned else "failed"
                await site.ask("POST", f"/v1/commands/{done['id']}/resolve", {"outcome": end, "note": "looked"})
        slots = (await site.ask("GET", f"/v1/slots?device={id}"))["items"]
        (slot,) = [slot for slot in slots if slot["slot"] == 1]
        assert slot["count"] == 9 - turns(machine)
        assert (await site.ask("GET", "/v1/vending/agreement"))["disagreements"] == []


async def _commands_arrive_at_once(site: Site, device: str) -> None:
    took_s = []
    for _ in range(5):
        began = time.monotonic()
        sent = await site.ask("POST", f"/v1/devices/{device}/commands", {"kind": "machine_status"})
        done = await until(functools.partial(ended, site, sent["id"]))
        assert done["state"] == "succeeded"
        took_s.append(time.monotonic() - began)
    print("command to result:", [f"{s * 1000:.0f} ms" for s in took_s])


async def _vend_cut_at(site: Site, device: str, machine: FieldBoard, point: str) -> Any:
    """Vend; the power goes at this point, and comes back. The command at its end."""
    halted = machine.folder / "halted"
    halted.unlink(missing_ok=True)
    await machine.power_off()
    machine.board.halt = point
    machine.power_on()
    sent = await site.ask("POST", f"/v1/devices/{device}/slots/1/vend", {})
    await until(lambda: exists(halted))
    await machine.power_off()
    machine.board.halt = ""
    machine.power_on()
    return await until(lambda: ended(site, sent["command"]["id"]))


async def test_a_virtual_board_of_ones_own(tmp_path: Path, site: Site) -> None:
    """`outpost sim` says what to do, and the board's code."""
    sim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge.cli", "sim", "base", "--hub", site.url),
        *("--folder", str(tmp_path / "sim"), "--chip", CHIP.lower()),
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        assert sim.stdout is not None
        said = ""
        async with asyncio.timeout(60):
            while (found := CODE.search(said)) is None:
                said += (await sim.stdout.readline()).decode()
        assert f"ready sim {CHIP}" in said
        assert f"outpost device approve {CHIP} --code" in said
        await until(functools.partial(online, site, await site.approve(CHIP, found[1])))
    finally:
        sim.terminate()
        await sim.wait()

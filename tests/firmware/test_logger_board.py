"""The logger as a whole board: real firmware on MicroPython, its flash, its cable, its page."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge.sim.field_board import FieldBoard
from edge.sim.logger import first_settings, page
from edge.sim.uart import UartLine
from edge.wire.cable import Readings, Report, Taken, Welcome
from tests.firmware.board import until
from tests.firmware.flash import Flash, opened, waiting
from tests.firmware.machine import CHIP, Machine

NOBODY = "http://127.0.0.1:9"  # no hub is there
NOW_US = 1_800_000_000_000_000
CODE = "482913"
HOSTILE = "<script>alert('1')</script>"[:24]


def contacts(folder: Path, **low: bool) -> None:
    """Which machines run from now on: a contact to ground is low."""
    new = folder / "inputs.new"
    new.write_text(json.dumps({key: not on for key, on in low.items()}))
    new.rename(folder / "inputs.json")


def kept(folder: Path) -> list[Any]:
    """The records on the board's flash, read beside it: [boot, ms, UTC, values] of each."""
    copy = folder / "read"
    (copy / "buffer").mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        for segment in (folder / "flash" / "buffer").iterdir():
            (copy / "buffer" / segment.name).write_bytes(segment.read_bytes())
    with Flash(copy) as flash:
        return [json.loads(payload) for _, payload in waiting(opened(flash))]


async def is_kept(folder: Path, **values: object) -> None:
    """Wait until the last record of an input is so."""

    def last() -> dict[str, object]:
        said: dict[str, object] = {}
        for _, _, _, record in kept(folder):
            said.update(record)
        return said

    await until(lambda: values.items() <= last().items())


async def test_what_was_kept_outlives_kills_and_reaches_the_hub_as_it_was_kept(tmp_path: Path) -> None:
    """No hub for two starts, the power cut in both; then all of it comes, byte for byte, with its own times."""
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="logger", run_pins=[13, 14], heartbeat_s=10)
        contacts(tmp_path, in1=True, in2=False)
        for boot in (1, 2):
            await machine.boot()
            for on in (True, False, True, False):
                contacts(tmp_path, in1=on, in2=boot == 2)
                await is_kept(tmp_path, in1=on, in2=boot == 2)
            await machine.cut_power()
        before = kept(tmp_path)
        first = [next(record for record in before if record[0] == boot) for boot in (1, 2)]
        assert all(set(values) == {"alive", "in1", "in2"} for *_, values in first)
        assert all(at_us == 0 for _, _, at_us, _ in before)
        changed = [values["in1"] for boot, _, _, values in before if "in1" in values and boot == 1]
        assert changed[:4] == [True, False, True, False]
        await machine.boot()
        session = await machine.connect()
        assert session.hello.kind == "logger"
        await session.tell(Welcome(approved=True, now_us=NOW_US, quality="ntp", next=0))
        came: list[Any] = []
        while len(came) <= len(before):
            came += (await batch_from(machine, len(came))).records
            await session.tell(Taken(next=len(came)))
        assert [list(record) for record in came[: len(before)]] == before
        await until(lambda: any(isinstance(event, Report) for event in machine.events))
        health = next(event.health for event in machine.events if isinstance(event, Report))
        assert {"inputs": 2, "heartbeat_s": 10, "bounces_in1": 0}.items() <= health.items()
        await session.close()
        await machine.cut_power()


async def batch_from(machine: Machine, first: int) -> Readings:
    def found() -> list[Readings]:
        return [event for event in machine.events if isinstance(event, Readings) and event.first == first]

    await until(lambda: bool(found()))
    return found()[0]


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[FieldBoard]:
    """A logger on a network without a hub, with a page that can be changed with a code."""
    settings = {"hub_url": NOBODY, **first_settings(tmp_path, network=True), "page_code": CODE, "name": "Hall <3>"}
    names = [HOSTILE, "Säge & Co", 'a"b', "Oven"]
    contacts(tmp_path, in1=True)
    async with FieldBoard(
        tmp_path, variant="logger", chip=CHIP, network="-", settings=settings | {"run_names": names}
    ) as board:
        await until(lambda: bool(kept(tmp_path)))
        yield board


async def test_its_page(board: FieldBoard) -> None:
    url = page(board.folder)
    contacts(board.folder, in1=False, in2=True)
    await is_kept(board.folder, in1=False, in2=True)
    async with aiohttp.ClientSession() as http:
        home = await (await http.get(url)).text()
        assert "<script" not in home
        assert "&lt;script&gt;alert(" in home
        assert "Hall &lt;3&gt;" in home
        assert "Säge &amp; Co" in home
        status = await (await http.get(url + "status")).json()
        assert status["system"].items() >= {"server_connected": False, "wifi_connected": True, "chip": CHIP}.items()
        assert await _shape(http, url + "assets") == await _shape(http, url + "status")
        first, second, third, _ = status["assets"]
        assert (first["name"], first["pin"], first["is_running"], first["total_stops"]) == (HOSTILE, 13, False, 1)
        assert (second["is_running"], second["state"], second["total_stops"]) == (True, "running", 0)
        assert (third["availability_percentage"], third["total_runtime"]) == (0.0, 0)
        events = (await (await http.get(url + "events")).json())["events"]
        assert [(event["key"], event["state"]) for event in events[:2]] in (
            [("in2", "running"), ("in1", "stopped")],
            [("in1", "stopped"), ("in2", "running")],
        )
        assert events[0]["at"] is None  # nobody has told the time yet
        settings = await (await http.get(url + "settings")).text()
        assert 'value="a&quot;b"' in settings
        assert CODE not in settings + home
        assert (await http.get(url + "nothing")).status == 404


async def _shape(http: aiohttp.ClientSession, url: str) -> tuple[list[str], list[list[str]]]:
    got = await (await http.get(url)).json()
    return sorted(got["system"]), [sorted(asset) for asset in got["assets"]]


async def test_who_is_slow_at_its_page_keeps_no_change_from_being_recorded(board: FieldBoard) -> None:
    number = int(page(board.folder).rsplit(":", 1)[1].strip("/"))
    _, slow = await asyncio.open_connection("127.0.0.1", number)
    slow.write(b"GET / HT")
    _, next_one = await asyncio.open_connection("127.0.0.1", number)
    next_one.write(b"GET / HTTP/1.1\r\n")
    for on in (False, True):
        contacts(board.folder, in1=on)
        await is_kept(board.folder, in1=on)
    slow.close()
    next_one.close()


async def test_settings_change_with_its_code_only_and_with_its_next_start(board: FieldBoard) -> None:
    url = page(board.folder) + "settings"
    form = {"name1": "Press", "pin1": "13", "level1": "1", "pin2": "14", "debounce_ms": "20", "heartbeat_s": "30"}
    async with aiohttp.ClientSession() as http:
        wrong_pin = await http.post(url, data={**form, "pin2": "21", "code": CODE})
        assert (wrong_pin.status, "Pin 21 is the OLED&#39;s." in await wrong_pin.text()) == (400, True)
        for wrong in ({"pin2": "13"}, {"pin2": "6"}, {"heartbeat_s": "1"}, {"debounce_ms": "x"}):
            assert (await http.post(url, data={**form, **wrong, "code": CODE})).status == 400
        stored = json.loads((board.folder / "flash" / "nvs" / "config").read_text())
        assert stored["run_pins"] == [13, 14, 25, 26]
        done = await http.post(url, data={**form, "code": CODE}, allow_redirects=False)
        assert (done.status, done.headers["Location"]) == (303, "/")
        await until(lambda: any(boot == 2 for boot, *_ in kept(board.folder)))
        stated = next(values for boot, _, _, values in kept(board.folder) if boot == 2)
        assert set(stated) == {"alive", "in1", "in2"}
        assert stated["in1"] is False  # low, which means now that it stands still
        assert (await http.post(url, data={**form, "code": "000000"})).status == 403
        assert (await http.post(url, data={**form, "code": CODE})).status == 429
        assert (await http.post(url.replace("settings", ""), data=form)).status == 405
        board.type("page_code off")
        await asyncio.wait_for(board.hears(re.compile("nothing can be changed")), 60)
        assert (await http.post(url, data={**form, "code": ""})).status == 403
        assert "no code is set" in await (await http.get(url)).text()

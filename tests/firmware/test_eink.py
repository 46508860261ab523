"""The e-paper board on its own MicroPython: pictures over the network and the cable, its sensors, and its sleep."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image

from edge.sim.field_board import FieldBoard
from edge.sim.uart import UartLine
from edge.wire import content, signing
from edge.wire.cable import Desired, Show
from tests.fakes.field_hub import DEVICE, field_hub
from tests.fakes.panel_hub import PanelHub
from tests.firmware.board import until
from tests.firmware.machine import CHIP, Machine
from tests.firmware.panels import CableHub, Picture, drawn
from tests.patience import AT_ONCE_S

TOKEN = "op_1a2b3c4d_example-token"
WIDTH, HEIGHT = 800, 480


def on_panel(folder: Path) -> bytes:
    """What is to be seen, as the protocol's bitmap; nothing on a new one."""
    try:
        with Image.open(folder / "panel.png") as image:
            return image.tobytes()
    except FileNotFoundError:
        return b""


def around(folder: Path, **inputs: object) -> None:
    new = folder / "inputs.new"
    new.write_text(json.dumps(inputs))
    new.rename(folder / "inputs.json")


@asynccontextmanager
async def at_a_hub(folder: Path, **settings: object) -> AsyncIterator[tuple[PanelHub, FieldBoard]]:
    """A board with a key, on the network of a hub that has something to show."""
    hub = PanelHub()
    hub.key = signing.key_from_token(TOKEN)
    async with field_hub(hub=hub) as (_, url):
        given = {"hub_url": url, "device_id": DEVICE, "device_token": TOKEN, "epd_rest_s": 1, **settings}
        async with FieldBoard(folder, variant="eink", chip=CHIP, network="-", settings=given) as board:
            yield hub, board


def wants(hub: PanelHub, picture: Picture, again_s: int = 60) -> None:
    hub.pictures[picture.sha256] = picture.data
    hub.shows = picture.show(again_s=again_s)


def is_told(hub: PanelHub, picture: Picture) -> Callable[[], bool]:
    return lambda: bool(hub.shown) and (hub.shown[-1].picture, hub.shown[-1].err) == (picture.sha256, "")


async def test_it_shows_what_it_is_told_to_the_pixel_and_draws_nothing_twice(tmp_path: Path) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    around(tmp_path, temperature=21.5, humidity=40, motion=False, button=False)
    async with at_a_hub(tmp_path, read_s=2) as (hub, board):
        wants(hub, one)
        await until(is_told(hub, one))
        assert on_panel(tmp_path) == one.bitmap
        panel = {"width": WIDTH, "height": HEIGHT, "format": "1bpp-zlib", "zlib_wbits": 10}
        assert (hub.hellos[0]["panel"], hub.hellos[0]["sleeps"]) == (panel, False)
        assert hub.polls[0]["show"] == ""
        assert hub.polls[-1]["show"] == one.sha256[:16]
        wants(hub, two)
        await until(is_told(hub, two))
        assert on_panel(tmp_path) == two.bitmap

        # The power goes: the panel keeps its picture, and the board neither fetches nor draws it.
        drawn_at, fetched, hellos = (tmp_path / "panel.png").stat().st_mtime_ns, len(hub.ranges), len(hub.hellos)
        await board.power_off()
        hub.shown.clear()
        board.power_on()
        await until(lambda: len(hub.hellos) > hellos)
        await until(is_told(hub, two))
        assert hub.shown[-1].shown_ms == 0
        assert ((tmp_path / "panel.png").stat().st_mtime_ns, len(hub.ranges)) == (drawn_at, fetched)

        # What is around it.
        around(tmp_path, temperature=21.5, humidity=40, motion=True, button=False, nfc="04A1B2C3")
        await until(lambda: hub.readings("nfc") == ["04A1B2C3"] and hub.readings("motion")[-1:] == [True])
        assert {hub.readings("temperature")[-1], hub.readings("humidity")[-1]} == {21.5, 40}
        around(tmp_path, temperature=22, humidity=40, motion=False, button=False)
        await until(lambda: hub.readings("temperature")[-1] == 22)
        await until(lambda: hub.readings("motion")[-1] is False)
        around(tmp_path, temperature=23, humidity=40, motion=False, button=False, nfc="04A1B2C3")
        await until(lambda: hub.readings("temperature")[-1] == 23)
        await until(lambda: hub.readings("nfc") == ["04A1B2C3"] * 2)  # presented once more

        # Its button: shortly for the hub, at length for who it is.
        hellos = len(hub.hellos)
        around(tmp_path, button=True)
        await asyncio.sleep(0.5)
        around(tmp_path, button=False)
        await until(lambda: len(hub.hellos) > hellos)
        assert on_panel(tmp_path) == two.bitmap
        around(tmp_path, button=True)
        await until(lambda: on_panel(tmp_path) != two.bitmap)


async def says_how_it_is(board: FieldBoard) -> None:
    async with asyncio.timeout(AT_ONCE_S):
        while "kind: eink" not in board.said:
            board.type("status")
            await asyncio.sleep(0.2)


async def test_without_a_hub_it_keeps_what_it_shows_and_with_nothing_scheduled_too(tmp_path: Path) -> None:
    one = drawn(1, WIDTH, HEIGHT)
    async with at_a_hub(tmp_path) as (hub, board):
        wants(hub, one)
        await until(is_told(hub, one))
        hub.shows = None
        await until(lambda: hub.polls[-1]["show"] == "")
        board.network(up=False)
        await board.power_off()
        board.power_on()
        hellos = len(hub.hellos)
        board.said.clear()
        await says_how_it_is(board)
        assert on_panel(tmp_path) == one.bitmap
        board.network(up=True)
        await until(lambda: len(hub.hellos) > hellos)
        await until(lambda: any(report["health"].get("drawn") == 0 for report in hub.reports))
        assert on_panel(tmp_path) == one.bitmap


async def test_it_sleeps_where_the_hub_desires_it_and_wakes_for_its_button(tmp_path: Path) -> None:
    one, two = drawn(1, WIDTH, HEIGHT), drawn(2, WIDTH, HEIGHT)
    around(tmp_path, temperature=21, humidity=40, motion=False, button=False)
    async with at_a_hub(tmp_path) as (hub, board):
        wants(hub, one, again_s=3600)
        await until(is_told(hub, one))
        hub.desired = {"version": 1, "state": {"sleep": True, "sleep_s": 7200}}
        await until(lambda: board.board.asleep)
        assert (hub.hellos[0]["sleeps"], hub.hellos[-1]["sleeps"]) == (False, True)
        assert (hub.readings("sleep"), hub.readings("sleep_s")) == ([True], [7200])
        assert json.loads((tmp_path / "sleep.json").read_text())["ms"] == 3_600_000

        # What came meanwhile: one wake does it all.
        wants(hub, two, again_s=100_000)
        hub.commands.append({"id": "c1", "seq": 1, "kind": "dance", "ttl_ms": 60_000, "args": {}})
        measured, polls = len(hub.readings("temperature")), len(hub.polls)
        around(tmp_path, temperature=22, humidity=40, motion=False, button=True)
        await until(lambda: not board.board.asleep)
        around(tmp_path, temperature=22, humidity=40, motion=False, button=False)
        await until(lambda: board.board.asleep)
        assert board.board.sleeps == 2
        assert (on_panel(tmp_path), hub.shown[-1].picture) == (two.bitmap, two.sha256)
        assert [result["err"] for result in hub.results] == ["unsupported"]
        assert hub.readings("temperature")[measured:] == [22]
        assert hub.reports[-1]["health"]["woken_by"] == "button"
        assert {poll["wait"] for poll in hub.polls[polls:]} == {"0"}
        assert json.loads((tmp_path / "sleep.json").read_text())["ms"] == 7_200_000

        # Somebody passes: the panel has what it should, so nothing is fetched or drawn.
        drawn_at, fetched = (tmp_path / "panel.png").stat().st_mtime_ns, len(hub.ranges)
        around(tmp_path, temperature=22, humidity=40, motion=True, button=False)
        await until(lambda: board.board.sleeps == 3)
        assert hub.reports[-1]["health"]["woken_by"] == "motion"
        assert True in hub.readings("motion")
        assert ((tmp_path / "panel.png").stat().st_mtime_ns, len(hub.ranges)) == (drawn_at, fetched)

        # It shall stay awake again.
        hub.desired = {"version": 2, "state": {"sleep": False}}
        around(tmp_path, temperature=22, humidity=40, motion=False, button=False)
        await asyncio.sleep(1)
        around(tmp_path, temperature=22, humidity=40, motion=True, button=False)
        await until(lambda: hub.hellos[-1]["sleeps"] is False)
        await until(lambda: hub.polls[-1]["wait"] == "25")


async def test_over_the_cable_the_same_with_a_restart_in_the_middle(tmp_path: Path) -> None:
    one = drawn(1, WIDTH, HEIGHT, busy_rows=120)
    show = Show(show=content.Show(picture=one.sha256, size=len(one.data)))
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="eink")
        hub = CableHub(machine)
        hub.pictures[one.sha256] = one.data
        await machine.boot()
        await hub.meets()
        await hub.session.tell(Desired(version=1, state={"sleep": True}))  # it has a cable: it stays awake
        await hub.session.tell(show)
        await hub.serve(lambda: hub.fetched == 3)
        await hub.session.close()
        await machine.cut_power()
        await machine.boot()
        await hub.meets()
        await hub.session.tell(show)
        await hub.serve(lambda: bool(hub.told))
        assert (hub.told[0].picture, hub.told[0].err) == (one.sha256, "")
        assert on_panel(tmp_path) == one.bitmap
        assert hub.fetched <= 1 + -(-len(one.data) // 2048)
        await hub.session.close()
        await machine.cut_power()

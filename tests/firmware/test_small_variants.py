"""`blink` and `eink` on the board's own MicroPython, and a board that is one after the other."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from edge.sim.field_board import FieldBoard
from edge.sim.uart import UartLine
from edge.wire.cable import Desired, Readings, Report, Taken, Welcome
from tests.firmware.board import ROOT, until
from tests.firmware.machine import CHIP, Machine
from tests.patience import AT_ONCE_S

sys.path.insert(0, str(ROOT / "firmware"))

from variants.blink.patterns import PATTERNS, brightness
from variants.eink.face import Face

NOW_US = 1_800_000_000_000_000
NOBODY = "http://127.0.0.1:9"  # no hub is there
WIDTH, HEIGHT = 800, 480


def levels(pattern: str, ms: int = 4000, step: int = 10) -> list[float]:
    return [brightness(pattern, at) for at in range(0, ms, step)]


def test_each_pattern_is_what_it_is_called() -> None:
    assert set(levels("off")) == {0.0}
    assert set(levels("on")) == {1.0}
    assert set(PATTERNS) == {"off", "on", "blink", "fast", "breathe", "heartbeat"}
    for pattern, changes in (("blink", 7), ("fast", 39), ("heartbeat", 15)):
        seen = levels(pattern)
        assert set(seen) == {0.0, 1.0}
        assert sum(a != b for a, b in itertools.pairwise(seen)) == changes
    breath = levels("breathe")
    assert (min(breath), max(breath)) == (0.0, 1.0)
    assert max(abs(a - b) for a, b in itertools.pairwise(breath)) < 0.03
    assert breath[1:] == pytest.approx(breath[:0:-1])


async def test_a_light_is_what_the_hub_desires_and_outlives_the_power(tmp_path: Path) -> None:
    light = tmp_path / "light.json"

    def percent() -> int:
        try:
            return int(json.loads(light.read_text())["percent"])
        except FileNotFoundError:
            return -1

    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="blink")
        await machine.boot()
        seen: set[int] = set()
        await until(lambda: seen.add(percent()) is None and seen >= {0, 100})  # it blinks
        session = await machine.connect()
        assert session.hello.kind == "blink"
        await session.tell(Welcome(approved=True, now_us=NOW_US, quality="ntp", next=0))
        state = {"led_mode": "on", "led_brightness": 40, "v0": True}
        await session.tell(Desired(version=1, state=state))
        await until(lambda: percent() == 40)
        await until(lambda: bool(readings(machine)))
        assert readings(machine)[0] == {"led_mode": "blink", "led_brightness": 100}
        await session.tell(Taken(next=1))
        await until(lambda: readings(machine)[-1] == {"led_mode": "on", "led_brightness": 40})
        await session.tell(Taken(next=2))
        await session.tell(Desired(version=2, state={"led_mode": "disco", "led_brightness": 101}))
        await session.tell(Desired(version=3, state={"led_mode": "disco", "led_brightness": 60}))
        await until(lambda: percent() == 60)  # what can't be is left as it was
        await until(lambda: readings(machine)[-1] == {"led_brightness": 60})
        await until(lambda: any(isinstance(event, Report) for event in machine.events))
        await session.close()
        await machine.cut_power()
        light.unlink()
        await machine.boot()
        await until(lambda: percent() == 60)
        await machine.cut_power()


def readings(machine: Machine) -> list[object]:
    return [record[3] for event in machine.events if isinstance(event, Readings) for record in event.records]


def test_a_face_is_drawn_in_bands_and_nothing_is_cut_off() -> None:
    whole = b"".join(Face("Till 3", ["A0B1C2D3E4F5", "hub connected"]).bands(WIDTH, HEIGHT))
    assert len(whole) == WIDTH // 8 * HEIGHT
    picture = Image.frombytes("1", (WIDTH, HEIGHT), whole)
    rows = [y for y in range(HEIGHT) if picture.crop((0, y, WIDTH, y + 1)).getextrema()[0] == 0]
    ends = [y for y in rows if y + 1 not in rows]
    begins = [y for y in rows if y - 1 not in rows]
    heights = [last - first + 1 for first, last in zip(begins, ends, strict=True)]
    assert heights == [7 * 8, 7 * 4, 7 * 4]  # three lines, each as high as it should be
    assert Face("a", ["b"]).shown != Face("a", ["c"]).shown


async def test_a_panel_says_who_the_board_is_and_is_drawn_once_for_each_change(tmp_path: Path) -> None:
    panel = tmp_path / "panel.png"
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="eink", name="Till 3")
        await machine.boot()
        await until(panel.exists)
        with Image.open(panel) as shown:
            assert (shown.size, shown.mode) == ((WIDTH, HEIGHT), "1")
            assert 0.005 < 1 - sum(shown.convert("L").get_flattened_data()) / 255 / WIDTH / HEIGHT < 0.1
        session = await machine.connect()
        assert session.hello.kind == "eink"
        panel = session.hello.panel
        assert panel is not None
        assert (panel.width, panel.height, panel.format, panel.zlib_wbits) == (WIDTH, HEIGHT, "1bpp-zlib", 10)
        await session.tell(Welcome(approved=True, now_us=NOW_US, quality="ntp", next=0))
        await until(lambda: any(isinstance(event, Report) for event in machine.events))
        report = next(event for event in machine.events if isinstance(event, Report))
        assert report.health["drawn"] == 1
        await session.close()
        await machine.cut_power()


async def test_a_board_that_becomes_another_keeps_its_wifi_and_its_hub(tmp_path: Path) -> None:
    """base, blink and eink have one flash: what a person has typed once stays."""
    (tmp_path / "networks.json").write_text(json.dumps([{"ssid": "Hall", "password": "correct horse"}]))
    typed = ("till-3", "0123456789abcdef", NOBODY, "Hall", "correct horse")
    stored = tmp_path / "flash" / "nvs" / "config"
    async with FieldBoard(tmp_path, variant="base", chip=CHIP, network="-", settings={"debug": 1}) as board:
        await until(lambda: boots(tmp_path) == 1)
        for line in ("provision", *typed):
            board.type(line)
        await until(lambda: boots(tmp_path) == 2)
    kept = json.loads(stored.read_text())
    assert kept["wifi_password"] == "correct horse"
    for number, variant in enumerate(("blink", "eink", "base")):
        async with FieldBoard(tmp_path, variant=variant, chip=CHIP, network="-") as board:
            await until(lambda count=number + 3: boots(tmp_path) == count)  # type: ignore[misc]
            await asks_for_its_hub(board)
            said = set(board.said)
            assert {f"kind: {variant}", "wifi: Hall", f"hub url: {NOBODY}", "device: till-3"} <= said
        assert json.loads(stored.read_text()) == kept


async def asks_for_its_hub(board: FieldBoard) -> None:
    """Wait until it is in its WiFi, and says so in its status."""
    async with asyncio.timeout(AT_ONCE_S):
        while "network: looking for the hub" not in board.said:
            board.type("status")
            await asyncio.sleep(0.2)


def boots(folder: Path) -> int:
    counter = folder / "flash" / "nvs" / "boot"
    return counter.read_bytes()[0] if counter.exists() and counter.stat().st_size else 0

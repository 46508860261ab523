"""Improv on the cable: its bytes on the board's own Python, and a whole board that is given its WiFi."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.links.native import NativeSession
from edge.sim.field_board import FieldBoard
from edge.sim.uart import UartLine
from edge.wire.cable import Welcome
from edge.wire.native import Hello
from tests.fakes.pty_stream import PtyStream
from tests.firmware.board import ROOT, until, virtual_machine
from tests.firmware.improv_client import Client, strings
from tests.firmware.machine import Machine

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.improv import HOSTNAME, INFO, NAME, NETWORK, SCAN, STATE, WIFI

CHIP = "A0B1C2D3E4F5"
SSID, PASSWORD = "Café WLAN", "correct horse"
NETWORKS = [
    {"ssid": "Street", "dbm": -80},
    {"ssid": SSID, "password": PASSWORD, "dbm": -50},
    {"ssid": SSID, "password": PASSWORD, "dbm": -70},
    {"ssid": "Hidden", "password": "battery staple", "hidden": True},
]
CURRENT, ERROR, RESULT = 1, 2, 4
READY, PROVISIONING, PROVISIONED = b"\x02", b"\x03", b"\x04"


def credentials(ssid: str, password: str) -> bytes:
    """What goes with the command WIFI."""
    return b"".join(bytes((len(text.encode()),)) + text.encode() for text in (ssid, password))


@pytest.mark.parametrize("python", [virtual_machine(), [sys.executable]], ids=["board", "cpython"])
def test_the_firmwares_improv_agrees_with_the_vectors(python: list[str]) -> None:
    script = Path(__file__).with_name("improv_check.py")
    vectors = ROOT / "tests" / "vectors" / "improv.json"
    done = subprocess.run(
        [*python, script, ROOT / "firmware", vectors], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


async def test_a_new_board_is_given_its_wifi_over_the_cable(tmp_path: Path) -> None:
    """From the first question to the next start, and the hub's frames and a person's lines in between."""
    (tmp_path / "networks.json").write_text(json.dumps(NETWORKS))
    stored = tmp_path / "flash" / "nvs" / "config"
    board = FieldBoard(tmp_path, variant="base", chip=CHIP, network="-", console=False, settings={"debug": 1})
    async with board:
        with Client(board.host_tty) as client:
            await client.says(CHIP.encode())  # it announces itself
            client.ask(STATE)
            await client.hears(CURRENT, READY)
            client.ask(INFO)
            assert (await client.strings(INFO))[:4] == ["Outpost", "0.1.0", "ESP32", CHIP]
            client.ask(NAME, b"Till 3")
            assert await client.strings(NAME) == ["Till 3"]
            client.ask(HOSTNAME)
            assert await client.strings(HOSTNAME) == ["outpost-d3e4f5"]
            client.ask(HOSTNAME, b"-no-")
            await client.hears(ERROR, b"\x05")
            client.ask(NETWORK)
            assert await client.strings(NETWORK) == ["2"]
            client.ask(99)
            await client.hears(ERROR, b"\x02")
            client.ask(SCAN)
            await client.hears(RESULT, bytes((SCAN, 0)))
            heard = [strings(data) for kind, data in client.packets if kind == RESULT and data[0] == SCAN]
            assert heard == [[SSID, "-50", "YES"], ["Street", "-80", "NO"], []]
            client.type("status")
            await client.says(b"own network: -")
            assert "wifi_ssid" not in json.loads(stored.read_text())
            client.ask(WIFI, credentials("Hidden", "short"))  # no network has such a password
            await client.hears(ERROR, b"\x03")
            client.ask(WIFI, credentials(SSID, PASSWORD))
            await client.hears(CURRENT, PROVISIONING)
            await client.hears(CURRENT, PROVISIONED)
            assert await client.strings(WIFI) == []  # it has no page, and looks for its hub
            kept = json.loads(stored.read_text())
            assert kept == {"debug": 1, "name": "Till 3", "wifi_ssid": SSID, "wifi_password": PASSWORD}
            counter = tmp_path / "flash" / "nvs" / "boot"
            await until(lambda: counter.read_bytes()[0] == 2)  # it has started anew by itself
            client.packets.clear()
            await client.says(b"\0")
            client.ask(STATE)
            await client.hears(CURRENT, PROVISIONED)
            assert PASSWORD.encode() not in client.text
        hello = await shaken(board)
        assert (hello.kind, hello.name) == ("base", "Till 3")


async def shaken(board: FieldBoard) -> Hello:
    """The hello of a hub's session on the same line."""
    session = await NativeSession.open(
        PtyStream(board.host_tty), on_event=lambda event: None, raise_baud=False, timeout_s=30
    )
    try:
        return session.hello
    finally:
        await session.close()


async def test_between_a_hubs_frames_it_is_heard_and_the_session_goes_on(tmp_path: Path) -> None:
    (tmp_path / "networks.json").write_text(json.dumps(NETWORKS))
    async with UartLine() as line:
        machine = Machine(tmp_path, line, variant="base")
        await machine.boot()
        session = await machine.connect()
        for name in (b"Till 3", b"Till 4"):
            with Client(line.host_tty, listens=False) as client:
                client.ask(NAME, name)
            await until(lambda name=name: stored_name(machine) == name.decode())  # type: ignore[misc]
            await session.tell(Welcome(approved=True, now_us=0, quality="none", next=0))
        reports = len(machine.events)
        await session.tell(Welcome(approved=False, now_us=0, quality="none", next=0))
        await until(lambda: len(machine.events) > reports)  # it reports, as its welcome has changed
        assert session.hello.boot == 1
        await session.close()
        await machine.cut_power()


def stored_name(machine: Machine) -> object:
    return json.loads((machine.flash / "nvs" / "config").read_text()).get("name")

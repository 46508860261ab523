"""The board's own network: its page and its name server, fetched and asked for real from MicroPython's unix VM."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from edge.sim.field_board import FieldBoard
from edge.sim.logger import free_port
from tests.firmware.board import ROOT, until
from tests.firmware.set_up import Bench, Radio
from tests.patience import AT_ONCE_S

sys.path.insert(0, str(ROOT / "firmware"))

from outpost.portal import read_form
from outpost.server import Answer, Request

CHIP = "A0B1C2D3E4F5"
SSID, PASSWORD = "Café <b>", "correct horse"
TOKEN = "0123456789abcdef"
NETWORKS = [{"ssid": SSID, "password": PASSWORD, "dbm": -50}, {"ssid": "Street", "dbm": -80}]
TO_PAGE = (
    "/generate_204", "/gen_204", "/hotspot-detect.html", "/library/test/success.html", "/canonical.html",
    "/ncsi.txt", "/redirect", "/fwlink/?LinkID=1", "/mobile/status.php", "/anything/at/all",
)  # fmt: skip


class Own:
    """A board, and where its own network can be reached."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        self.http, self.dns = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http}"
        (folder / "networks.json").write_text(json.dumps(NETWORKS))
        self.board = FieldBoard(
            folder, variant="base", chip=CHIP, network="-", portal=f"{self.http}:{self.dns}", settings=settings
        )

    def seen(self) -> dict[str, Any] | None:
        """The network as a phone sees it, while it is there."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "access_point.json").read_text())
        except FileNotFoundError:
            return None
        return found

    async def opened(self) -> None:
        """Ask for it at the console, and wait."""
        await until(lambda: (self.folder / "flash" / "nvs" / "boot").exists())
        self.board.said.clear()
        self.board.type("portal")
        await asyncio.wait_for(self.board.hears(re.compile(f"join the WiFi .* look at {self.url}/")), AT_ONCE_S)

    def stored(self) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads((self.folder / "flash" / "nvs" / "config").read_text())
        return kept

    def boots(self) -> int:
        return (self.folder / "flash" / "nvs" / "boot").read_bytes()[0]


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[Own]:
    """A new board whose own network is open."""
    own = Own(tmp_path, debug=1)
    async with own.board:
        await own.opened()
        yield own


async def resolved(own: Own, question: bytes) -> bytes:
    """What its name server answers."""
    answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    class Asking(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, address: object) -> None:
            if not answered.done():
                answered.set_result(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Asking, remote_addr=("127.0.0.1", own.dns)
    )
    try:
        transport.sendto(b"\xff")  # noise, which gets no answer
        transport.sendto(question)
        return await asyncio.wait_for(answered, AT_ONCE_S)
    finally:
        transport.close()


def form(**fields: str) -> dict[str, str]:
    return {
        "wifi_ssid": SSID, "other": "", "wifi_password": PASSWORD, "name": "Till <3>", "hub_url": "http://10.0.0.5:8080",
        "device_id": "till-3", "device_token": TOKEN, **fields,
    }  # fmt: skip


async def test_a_phone_is_led_to_the_page_and_sets_the_board_up(own: Own) -> None:
    assert own.seen() == {
        "ssid": "ESP32-OTA-Setup-D3E4F5",
        "open": True,
        "password_bytes": 0,
        "address": "127.0.0.1",
    }
    name = b"\x07captive\x05apple\x03com\0"
    asked = b"\0\7\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1"
    assert (await resolved(own, asked))[-4:] == bytes((127, 0, 0, 1))
    async with aiohttp.ClientSession() as phone:
        for path in TO_PAGE:
            got = await phone.get(own.url + path, allow_redirects=False)
            assert (got.status, got.headers["Location"]) == (302, own.url + "/"), path
        windows = await phone.get(own.url + "/connecttest.txt", allow_redirects=False)
        assert (windows.status, windows.headers["Location"]) == (302, "http://logout.net")
        for path, status in (("/success.txt", 200), ("/wpad.dat", 404), ("/favicon.ico", 404)):
            assert (await phone.get(own.url + path, allow_redirects=False)).status == status
        page = await (await phone.get(own.url + "/generate_204")).text()
        assert 'value="Café &lt;b&gt;">Café &lt;b&gt; (-50 dBm, WPA2)' in page
        assert "Street (-80 dBm, open)" in page
        assert "Success" not in page
        assert "<script" not in page
        assert len(page) < 128 * 1024
        assert (await phone.post(own.url + "/scan")).status == 200

        wrong = await phone.post(
            own.url + "/save", data=form(device_token="", hub_url="ftp://x", wifi_password="short")
        )
        said = await wrong.text()
        assert said.count('class="no"') == 3
        assert 'value="Till &lt;3&gt;"' in said  # what was typed is still there,
        assert "short" not in said  # but for secrets
        assert own.stored() == {"debug": 1}
        assert (await phone.post(own.url + "/save", data=b"wifi_ssid=%zz")).status == 400

        state = await phone.post(own.url + "/save", data=form())
        assert (state.url.path, state.status) == ("/state", 200)
        text = await state.text()
        while "Trying" in text:
            assert PASSWORD not in text
            text = await (await phone.get(own.url + "/state")).text()
        assert "The board is in Café &lt;b&gt;." in text
    await until(lambda: own.boots() == 2)
    kept = {
        "debug": 1, "name": "Till <3>", "wifi_ssid": SSID, "wifi_password": PASSWORD,
        "hub_url": "http://10.0.0.5:8080", "device_id": "till-3", "device_token": TOKEN,
    }  # fmt: skip
    assert own.stored() == kept
    await until(lambda: own.seen() is None)


async def test_a_wifi_that_is_elsewhere_can_be_stored_untried_and_what_the_board_has_is_not_shown(own: Own) -> None:
    async with aiohttp.ClientSession() as phone:
        elsewhere = form(wifi_ssid="", other="Elsewhere", untested="on")
        assert "Stored" in await (await phone.post(own.url + "/save", data=elsewhere)).text()
        await until(lambda: own.boots() == 2)
        assert own.stored()["wifi_ssid"] == "Elsewhere"
        await own.opened()  # somebody is at the board: he may change it
        page = await (await phone.get(own.url)).text()
        assert 'value="Elsewhere" selected>Elsewhere (not heard)' in page
        assert 'value="till-3"' in page
        assert TOKEN not in page
        assert PASSWORD not in page
        same = form(wifi_ssid="Elsewhere", wifi_password="", device_token="", name="Till 4", untested="on")
        await phone.post(own.url + "/save", data=same)
        assert own.stored()["name"] == "Till 4"
        assert (own.stored()["wifi_password"], own.stored()["device_token"]) == (PASSWORD, TOKEN)
    own.board.type("portal off")
    await until(lambda: own.seen() is None)


async def test_a_network_with_a_password_is_no_open_one(tmp_path: Path) -> None:
    own = Own(tmp_path, portal_password="eleven bytes")
    async with own.board:
        await own.opened()
        seen = own.seen()
        assert seen is not None
        assert (seen["open"], seen["password_bytes"]) == (False, 12)


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({}, 0),
        ({"wifi_ssid": "", "other": ""}, 1),
        ({"other": "x" * 33}, 1),
        ({"wifi_password": ""}, 0),
        ({"wifi_password": "x" * 64}, 1),
        ({"device_id": ""}, 1),
        ({"device_id": "", "device_token": ""}, 0),
        ({"device_id": "a b", "device_token": "s p a c e s"}, 2),
        ({"hub_url": "hub"}, 1),
        ({"hub_url": ""}, 0),
        ({"name": "x" * 65}, 1),
    ],
)
def test_what_is_wrong_in_the_form_is_said(fields: dict[str, str], problems: int) -> None:
    nothing: dict[str, object] = dict.fromkeys(("wifi_ssid", "wifi_password", "device_id", "device_token"), "")
    assert len(read_form(form(**fields), nothing)[1]) == problems


def test_a_secret_that_is_left_empty_stays_only_where_it_belongs() -> None:
    had: dict[str, object] = {
        "wifi_ssid": SSID, "wifi_password": PASSWORD, "device_id": "till-3", "device_token": TOKEN
    }  # fmt: skip
    kept, _ = read_form(form(wifi_password="", device_token=""), had)
    assert (kept["wifi_password"], kept["device_token"]) == (PASSWORD, TOKEN)
    other, problems = read_form(form(wifi_ssid="Street", wifi_password="", device_id="x", device_token=""), had)
    assert (other["wifi_password"], other["device_token"]) == ("", "")
    assert len(problems) == 1


class Loopback(Radio):
    """A board whose own network is this machine."""

    served_on = "127.0.0.1"

    def open_access_point(self, name: str, password: str, pause_ms: int) -> str:
        self.portal_http, self.portal_dns = free_port(), free_port()
        return "127.0.0.1"


def said(answer: Answer) -> str:
    return b"".join(answer.pieces).decode()


def test_a_board_that_is_set_up_and_only_out_of_its_wifi_lets_nobody_change_it() -> None:
    """Somebody may have drowned the WiFi in noise."""
    bench = Bench(Loopback(wifi_ssid=SSID, wifi_password=PASSWORD, device_id="till-3", device_token=TOKEN))
    before = bench.stored()
    bench.pass_s(302)
    portal = bench.setup.portal
    assert portal is not None
    save = Request("POST", "/save", True)
    save.body = urlencode(form()).encode()
    page = said(portal.answer(Request("GET", "/", True)))
    assert "hold its BOOT button" in page
    assert "till-3" not in page
    assert "<form" not in page
    assert portal.answer(save).status == 403
    assert bench.stored() == before
    bench.port.held = True
    bench.pass_s(2)
    assert "<form" in said(portal.answer(Request("GET", "/", True)))
    assert portal.answer(save).status == 303
    assert bench.port.tried == (SSID, PASSWORD)
    bench.pass_s(31)
    state = said(portal.answer(Request("GET", "/state", True)))
    assert "Nothing was changed." in state
    assert bench.stored() == before
    bench.pass_s(900)
    assert bench.setup.portal is None
    assert not bench.log.last_error

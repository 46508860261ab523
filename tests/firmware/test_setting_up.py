"""What gives a board its WiFi, without a radio: tries that fail and succeed, BLE, the window."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge.sim.logger import free_port
from tests.firmware.board import ROOT
from tests.firmware.improv_client import strings
from tests.firmware.set_up import Bench, Radio

from outpost.improv import HOSTNAME, IDENTIFY, INFO, SCAN, WIFI, summed  # isort: skip
from outpost.improv_ble import COMMAND, COMMAND_BYTES_MAX, ERROR, RESULT, STATE, Peripheral  # isort: skip
from outpost.improv_serial import Parser, packet  # isort: skip
from outpost.port import BleRadio  # isort: skip
from outpost.window import Window  # isort: skip

VECTORS: dict[str, Any] = json.loads((ROOT / "tests" / "vectors" / "improv.json").read_text())
SSID, PASSWORD = "MyWirelessAP", "mysecurepassword"
WIFI_RPC = bytes.fromhex(VECTORS["commands"][0]["rpc"])


def told(bench: Bench) -> list[tuple[int, bytes]]:
    """What it says over its cable, as packets."""
    parser = Parser()
    parser.feed(b"".join(bench.setup.cable.due()), 0, True)
    return parser.packets


def ask(bench: Bench, rpc: bytes) -> None:
    """Over its cable."""
    bench.setup.cable.feed(packet(3, rpc), bench.clock.ms(), 0)
    bench.pass_s(0.1)


# A try


def test_a_wifi_that_lets_nobody_in_costs_nothing() -> None:
    bench = Bench(wifi_ssid="Old", wifi_password="old password", name="Till 3")
    before = bench.stored()
    ask(bench, WIFI_RPC)
    assert told(bench) == [(2, b"\0"), (1, b"\x03")]
    ask(bench, bytes((SCAN, 0)))  # the radio is at it
    assert told(bench) == [(2, b"\0"), (2, b"\xff")]
    bench.pass_s(29)
    assert told(bench) == []
    bench.pass_s(1)
    assert told(bench) == [(2, b"\x03"), (1, b"\x02")]
    assert bench.port.tried is None  # back to the old one
    assert (bench.stored(), bench.restarts) == (before, 0)


def test_a_wifi_that_lets_it_in_is_stored_and_the_board_starts_anew_once_nothing_more_is_said() -> None:
    bench = Bench(name="Till 3", hub_url="http://10.0.0.5:8080")
    bench.port.lets_in[SSID] = PASSWORD
    ask(bench, WIFI_RPC)
    bench.pass_s(1)
    state, result = told(bench)[-2:]
    assert state == (1, b"\x04")
    assert strings(result[1]) == ["http://10.0.0.5:8080"]
    kept = {"name": "Till 3", "hub_url": "http://10.0.0.5:8080"}
    assert bench.stored() == {**kept, "wifi_ssid": SSID, "wifi_password": PASSWORD}
    for _ in range(3):  # somebody goes on asking
        bench.pass_s(3)
        ask(bench, bytes((INFO, 0)))
    ask(bench, bytes((2, 0)))
    assert (1, b"\x04") in told(bench)
    assert bench.restarts == 0
    bench.pass_s(6)
    assert bench.restarts > 0


def test_nobody_talks_a_board_out_of_starting_anew() -> None:
    bench = Bench()
    bench.port.lets_in[SSID] = PASSWORD
    ask(bench, WIFI_RPC)
    for _ in range(20):
        bench.pass_s(4)
        ask(bench, bytes((INFO, 0)))
    assert bench.restarts > 0


def test_one_try_at_a_time_and_a_radio_that_is_busy_is_told() -> None:
    bench = Bench()
    first = bench.setup.join({"wifi_ssid": SSID, "wifi_password": PASSWORD})
    assert first is not None
    assert bench.setup.join({"wifi_ssid": SSID, "wifi_password": ""}) is None
    ask(bench, WIFI_RPC)
    assert told(bench) == [(2, b"\0"), (2, b"\x03")]
    busy = Bench()
    busy.port.fails = True
    ask(busy, WIFI_RPC)
    assert told(busy) == [(2, b"\0"), (1, b"\x03"), (2, b"\x03"), (1, b"\x02")]
    ask(busy, bytes((SCAN, 0)))
    assert told(busy) == [(2, b"\0"), (2, b"\xff")]


def test_what_is_no_command_is_told_and_does_nothing() -> None:
    bench = Bench()
    for case in VECTORS["malformed"]:
        ask(bench, bytes.fromhex(case["rpc"]))
        assert told(bench) == [(2, b"\0"), (2, b"\x01")], case["name"]
    spoiled = packet(3, WIFI_RPC)[:-1] + b"\0"
    bench.setup.cable.feed(spoiled, bench.clock.ms(), 0)
    assert told(bench) == [(2, b"\x01")]
    assert bench.port.tried is None


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 50))
def test_whatever_comes_what_is_no_packet_passes_unchanged(noise: list[bytes], step: int) -> None:
    """Or a frame of the hub's would be spoilt."""
    data = b"".join(noise).replace(b"IMPROV\x01", b"") + b"\n"
    parser = Parser()
    passed = b"".join(parser.feed(data[at : at + step], 0, True) for at in range(0, len(data), step))
    assert passed == data
    assert parser.packets == []


def test_a_page_of_its_own_is_where_to_look_next() -> None:
    bench = Bench(page=80, hub_url="http://10.0.0.5")
    bench.port.address = lambda: "10.0.0.9"  # type: ignore[method-assign]
    assert bench.setup.urls() == ["http://10.0.0.9/"]


def test_a_scan_has_room_for_what_fits_and_names_once() -> None:
    bench = Bench()
    bench.port.heard = [("Hall", -70, "WPA2"), ("Hall", -40, "WPA2"), ("", -30, "NO")]
    bench.port.heard += [(f"Network {n:02} " + "x" * 20, -80, "WPA3") for n in range(30)]
    found = bench.setup.scan()
    assert found is not None
    assert (len(found), found[0]) == (20, ("Hall", -40, "WPA2"))
    ble = Peripheral(bench.setup, bench.clock)
    ble.written(summed(bytes((SCAN, 0))))
    ble.tick()
    whole = ble.values[RESULT]
    assert len(whole) <= COMMAND_BYTES_MAX
    assert summed(whole[:-1]) == whole
    names = strings(whole[:-1])
    assert (len(names) % 3, names[:3]) == (0, ["Hall", "-40", "WPA2"])


# BLE


def write(ble: Peripheral, rpc: bytes, size: int = 20) -> list[tuple[int, bytes]]:
    """Write a command in pieces; what is told then."""
    whole = summed(rpc)
    for at in range(0, len(whole), size):
        ble.written(whole[at : at + size])
    ble.tick()
    return ble.due()


def test_over_ble_a_new_board_is_given_its_wifi_in_writes_of_20_bytes() -> None:
    bench = Bench(can_identify=True)
    bench.port.lets_in[SSID] = PASSWORD
    ble = Peripheral(bench.setup, bench.clock)
    ble.tick()
    assert ble.due() == [(STATE, b"\x02")]
    assert write(ble, bytes((IDENTIFY, 0))) == []
    assert bench.identified == 1
    info = write(ble, bytes((INFO, 0)))
    assert all(len(value) <= 20 for _, value in info)
    whole = b"".join(value for number, value in info if number == RESULT)
    assert strings(whole[:-1])[0] == "Outpost"
    assert whole == ble.values[RESULT]
    assert write(ble, WIFI_RPC) == [(STATE, b"\x03")]
    bench.pass_s(0.1)
    ble.tick()
    assert ble.due() == [(STATE, b"\x04"), (RESULT, summed(bytes((WIFI, 0))))]
    assert bench.stored()["wifi_password"] == PASSWORD


def test_over_ble_a_board_that_is_set_up_wants_its_button_pressed() -> None:
    bench = Bench(wifi_ssid="Old", wifi_password="old password")
    ble = Peripheral(bench.setup, bench.clock)
    ble.tick()
    assert (ble.due(), ble.values[STATE]) == ([], b"\x01")
    for command in (WIFI_RPC, bytes((SCAN, 0)), bytes((HOSTNAME, 1)) + b"x"):
        write(ble, command)
        assert ble.values[ERROR] == b"\x04"
    assert bench.port.tried is None
    assert write(ble, bytes((INFO, 0)))[0] == (ERROR, b"\0")  # that may be asked
    ble.authorize()
    ble.tick()
    assert ble.due() == [(STATE, b"\x02")]
    bench.pass_s(59)
    write(ble, WIFI_RPC)
    assert bench.port.tried == (SSID, PASSWORD)
    bench.pass_s(31)  # in vain: but somebody is there, so it stays open for a while
    ble.tick()
    assert ble.due()[-2:] == [(ERROR, b"\x03"), (STATE, b"\x02")]
    bench.pass_s(60)
    ble.tick()
    assert ble.due() == [(STATE, b"\x01")]


def test_over_ble_what_is_half_or_wrong_is_told_or_forgotten() -> None:
    bench = Bench()
    ble = Peripheral(bench.setup, bench.clock)
    ble.tick()
    ble.due()
    ble.written(summed(WIFI_RPC)[:20])
    ble.tick()
    bench.pass_s(6)
    assert write(ble, bytes((INFO, 0)))[0][0] == RESULT  # the half was forgotten
    ble.written(WIFI_RPC + b"\0")
    ble.tick()
    assert ble.due() == [(ERROR, b"\x01")]
    assert write(ble, bytes((42, 0))) == [(ERROR, b"\0"), (ERROR, b"\x02")]
    ble.written(summed(WIFI_RPC)[:20])
    ble.lost()
    assert write(ble, bytes((INFO, 0)))[0] == (ERROR, b"\0")
    for _ in range(1000):
        ble.written(b"\xff" * 20)  # nobody looks
    ble.tick()
    assert bench.port.tried is None


@given(st.lists(st.binary(max_size=30), max_size=12))
def test_over_ble_nothing_breaks_it(writes: list[bytes]) -> None:
    bench = Bench()
    ble = Peripheral(bench.setup, bench.clock)
    for data in writes:
        ble.written(data)
        ble.tick()
    ble.lost()
    assert write(ble, bytes((INFO, 0)))


def test_what_ble_tells_everybody_is_31_bytes_with_state_and_capabilities() -> None:
    bench = Bench()
    ble = Peripheral(bench.setup, bench.clock)
    ble.tick()
    advertised = ble.advertisement()
    assert len(advertised) == 31
    assert advertised[:3] == b"\x02\x01\x06"
    assert advertised[3:5] == b"\x11\x07"
    assert advertised[5:21][::-1].hex() == "00467768622822724663277478268000"
    assert advertised[21:25] == b"\x09\x16\x77\x46"
    assert advertised[25:] == bytes((2, 14, 0, 0, 0, 0))
    ble.capabilities = VECTORS["service_data"][0]["capabilities"]
    assert ble.advertisement()[25:].hex() == VECTORS["service_data"][0]["service_data"]
    assert COMMAND not in ble.values


# When it may be set up over the air


def run(
    window: Window, seconds: float, now: int, *, up: bool = False, cable: bool = False, held: bool = False
) -> int:
    """Let time pass; the time then."""
    end = now + int(seconds * 1000)
    while now < end:
        now += 50
        window.tick(now, up=up, cable=cable, held=held)
    return now


def test_a_new_board_is_open_for_a_quarter_of_an_hour() -> None:
    window = Window(is_new=True, has_password=False)
    now = run(window, 9, 0)
    assert not window.open
    now = run(window, 2, now)
    assert (window.open, window.trusted) == (True, True)
    now = run(window, 900, now)
    assert (window.open, window.trusted) == (False, False)
    now = run(window, 3600, now)
    assert not window.open


def test_a_board_on_a_hubs_cable_is_never_open_by_itself() -> None:
    window = Window(is_new=True, has_password=False)
    now = run(window, 60, 0, cable=True)
    now = run(window, 3600, now)  # the hub restarts
    assert not window.open


def test_a_board_out_of_its_wifi_opens_once_for_each_time_and_trusts_nobody() -> None:
    window = Window(is_new=False, has_password=False)
    now = run(window, 299, 0)
    assert not window.open
    now = run(window, 2, now)
    assert (window.open, window.trusted) == (True, False)
    now = run(window, 60, now, up=True)  # the access point is back
    assert not window.open
    now = run(window, 301, now)
    assert window.open
    now = run(window, 7200, now)
    assert not window.open
    assert Window(is_new=False, has_password=True).trusted is False


def test_with_a_password_of_its_own_whoever_is_in_its_network_is_trusted() -> None:
    window = Window(is_new=False, has_password=True)
    run(window, 302, 0)
    assert (window.open, window.trusted) == (True, True)


def test_the_button_opens_it_though_all_is_well() -> None:
    window = Window(is_new=False, has_password=False)
    now = run(window, 10, 0, up=True)
    now = run(window, 0.5, now, up=True, held=True)
    now = run(window, 0.1, now, up=True)
    assert not window.open  # too short
    now = run(window, 1.2, now, up=True, held=True)
    assert (window.open, window.trusted) == (True, True)
    now = run(window, 899, now, up=True, held=True)  # a button that is stuck counts once
    assert window.open
    now = run(window, 10, now, up=True, held=True)
    assert not window.open
    now = run(window, 600, now, up=True)
    run(window, 1.2, now, up=True, held=True)
    assert window.open


def test_a_network_of_its_own_that_can_not_be_opened_is_tried_once() -> None:
    bench = Bench()
    bench.pass_s(60)
    assert bench.port.opened == [("ESP32-OTA-Setup-D3E4F5", "")]
    assert "can't be opened" in bench.log.last_error


def test_over_ble_the_password_of_its_network_opens_nothing() -> None:
    """It is known by who is in that network: over BLE nobody is."""
    bench = Bench(Aerial(wifi_ssid="Old", wifi_password="old password", portal_password="eleven bytes"))
    bench.pass_s(302)
    ble = bench.setup.ble
    assert ble is not None
    assert bench.setup.trusted
    assert ble.values[STATE] == b"\x01"
    bench.port.held = True
    bench.pass_s(2)
    assert ble.values[STATE] == b"\x02"
    bench.pass_s(61)
    assert ble.values[STATE] == b"\x01"
    bench.port.up = True
    bench.pass_s(900)
    assert bench.setup.ble is None
    bench.port.held = False
    bench.pass_s(1)
    bench.port.held = True  # it opens again, for who is there
    bench.pass_s(2)
    assert bench.setup.ble is not None
    assert bench.setup.ble.values[STATE] == b"\x04"
    write(bench.setup.ble, WIFI_RPC)
    assert bench.port.tried == (SSID, PASSWORD)
    assert bench.setup.command(["off"]) == "closed"
    bench.pass_s(0.1)
    assert (bench.setup.ble, bench.setup.status()) == (None, "")


class Aerial(Radio):
    """A board with a network of its own, and BLE."""

    served_on = "127.0.0.1"

    def open_access_point(self, name: str, password: str, pause_ms: int) -> str:
        self.portal_http, self.portal_dns = free_port(), free_port()
        return "127.0.0.1"

    def has_ble(self) -> bool:
        return True

    def bluetooth(self, peripheral: Peripheral, name: str) -> BleRadio:
        return Air()


class Air(BleRadio):
    """Nobody is in reach."""

    def service(self) -> None:
        """Nothing is sent."""

    def close(self) -> None:
        """It was never on."""
